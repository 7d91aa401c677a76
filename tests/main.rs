//! The laws of the project, one module each.

mod kernels_vs_naive;
