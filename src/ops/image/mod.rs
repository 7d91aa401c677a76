//! Ops on batches of images `[n, c, h, w]`: convolution, pooling, warps.

mod affine_warp;
mod avg_pool2d;
pub(crate) mod conv2d;
mod global_avg_pool2d;
mod max_pool2d;

pub use affine_warp::affine_warp;
pub use avg_pool2d::avg_pool2d;
pub use conv2d::{Conv2dOptions, conv2d};
pub use global_avg_pool2d::global_avg_pool2d;
pub use max_pool2d::{Pool2dOptions, max_pool2d};
