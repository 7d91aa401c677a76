//! Networks: architectures, fused inference, ONNX.

mod fusion;
mod networks;
mod onnx;
mod pytorch;
