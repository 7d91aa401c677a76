//! Batch norm.
pub use crate::naive::batch_norm::{backward_input, backward_reduce, channel_affine, statistics};
