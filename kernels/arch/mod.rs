//! The only place with `unsafe`: what the rest of the crate needs to stay safe.
//!
//! * [`level`](level()): which instructions this CPU has, and which of them to use;
//! * [`MicroKernel`]: one register tile of a matrix product, the contract of every SIMD path;
//! * [`Vector`]: a register of the width in use, for all that is not a matrix product;
//! * [`BlockMut`]: a rectangle of a matrix, so that threads can write disjoint tiles;
//! * [`AlignedBuffer`]: memory that starts on a cache line;
//! * [`prefetch`](prefetch()): a request for memory before it is needed.
#![allow(unsafe_code)]

mod aligned_buffer;
mod block_mut;

mod micro_kernel;
mod portable;
mod prefetch;
mod simd_level;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use aligned_buffer::AlignedBuffer;
pub use block_mut::{BlockMut, for_each_block};
pub use micro_kernel::{
    Ahead, Lhs, MAX_MR, MAX_NR, MicroKernel, Rhs, Strip, micro_kernel, micro_kernel_of,
};
pub use prefetch::{prefetch, prefetch_ahead};
pub use simd_level::{Level, cpu_features, detected, level, set_level, supports_baseline};
pub use vector::{Vector, Vectorized, starts, vectorized};
