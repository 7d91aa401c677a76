//! Export of networks to the formats of other programs.

pub mod onnx;
