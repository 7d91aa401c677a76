//! Ops on batches of images `[n, c, h, w]`: convolution, pooling, warps.

pub mod affine_warp;
pub mod avg_pool2d;
pub mod conv2d;
pub mod global_avg_pool2d;
pub mod max_pool2d;
