//! Normalisation and dropout.

pub(crate) mod batch_norm;
mod dropout;
pub(crate) mod whole_batch;

pub use batch_norm::{BatchStatistics, batch_norm_eval, batch_norm_train};
pub use dropout::dropout;
