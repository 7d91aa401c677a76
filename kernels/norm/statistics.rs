//! Mean and variance of each channel of a matrix `[rows, channels]`.
//!
//! ```text
//! partial[block]   mean_b and M2_b = Σ(x − mean_b)² of 256 rows, in f32
//! combine          mean = Σ_b n_b·mean_b / m,  var = Σ_b [M2_b + n_b·(mean_b − mean)²] / m, in f64
//! ```
//!
//! The partial statistics of a block depend on its rows alone. A function that writes the matrix
//! can therefore compute them while the block is in cache, as [`crate::conv2d::forward_statistics`]
//! does. The result has the bits of [`statistics`], which reads the whole matrix once more.

use crate::arch::{SimdLevel, Vector, Vectorized, vectorized};
use crate::naive::batch_norm as naive;
use crate::parallel::parallel_chunks;
use crate::{ChannelView, scratch};
use std::ops::Range;

/// Rows of one block.
pub(crate) const BLOCK_ROWS: usize = 256;
/// Channels combined at a time.
pub(super) const LANES: usize = 64;

/// Returns the rows of a block.
pub(super) fn block_of(x: &[f32], block: usize, c: usize) -> &[f32] {
    let rest = &x[block * BLOCK_ROWS * c..];
    &rest[..rest.len().min(BLOCK_ROWS * c)]
}

/// Computes mean = Σx/m and var = Σ(x − mean)²/m (biased) of each channel, in one pass over x.
///
/// The first row of a block is subtracted from the block before it is squared, so that a mean far
/// from zero causes no cancellation.
///
/// **Shapes**: x as `v` says, mean and var `[channels]`. **Source**: Chan, Golub and LeVeque 1983.
pub fn statistics(simd: SimdLevel, v: &ChannelView, x: &[f32], mean: &mut [f32], var: &mut [f32]) {
    if v.inner != 1 || v.is_empty() {
        return naive::statistics(v, x, mean, var);
    }
    let mut partial = scratch::take(partial_len(v.outer, v.channels));
    statistics_of_blocks(simd, x, v.channels, &mut partial, |_| true);
    combine(v.outer, &partial, mean, var);
}

/// Returns the length of the partial statistics of all blocks of a matrix.
pub(crate) fn partial_len(rows: usize, channels: usize) -> usize {
    rows.div_ceil(BLOCK_ROWS) * 2 * channels
}

/// Computes the partial statistics of the `wanted` blocks of x and leaves the others as they are.
pub(crate) fn statistics_of_blocks(
    simd: SimdLevel,
    x: &[f32],
    channels: usize,
    partial: &mut [f32],
    wanted: impl Fn(usize) -> bool + Sync,
) {
    parallel_chunks(partial, 2 * channels, |block, partial| {
        if wanted(block) {
            block_statistics(simd, block_of(x, block, channels), 0..channels, partial);
        }
    });
}

/// Computes `partial` = \[mean, Σ(x − mean)²\] of the rows of a block, in these channels.
pub(crate) fn block_statistics(
    simd: SimdLevel,
    x: &[f32],
    channels: Range<usize>,
    partial: &mut [f32],
) {
    vectorized(simd, channels.len(), Block { x, channels, sums: partial });
}

struct Block<'a> {
    x: &'a [f32],
    channels: Range<usize>,
    sums: &'a mut [f32],
}

/// Rows added between two accesses to the sums.
const UNROLL: usize = 16;

impl Vectorized for Block<'_> {
    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let (c, Range { start, end }) = (self.sums.len() / 2, self.channels.clone());
        let whole = end - (end - start) % V::LANES;
        self.sums[start..end].fill(0.0);
        self.sums[c + start..c + end].fill(0.0);
        for rows in self.x.chunks(UNROLL * c) {
            for at in (start..whole).step_by(V::LANES) {
                self.add::<V>(rows, at);
            }
            for at in whole..end {
                self.add::<V::OneLane>(rows, at);
            }
        }
        let n = (self.x.len() / c) as f32;
        let (sum, squares) = self.sums.split_at_mut(c);
        for i in start..end {
            squares[i] -= sum[i] * sum[i] / n;
            if squares[i] < 0.0 {
                squares[i] = 0.0; // negative by rounding; NaN stays, which `max` would turn into 0
            }
            sum[i] = self.x[i] + sum[i] / n;
        }
    }
}

impl Block<'_> {
    /// Adds d and d² of some rows, where d is the difference from the block's first row; channels
    /// from `at` on. Every channel is summed row by row for any register width.
    #[inline(always)]
    fn add<V: Vector>(&mut self, rows: &[f32], at: usize) {
        let c = self.sums.len() / 2;
        let (sum, squares) = self.sums.split_at_mut(c);
        let mut sums = [V::load(&sum[at..]), V::load(&squares[at..])];
        let first = V::load(&self.x[at..]);
        for row in rows.chunks_exact(c) {
            let d = V::load(&row[at..]) - first;
            sums = [sums[0] + d, sums[1] + d * d];
        }
        sums[0].store(&mut sum[at..]);
        sums[1].store(&mut squares[at..]);
    }
}

/// Computes mean and variance of a matrix with `rows` rows from its partial statistics.
pub(crate) fn combine(rows: usize, partial: &[f32], mean: &mut [f32], var: &mut [f32]) {
    let c = mean.len();
    let rows_of = |block: usize| BLOCK_ROWS.min(rows - block * BLOCK_ROWS) as f64;
    for c0 in (0..c).step_by(LANES) {
        let lanes = LANES.min(c - c0);
        let (mut sum, mut squares) = ([0.0f64; LANES], [0.0f64; LANES]);
        for (block, partial) in partial.chunks(2 * c).enumerate() {
            let n = rows_of(block);
            for l in 0..lanes {
                sum[l] += n * f64::from(partial[c0 + l]);
            }
        }
        let mean64 = sum.map(|s| s / rows as f64);
        for (block, partial) in partial.chunks(2 * c).enumerate() {
            let n = rows_of(block);
            for l in 0..lanes {
                let apart = f64::from(partial[c0 + l]) - mean64[l];
                squares[l] += f64::from(partial[c + c0 + l]) + n * apart * apart;
            }
        }
        for l in 0..lanes {
            mean[c0 + l] = mean64[l] as f32;
            var[c0 + l] = (squares[l] / rows as f64) as f32;
        }
    }
}
