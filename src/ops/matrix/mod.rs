//! Matrix products, and ops that rearrange or join tensors.

mod concat;
mod linear;
pub(crate) mod matmul;
mod reshape;
mod transpose;

pub use concat::concat;
pub use linear::linear;
pub use matmul::matmul;
pub use reshape::reshape;
pub use transpose::transpose;
