//! Layers with parameters of their own.

pub mod batch_norm;
pub mod conv2d;
pub mod linear;
pub mod squeeze_excite;
