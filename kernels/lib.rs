//! The arithmetic of `fer`: kernels from slices to slices.
//!
//! This crate knows no tensor, no graph and no file. Every function takes flat slices and a
//! geometry that gives their sizes; the caller has checked the shapes.
//!
//! There are two implementations behind the trait [`Kernels`]:
//!
//! * [`naive`] is the specification: plain loops over NCHW, generic over `f32` and `f64`. It is
//!   written to be read and is never optimised. `f64` uses it, so that gradients can be checked in
//!   double precision.
//! * The other modules ([`gemm`](mod@gemm), [`conv2d`], …) are the fast kernels for `f32`. They
//!   work channels-last, use [`rayon`] for threads, and give the same bits for any number of
//!   threads and every SIMD level. A kernel takes its [`SimdLevel`], or a [`Context`] with it and
//!   the convolution algorithm, as first argument.
//!
//! Reading order: [`naive`]; [`ladder`], which goes from those loops to the fastest kernel step by
//! step; the [`contract`](arch::contract) of the micro-kernel; [`gemm`](mod@gemm), [`conv2d`] and
//! [`conv2d::winograd`]. [`conv2d::plan`] chooses the algorithm for a layer.
//!
//! `unsafe` is used in [`arch`] only.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout,
        clippy::print_stderr
    )
)]

pub mod arch;
mod context;
pub mod conv2d;
mod dispatch;
pub mod elementwise;
pub mod gemm;
pub mod geometry;
pub mod ladder;
pub mod naive;
pub mod norm;
mod parallel;
pub mod pool;
pub mod reduce;
mod scalar;
mod scratch;
pub mod softmax;
pub mod update;
pub mod warp;

pub use arch::{SimdLevel, on_team};
pub use bf16::Precision;
pub use context::Context;
pub use dispatch::Kernels;
pub use geometry::{
    ChannelView, Conv2dGeometry, GemmGeometry, GeometryError, Layout, Normalisation,
    Pool2dGeometry, Transpose,
};
pub use parallel::on_pool;
pub use scalar::{Scalar, bf16};
