//! What a filter responds to: pictures by activation maximization, the training faces that activate
//! it most, and scores of both. [`filter_report`] gathers them for the filters of a layer.

pub mod activation_maximization;
pub mod feature_maps;
pub(crate) mod filter_features;
pub mod filter_report;
pub(crate) mod filter_scores;
pub mod naturalness;
pub mod stored;
pub mod top_activations;
pub mod training_faces;
