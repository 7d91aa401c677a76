//! The kinds of values that TensorBoard shows, one file per plugin.

pub mod graph;
pub mod histogram;
pub mod hparams;
pub mod image;
pub mod keras_graph;
pub mod layout;
pub mod pr_curve;
pub mod projector;
pub mod scalar;
pub mod text;
