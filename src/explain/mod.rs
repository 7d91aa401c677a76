//! Why the network decides as it does: numbers in, numbers out. No file is read or drawn here.
//!
//! Three questions, from the face to the network:
//!
//! 1. **Where does it look?** One file a method, from [`saliency`] to [`lime`], behind one call,
//!    [`attribute()`].
//! 2. **Can that be believed?** [`faithfulness`], [`infidelity`], [`randomisation`] and
//!    [`region_lift`], each beside the controls without which its number means nothing;
//!    [`check_table`] gathers them.
//! 3. **What does a filter want to see?** [`maco`] and its rivals ([`pixels`], [`fourier`]),
//!    judged by [`naturalness`] and the faces that move the filter most ([`patches`]);
//!    [`filter_report`] gathers them.
//!
//! All of them know the network through one small trait, [`Classifier`], which has no training
//! mode. Everything random is drawn by counter ([`crate::random`]), and sums are added in a fixed
//! order: same seed, same bytes, for any number of threads.

pub mod activations;
pub mod ascent;
pub mod attribute;
pub mod batch;
pub mod cam;
pub mod check;
pub mod check_table;
pub mod class_maps;
pub mod face_size;
pub mod faithfulness;
mod filter_features;
mod filter_judge;
pub mod filter_report;
pub mod fourier;
pub mod grad_cam;
pub mod grad_cam_pp;
pub mod grad_x_input;
pub mod guided_backprop;
pub mod infidelity;
pub mod integrated_gradients;
pub mod layer_cam;
pub mod layers;
pub mod lime;
pub mod maco;
pub mod method;
pub mod model;
pub mod naturalness;
pub mod network;
pub mod occlusion;
pub mod patches;
pub mod picture;
pub mod pixels;
pub mod randomisation;
pub mod recipe;
pub mod region_lift;
pub mod regions;
pub mod ridge;
pub mod rise;
pub mod saliency;
pub mod score_cam;
pub mod segments;
pub mod sensitivity;
pub mod slic;
pub mod smooth_grad;
pub mod spectrum;
pub mod target;
pub mod training_faces;
pub mod verdict;
pub mod verify;
pub mod warps;

pub use attribute::{Attribution, Fact, Options, attribute};
pub use method::Method;
pub use model::{
    BackwardRule, Classifier, InputGradient, LayerGradient, LayerInfo, LayerKind, Maps,
    Normalization, Objective, ObjectiveGradient, ReceptiveField, Target,
};
pub use network::Explained;
