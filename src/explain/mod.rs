//! Explanations of a network's decisions: numbers in, numbers out. Nothing here reads files or
//! draws.
//!
//! Three questions:
//!
//! 1. **Which pixels matter?** [`attribution`]: one file per method, all behind [`attribute()`].
//! 2. **Can the map be believed?** [`sanity`]: faithfulness, infidelity, sensitivity,
//!    parameter randomisation and a check of the gradients, each beside the controls that give its
//!    number a meaning. [`regions`]: how much attribution falls on each part of the face.
//! 3. **What does a filter respond to?** [`filters`]: activation maximization, the training faces
//!    that activate a filter most, and scores of both.
//!
//! All of them use the network through one trait, [`Classifier`], which has no training mode, and
//! take their faces as a checked [`FaceBatch`]. Random draws are addressed by counter
//! ([`crate::random`]), and sums are added in a fixed order: the same seed gives the same bytes for
//! any number of threads.

pub mod attribution;
pub mod batch;
pub mod classifier;
pub mod face_batch;
pub mod face_resize;
pub mod filters;
pub mod image_ops;
pub mod layers;
pub mod network_classifier;
pub mod objective;
pub mod regions;
pub mod sanity;
pub mod significance;
pub mod target;
pub mod watched;

pub use attribution::attribute;
pub use attribution::map::{Attribution, Note};
pub use attribution::method::Method;
pub use attribution::options::AttributionOptions;
pub use classifier::{
    BackwardRule, Classifier, InputGradient, LayerGradient, Normalization, ObjectiveGradient,
};
pub use face_batch::{Face, FaceBatch};
pub use layers::{FeatureMaps, LayerInfo, LayerKind, ReceptiveField};
pub use network_classifier::NetworkClassifier;
pub use objective::Objective;
pub use target::Target;
pub use watched::{Watch, Watched};
