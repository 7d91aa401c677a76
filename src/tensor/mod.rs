//! Tensors: numbers with a shape, a memory layout and a pooled buffer.

pub(crate) mod layout;
pub mod storage;
pub mod tensor;

pub use layout::{MAX_RANK, Shape};
pub use tensor::Tensor;
