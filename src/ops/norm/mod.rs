//! Normalisation.

pub(crate) mod batch_norm;

pub use batch_norm::{BatchStatistics, batch_norm_eval, batch_norm_train};
