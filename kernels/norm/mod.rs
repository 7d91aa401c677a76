//! Batch norm, batch norm fused with ReLU and max pooling, and the end of a residual block.
//!
//! * [`batch_norm`]: the four passes of batch norm over a matrix `[rows, channels]`;
//! * [`batch_norm_relu`]: batch norm, ReLU and max pooling in one pass;
//! * [`scale_add_relu`]: max(0, a + s·b), the end of a residual block with squeeze and excitation.

pub mod batch_norm;
pub mod batch_norm_relu;
mod pool_windows;
pub mod scale_add_relu;
pub(crate) mod statistics;
