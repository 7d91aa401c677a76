//! Matrix products, and ops that rearrange or join tensors.

pub mod concat;
pub mod linear;
pub mod matmul;
pub mod reshape;
pub mod transpose;
