//! The arithmetic under `fer`: slices in, slices out.
//!
//! This crate knows no tensor, no graph and no file. Every function takes flat slices and a
//! geometry that says how to read them; the caller has checked the shapes.
//!
//! Two implementations stand side by side behind the trait [`Kernels`]:
//!
//! * [`naive`] is the specification: plain loops over NCHW, generic over `f32` and `f64`, written
//!   to be read first and never made faster. `f64` runs on it, so gradients can be checked in
//!   double precision.
//! * The modules beside it ([`gemm`], [`conv2d`], …) are the fast path that `f32` takes. They
//!   work channels-last, use [`rayon`] for threads, and give the same bits for any number of them.
//!
//! Reading order: [`naive`], then [`ladder`], which goes from those loops to the fastest kernel a
//! rung at a time; then the contract of the micro-kernel in [`arch`], [`gemm`], [`conv2d`] and
//! [`winograd`]. [`conv2d::plan`] is the one place that chooses an algorithm for a layer.
//!
//! `unsafe` lives in [`arch`] only.

pub mod arch;
pub mod conv2d;
mod dispatch;
pub mod elementwise;
pub mod gemm;
pub mod geometry;
pub mod ladder;
pub mod naive;
pub mod norm;
mod parallel;
pub mod peak;
pub mod pool;
pub mod reduce;
mod scalar;
mod scratch;
pub mod softmax;
pub mod update;
pub mod warp;

pub use conv2d::{im2col, winograd};
pub use dispatch::Kernels;
pub use geometry::{
    ChannelView, Conv2dGeometry, GemmGeometry, GeometryError, Layout, Normalisation,
    Pool2dGeometry, Transpose,
};
pub use norm::{batch_norm, batch_norm_relu, scale_add_relu};
pub use parallel::on_pool;
pub use peak as limits;
pub use scalar::Scalar;
