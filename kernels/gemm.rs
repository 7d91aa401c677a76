//! Matrix product.
pub use crate::naive::gemm::gemm;
