//! The specification: plain loops over NCHW, one function per formula, generic over the element
//! type.
//!
//! Every fast kernel is tested against the function of the same name here. Nothing in this module
//! may be optimised: it must be readable enough to be checked by eye.

pub mod batch_norm;
pub mod batch_norm_relu;
pub mod conv2d;
pub mod gemm;
pub mod pool;
pub mod precision;
pub mod scale_add_relu;
pub mod winograd;
