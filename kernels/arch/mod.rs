//! The CPU-specific part of the crate, and the only place with `unsafe`.
//!
//! * [`SimdLevel`]: an instruction set that this CPU has;
//! * [`contract`]: what a micro-kernel computes, and how it reads its operands;
//! * [`MicroKernel`]: the checked call of a micro-kernel, implemented in `x86` and `portable`;
//! * `Tiles`: tile registers, for products in bfloat16 on the CPUs that have them;
//! * [`Vector`]: a SIMD register, for everything that is not a matrix product;
//! * [`BlockMut`]: a mutable block of a matrix, so that threads can write disjoint tiles;
//! * [`for_each_chunk`]: chunks of a slice, each given to a thread;
//! * [`on_team`]: threads that stay together for many short loops;
//! * [`AlignedBuffer`]: memory that starts on a cache line;
//! * [`prefetch`](prefetch()) and [`Prefetch`]: prefetch hints.
#![allow(unsafe_code)]

mod aligned_buffer;
#[cfg_attr(not(target_arch = "x86_64"), path = "amx/none.rs")]
mod amx;
mod block_mut;
pub mod contract;
mod micro_kernel;
mod multiply_add;
#[cfg(target_arch = "x86_64")]
mod pair_products;
pub mod peak;
mod portable;
mod prefetch;
mod simd_level;
mod team;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use aligned_buffer::{AlignedBuffer, halves, halves_mut};
pub(crate) use amx::{TILE_SIDE, TileRows, Tiles};
pub use block_mut::{BlockMut, for_each_block, for_each_chunk, for_each_part};
pub use contract::{Lhs, MAX_MR, MAX_NR, Rhs, Strip};
pub use micro_kernel::{
    MicroKernel, has_bf16_products, micro_kernel, micro_kernel_in, micro_kernel_of_pairs,
};
pub use prefetch::{Prefetch, prefetch, prefetch_ahead};
pub use simd_level::{SimdLevel, cpu_features};
pub(crate) use team::run_on_team;
pub use team::{TeamTimes, measure_team_times, on_team, team_times};
pub use vector::{Vector, Vectorized, vector_offsets, vectorized};
