//! Why the network decides as it does: numbers in, numbers out. No file is read or drawn here.
//!
//! Three questions, from the face to the network:
//!
//! 1. **Where does it look?** One file a method, from [`saliency`] to [`lime`], behind one call,
//!    [`attribute()`].
//! 2. **Can that be believed?** [`faithfulness`], [`infidelity`], [`randomisation`] and
//!    [`region_lift`], each beside the controls without which its number means nothing;
//!    [`sanity_table`] gathers them.
//! 3. **What does a filter want to see?** [`maco`] and its rivals ([`pixels`], [`fourier`]),
//!    judged by [`naturalness`] and the faces that move the filter most ([`patches`]);
//!    [`filter_report`] gathers them.
//!
//! All of them know the network through one small trait, [`Classifier`], which has no training
//! mode. Everything random is drawn by counter ([`crate::random`]), and sums are added in a fixed
//! order: same seed, same bytes, for any number of threads.

pub mod adapter;
pub mod attribution;
pub mod batch;
pub mod classifier;
pub mod face_size;
pub mod filters;
pub mod image_ops;
pub mod layers;
pub mod regions;
pub mod sanity;
pub mod target;
pub mod validate;

pub use adapter::NetworkClassifier;
pub use attribution::attribute::{Attribution, AttributionOptions, Note, attribute};
pub use attribution::method::Method;
pub use classifier::{
    BackwardRule, Classifier, FeatureMaps, InputGradient, LayerGradient, LayerInfo, LayerKind,
    Normalization, Objective, ObjectiveGradient, ReceptiveField,
};
pub use target::Target;
