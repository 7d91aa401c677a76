//! Normalisation.

pub mod batch_norm;
