//! What a filter responds to: activation maximisation, the strongest real patches, scores.

pub mod activation_maximization;
pub mod feature_maps;
pub(crate) mod filter_features;
pub mod filter_report;
pub(crate) mod filter_scores;
pub mod fourier;
pub mod maco;
pub mod naturalness;
pub mod parametrization;
pub mod pixels;
pub mod spectrum;
pub mod top_activations;
pub mod training_faces;
pub mod warps;
