//! Ops that compute several simple ops in one pass over memory. Each equals the ops it replaces.

pub mod batch_norm_relu;
pub mod conv2d_statistics;
pub mod scale_add_relu;
