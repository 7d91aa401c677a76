//! Loss functions.

pub mod cross_entropy;
