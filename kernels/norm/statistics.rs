//! Mean and variance of each channel of a matrix `[rows, channels]`.
//!
//! ```text
//! sums[block]   mean_b and M2_b = Σ(x − mean_b)² of 256 rows, in f32
//! join          mean = Σ_b n_b·mean_b / m,  var = Σ_b [M2_b + n_b·(mean_b − mean)²] / m, in f64
//! ```
//!
//! The sums of a block need nothing but its rows. So whoever writes the matrix can have each block
//! added up while it is in cache ([`crate::conv2d::forward_statistics`] does), and the result has the
//! bits of [`statistics`], which reads the whole matrix once more.

use crate::arch::{Vector, Vectorized, vectorized};
use crate::naive::batch_norm as naive;
use crate::parallel::parallel_chunks;
use crate::{ChannelView, scratch};
use std::ops::Range;

/// Rows of one partial sum.
pub(crate) const ROWS: usize = 256;
/// Channels combined at a time.
pub(super) const LANES: usize = 64;

/// Rows of a block.
pub(super) fn block_of(x: &[f32], block: usize, c: usize) -> &[f32] {
    let rest = &x[block * ROWS * c..];
    &rest[..rest.len().min(ROWS * c)]
}

/// mean = Σx/m and var = Σ(x − mean)²/m (biased) of each channel, in one pass over x.
///
/// Each block of rows is shifted by its own first row before it is squared, so that a mean far
/// from zero cancels nothing.
///
/// **Shapes**: x as `v` says, mean and var `[channels]`. **Source**: Chan, Golub and LeVeque 1983.
pub fn statistics(v: &ChannelView, x: &[f32], mean: &mut [f32], var: &mut [f32]) {
    if v.inner != 1 || v.is_empty() {
        return naive::statistics(v, x, mean, var);
    }
    let mut sums = scratch::take(sums_len(v.outer, v.channels));
    add_blocks(x, v.channels, &mut sums, |_| true);
    join(v.outer, &sums, mean, var);
}

/// Length of the sums of all blocks of a matrix.
pub(crate) fn sums_len(rows: usize, channels: usize) -> usize {
    rows.div_ceil(ROWS) * 2 * channels
}

/// The sums of those blocks of x that are `wanted`; the others stay as they are.
pub(crate) fn add_blocks(
    x: &[f32],
    channels: usize,
    sums: &mut [f32],
    wanted: impl Fn(usize) -> bool + Sync,
) {
    parallel_chunks(sums, 2 * channels, |block, sums| {
        if wanted(block) {
            add_block(block_of(x, block, channels), 0..channels, sums);
        }
    });
}

/// `sums` = \[mean, Σ(x − mean)²\] of the rows of a block, in these channels.
pub(crate) fn add_block(x: &[f32], channels: Range<usize>, sums: &mut [f32]) {
    vectorized(channels.len(), Block { x, channels, sums });
}

struct Block<'a> {
    x: &'a [f32],
    channels: Range<usize>,
    sums: &'a mut [f32],
}

/// Rows added up between two visits to the sums.
const TOGETHER: usize = 16;

impl Vectorized for Block<'_> {
    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let (c, Range { start, end }) = (self.sums.len() / 2, self.channels.clone());
        let whole = end - (end - start) % V::LANES;
        self.sums[start..end].fill(0.0);
        self.sums[c + start..c + end].fill(0.0);
        for rows in self.x.chunks(TOGETHER * c) {
            for at in (start..whole).step_by(V::LANES) {
                self.add::<V>(rows, at);
            }
            for at in whole..end {
                self.add::<f32>(rows, at);
            }
        }
        let n = (self.x.len() / c) as f32;
        let (sum, squares) = self.sums.split_at_mut(c);
        for i in start..end {
            squares[i] -= sum[i] * sum[i] / n;
            if squares[i] < 0.0 {
                squares[i] = 0.0; // by rounding; NaN stays, which `max` would turn into 0
            }
            sum[i] = self.x[i] + sum[i] / n;
        }
    }
}

impl Block<'_> {
    /// Adds d and d² of some rows, d their distance from the block's first row; channels from `at`
    /// on. Every channel is added row by row, however wide the registers are.
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

/// Mean and variance of a matrix of so many rows from the sums of its blocks.
pub(crate) fn join(rows: usize, sums: &[f32], mean: &mut [f32], var: &mut [f32]) {
    let c = mean.len();
    let rows_of = |block: usize| ROWS.min(rows - block * ROWS) as f64;
    for c0 in (0..c).step_by(LANES) {
        let lanes = LANES.min(c - c0);
        let (mut sum, mut squares) = ([0.0f64; LANES], [0.0f64; LANES]);
        for (block, sums) in sums.chunks(2 * c).enumerate() {
            let n = rows_of(block);
            for l in 0..lanes {
                sum[l] += n * f64::from(sums[c0 + l]);
            }
        }
        let mean64 = sum.map(|s| s / rows as f64);
        for (block, sums) in sums.chunks(2 * c).enumerate() {
            let n = rows_of(block);
            for l in 0..lanes {
                let apart = f64::from(sums[c0 + l]) - mean64[l];
                squares[l] += f64::from(sums[c + c0 + l]) + n * apart * apart;
            }
        }
        for l in 0..lanes {
            mean[c0 + l] = mean64[l] as f32;
            var[c0 + l] = (squares[l] / rows as f64) as f32;
        }
    }
}
