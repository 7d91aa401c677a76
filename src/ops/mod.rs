//! The table of ops: one file each, with forward pass, what is saved, backward pass, and an example
//! that can be checked on paper.
//!
//! To add an op: write its file after the model of `mul.rs`, add its line below, and add its samples
//! to `tests/samples/`. The suite fails for an op without samples.

pub mod add;
pub mod affine_warp;
pub mod avg_pool2d;
pub mod batch_norm;
pub mod batch_norm_relu;
mod broadcast;
pub mod concat;
pub mod conv2d;
pub mod conv2d_statistics;
pub mod cross_entropy;
pub mod div;
pub mod dropout;
pub mod exp;
pub mod global_avg_pool2d;
pub mod leaky_relu;
pub mod linear;
pub mod ln;
pub mod log_softmax;
pub mod matmul;
pub mod max;
pub mod max_pool2d;
pub mod mean;
pub mod mul;
pub mod neg;
pub mod pow;
pub mod relu;
pub mod reshape;
pub mod scale_add_relu;
pub mod sigmoid;
pub mod softmax;
pub mod sqrt;
pub mod sub;
pub mod sum;
pub mod tanh;
pub mod transpose;

pub use add::add;
pub use affine_warp::affine_warp;
pub use avg_pool2d::avg_pool2d;
pub use batch_norm::{batch_norm_eval, batch_norm_train};
pub use batch_norm_relu::{batch_norm_relu_eval, batch_norm_relu_train};
pub use concat::concat;
pub use conv2d::conv2d;
pub use conv2d_statistics::conv2d_statistics;
pub use cross_entropy::cross_entropy;
pub use div::div;
pub use dropout::dropout;
pub use exp::exp;
pub use global_avg_pool2d::global_avg_pool2d;
pub use leaky_relu::leaky_relu;
pub use linear::linear;
pub use ln::ln;
pub use log_softmax::log_softmax;
pub use matmul::matmul;
pub use max::max;
pub use max_pool2d::max_pool2d;
pub use mean::mean;
pub use mul::mul;
pub use neg::neg;
pub use pow::pow;
pub use relu::relu;
pub use reshape::reshape;
pub use scale_add_relu::scale_add_relu;
pub use sigmoid::sigmoid;
pub use softmax::softmax;
pub use sqrt::sqrt;
pub use sub::sub;
pub use sum::sum;
pub use tanh::tanh;
pub use transpose::transpose;

/// Name and formula of every differentiable op; `Backward::name` is one of these names, or `mark` for
/// the marks between the layers of a timed pass ([`Clock`](crate::nn::clock::Clock)).
pub const OPS: &[(&str, &str)] = &[
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
    ("leaky_relu", "x or slope · x"),
    ("sigmoid", "1/(1 + e⁻ˣ)"),
    ("tanh", "tanh x"),
    ("matmul", "A·B"),
    ("linear", "x·Wᵀ + b"),
    ("transpose", "axes in another order"),
    ("reshape", "another shape"),
    ("concat", "joined along an axis"),
    ("sum", "Σ over axes"),
    ("mean", "mean over axes"),
    ("max", "maximum over axes"),
    ("softmax", "e^x / Σ e^x"),
    ("log_softmax", "x − ln Σ e^x"),
    ("cross_entropy", "−Σ t·log p"),
    ("conv2d", "Σ w·x over windows"),
    ("conv2d_statistics", "conv2d(x), and its mean and variance"),
    ("max_pool2d", "max over windows"),
    ("avg_pool2d", "mean over windows"),
    ("global_avg_pool2d", "mean over pixels"),
    ("batch_norm", "γ·(x − mean)/std + β"),
    ("batch_norm_relu", "max over windows of max(batch_norm(x), 0)"),
    ("scale_add_relu", "max(a + s·b, 0)"),
    ("dropout", "random zeros"),
    ("affine_warp", "x at A·(i, j)"),
];
