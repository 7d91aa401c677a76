//! Sums and maxima over consecutive axes of a tensor, whose memory is `[outer, reduced, inner]`.
//!
//! The order of additions depends on `reduced` and `inner` alone, not on the number of threads or
//! on `outer`. So an image's sum has the same bits alone and in a batch.

use crate::parallel::parallel_chunks;
use crate::{Scalar, elementwise::CHUNK};
use rayon::prelude::*;

/// Sizes of a reduction: x is `[outer, reduced, inner]`, the result `[outer, inner]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReduceGeometry {
    /// Elements before the reduced axes.
    pub outer: usize,
    /// Elements summed (or compared) into one.
    pub reduced: usize,
    /// Elements after the reduced axes.
    pub inner: usize,
}

/// Largest `reduced` that is summed without blocks, enough for the pixels of an image. In a batch
/// there are enough tasks without blocks, and blocks would need memory in every training step.
const SHORT: usize = 4096;

/// Computes y\[o,i\] = Σ_r x\[o,r,i\]. Long sums are added in blocks: a single accumulator would
/// lose the small terms.
pub fn sum<T: Scalar>(r: &ReduceGeometry, x: &[T], y: &mut [T]) {
    if r.inner == 0 || r.outer == 0 {
        return;
    }
    let len = r.reduced * r.inner;
    let per_task = (CHUNK / len.max(1)).max(1);
    let rows = if r.reduced <= SHORT { SHORT } else { (CHUNK / r.inner).max(1) };
    parallel_chunks(y, per_task * r.inner, |task, y| {
        for (k, y) in y.chunks_mut(r.inner).enumerate() {
            let x = &x[(task * per_task + k) * len..][..len];
            match y {
                [y] => *y = sum_all(x),
                y => sum_rows(rows, x, y),
            }
        }
    });
}

/// Returns Σ x: the sums of blocks, then the sum of those.
fn sum_all<T: Scalar>(x: &[T]) -> T {
    if x.len() <= CHUNK {
        return sum_block(x);
    }
    let partial: Vec<T> = x.par_chunks(CHUNK).map(sum_block).collect();
    partial.iter().fold(T::ZERO, |a, &v| a + v)
}

/// Returns Σ x, added in sixteen interleaved sums.
fn sum_block<T: Scalar>(x: &[T]) -> T {
    let mut lanes = [T::ZERO; 16];
    let blocks = x.chunks_exact(16);
    let tail = blocks.remainder();
    for block in blocks {
        for (lane, &v) in lanes.iter_mut().zip(block) {
            *lane += v;
        }
    }
    for (lane, &v) in lanes.iter_mut().zip(tail) {
        *lane += v;
    }
    lanes.iter().fold(T::ZERO, |a, &v| a + v)
}

/// Returns Σ x² in double precision, in parallel over halves.
pub fn sum_of_squares<T: Scalar>(x: &[T]) -> f64 {
    if x.len() > CHUNK {
        let (left, right) = x.split_at((x.len() / 2).next_multiple_of(CHUNK));
        let (a, b) = rayon::join(|| sum_of_squares(left), || sum_of_squares(right));
        return a + b;
    }
    let mut lanes = [0.0; 16];
    for block in x.chunks(16) {
        for (lane, v) in lanes.iter_mut().zip(block) {
            let v = v.to_f64();
            *lane += v * v;
        }
    }
    lanes.iter().sum()
}

/// Computes the column sums of a matrix `[reduced, inner]`: the sums of blocks of `rows` rows, then
/// the sum of those.
fn sum_rows<T: Scalar>(rows: usize, x: &[T], y: &mut [T]) {
    let inner = y.len();
    let block = rows * inner;
    let add = |y: &mut [T], block: &[T]| {
        for row in block.chunks(inner) {
            for (y, &v) in y.iter_mut().zip(row) {
                *y += v;
            }
        }
    };
    y.fill(T::ZERO);
    if x.len() <= block {
        return add(y, x);
    }
    let sum_of = |rows: &[T]| {
        let mut sums = vec![T::ZERO; inner];
        add(&mut sums, rows);
        sums
    };
    let partial: Vec<Vec<T>> = x.par_chunks(block).map(sum_of).collect();
    for sums in &partial {
        for (y, &v) in y.iter_mut().zip(sums) {
            *y += v;
        }
    }
}

/// Computes y\[o,i\] = max_r x\[o,r,i\], and `argmax`, the first r with that value. NaN is larger
/// than every number.
pub fn max<T: Scalar>(r: &ReduceGeometry, x: &[T], y: &mut [T], argmax: &mut [u32]) {
    for o in 0..r.outer {
        for i in 0..r.inner {
            let (mut best, mut index) = (T::NEG_INFINITY, 0);
            for k in 0..r.reduced {
                let v = x[(o * r.reduced + k) * r.inner + i];
                if v > best || v.is_nan() {
                    (best, index) = (v, k as u32);
                }
            }
            y[o * r.inner + i] = best;
            argmax[o * r.inner + i] = index;
        }
    }
}
