//! The ops: one file each, with forward pass, saved values, backward pass, and an example that can
//! be checked on paper.
//!
//! To add an op: `fer new-op NAME`, then two edits; docs/adding-an-op.md leads through it. The tests fail for an
//! op without samples.

pub mod cost;
pub mod elementwise;
pub mod fused;
pub mod image;
pub mod loss;
pub mod matrix;
pub mod norm;
pub mod reduce;

pub use elementwise::{
    add, div, exp, leaky_relu, ln, mul, neg, pow, relu, sigmoid, sqrt, sub, tanh,
};
pub use fused::{batch_norm_relu_eval, batch_norm_relu_train, conv2d_statistics, scale_add_relu};
pub use image::{
    Conv2dOptions, Pool2dOptions, affine_warp, avg_pool2d, conv2d, global_avg_pool2d, max_pool2d,
};
pub use loss::{CrossEntropyOptions, Targets, cross_entropy};
pub use matrix::{concat, linear, matmul, reshape, transpose};
pub use norm::{BatchStatistics, batch_norm_eval, batch_norm_train, dropout};
pub use reduce::{log_softmax, max, mean, softmax, sum};

/// Ops whose last step is a ReLU, y = max(0, …): those at which guided backpropagation blocks
/// negative gradients.
pub const ENDS_IN_RELU: [&str; 3] = ["relu", "batch_norm_relu", "scale_add_relu"];

/// Name and formula of every differentiable op. [`Backward::name`](crate::autograd::Backward::name)
/// returns one of these names.
pub const OPS: &[(&str, &str)] = &[
    // elementwise
    ("add", "a + b, broadcast"),
    ("sub", "a − b, broadcast"),
    ("mul", "a · b, broadcast"),
    ("div", "a / b, broadcast"),
    ("neg", "−x"),
    ("exp", "eˣ"),
    ("ln", "ln x"),
    ("sqrt", "√x"),
    ("pow", "xᵖ"),
    ("relu", "max(x, 0)"),
    ("leaky_relu", "x if x > 0, else slope · x"),
    ("sigmoid", "1/(1 + e⁻ˣ)"),
    ("tanh", "tanh x"),
    // matrix
    ("matmul", "A·B"),
    ("linear", "x·Wᵀ + b"),
    ("transpose", "axes in another order"),
    ("reshape", "elements in another shape"),
    ("concat", "tensors joined along an axis"),
    // reduce
    ("sum", "Σ x over axes"),
    ("mean", "Σ x / m over axes"),
    ("max", "max x over axes"),
    ("softmax", "eˣ / Σ eˣ"),
    ("log_softmax", "x − ln Σ eˣ"),
    // loss
    ("cross_entropy", "−Σ t · log softmax(x)"),
    // image
    ("conv2d", "Σ w·x over windows, + b"),
    ("max_pool2d", "max x over windows"),
    ("avg_pool2d", "mean of x over windows"),
    ("global_avg_pool2d", "mean of x over all pixels"),
    ("affine_warp", "x at A·(i, j, 1)"),
    // norm
    ("batch_norm", "γ·(x − mean)/√(var + eps) + β"),
    ("dropout", "0 with probability p, else x/(1 − p)"),
    // fused
    ("conv2d_statistics", "conv2d(x), and its mean and variance"),
    ("batch_norm_relu", "max over windows of max(batch_norm(x), 0)"),
    ("scale_add_relu", "max(a + s·b, 0)"),
];
