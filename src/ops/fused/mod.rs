//! Ops that do the work of several ops in one pass over memory. Each equals the ops it replaces.

mod batch_norm_relu;
mod conv2d_statistics;
mod scale_add_relu;

pub use batch_norm_relu::{batch_norm_relu_eval, batch_norm_relu_train};
pub use conv2d_statistics::conv2d_statistics;
pub use scale_add_relu::scale_add_relu;
