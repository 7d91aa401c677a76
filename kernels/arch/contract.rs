//! The contract of a micro-kernel, which computes one register tile of C = A·B.
//!
//! A micro-kernel of size mr × nr computes, for i < m ≤ mr and j < nr,
//!
//! ```text
//! t[i,j] = Σ_s Σ_p A[i,s,p] · B[s,p,j]        s < segments, p < k, in this order
//! C[i,j] = t[i,j]   or   C[i,j] + t[i,j]
//! ```
//!
//! Each product is fused with its addition (one rounding), so every SIMD level gives the same bits.
//! Both operands are read in place:
//!
//! ```text
//! A[i,s,p] = data[rows[i] + segments[s] + p·step]
//! B[s,p,j] = data[(s·k + p)·stride + j]
//! ```
//!
//! # The register budget: why 6×16 and 12×32
//!
//! ```text
//!             B: one row of the tile, nr numbers, loaded
//!           ┌──────────┬──────────┐
//! A: one    │ C₀₀      │ C₀₁      │   mr rows of nr/lanes registers stay in registers
//! number    │ C₁₀      │ C₁₁      │   for the whole sum over p
//! per row,  │ …        │ …        │
//! spread    └──────────┴──────────┘
//! ```
//!
//! Per p the tile does mr·nr multiply-adds for mr + nr numbers loaded. AVX2 has 16 registers of 8: 6 rows of 2
//! registers are 12 for C, 2 for B, 1 for A, 15 in all, and 96 multiply-adds for 22 numbers. 4×24 takes as many
//! registers and loads 28 numbers; 8×16 needs 16 for C alone and would spill. AVX-512 has 32 registers of 16: 12 rows of 2
//! are 24 + 2 + 1 = 27, and 384 multiply-adds for 44 numbers. The twelve (or 24) sums do not depend on each other: with a
//! latency of four cycles and two units, eight must be in flight, or the units wait.
//!
//! In the kernels for bfloat16 an element of A or B is a pair of them, and a product the sum of two.
//!
//! This address of A covers every left operand of the crate without a copy into panels: a row-major
//! or a transposed matrix (one segment), and the rows of the im2col matrix of an NHWC image. There
//! `rows` are the output pixels, `segments` are the taps of the filter, and p runs over the
//! channels (see [`crate::conv2d`]). B is a strip of a row-major matrix, or a packed panel, whose
//! stride is nr.

use super::prefetch::{CacheLines, Prefetch};

/// Rows of the tallest tile.
pub const MAX_MR: usize = 12;
/// Columns of the widest tile.
pub const MAX_NR: usize = 32;

/// The left operand of a tile, read in place.
#[derive(Clone, Copy)]
pub struct Lhs<'a> {
    /// Memory that holds A.
    pub data: &'a [f32],
    /// Offset of each row. Entries beyond the tile's rows must be valid, too: repeat any row.
    pub rows: &'a [usize; MAX_MR],
    /// Offset of each segment of the sum.
    pub segments: &'a [usize],
    /// Terms of the sum in one segment.
    pub k: usize,
    /// Distance between successive terms.
    pub step: usize,
}

/// The left operand of a strip of tiles, read in place: A\[i,p\] = data\[i·row + p·step\].
#[derive(Clone, Copy)]
pub struct Strip<'a> {
    /// Memory that holds A.
    pub data: &'a [f32],
    /// Distance between rows.
    pub row: usize,
    /// Distance between successive terms of the sum.
    pub step: usize,
    /// Terms of the sum.
    pub k: usize,
}

/// The right operand of a tile, read in place.
#[derive(Clone, Copy)]
pub struct Rhs<'a> {
    /// Memory that holds B, from the first element of the tile's columns on.
    pub data: &'a [f32],
    /// Distance between rows.
    pub stride: usize,
    /// Memory to prefetch while the tile is computed.
    pub prefetch: Prefetch<'a>,
}

/// The arguments of a micro-kernel as pointers, named as in [`Lhs`], [`Rhs`] and the contract.
pub(super) struct Raw {
    pub a: *const f32,
    pub rows: *const usize,
    pub segments: *const usize,
    pub num_segments: usize,
    pub k: usize,
    pub step: usize,
    pub b: *const f32,
    pub stride_b: usize,
    pub prefetch: CacheLines,
    pub c: *mut f32,
    pub stride_c: usize,
    pub m: usize,
    pub add: bool,
}

impl Raw {
    /// Collects the arguments for a tile of `m` rows at `c`.
    #[inline]
    pub fn new(a: &Lhs, b: &Rhs, c: *mut f32, stride_c: usize, m: usize, add: bool) -> Self {
        Self {
            a: a.data.as_ptr(),
            rows: a.rows.as_ptr(),
            segments: a.segments.as_ptr(),
            num_segments: a.segments.len(),
            k: a.k,
            step: a.step,
            b: b.data.as_ptr(),
            stride_b: b.stride,
            prefetch: CacheLines::new(b.prefetch, a.segments.len() * a.k),
            c,
            stride_c,
            m,
            add,
        }
    }
}
