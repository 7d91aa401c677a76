//! Reductions over one run of axes, memory seen as `[outer, reduced, inner]`.
//!
//! Sums are added in an order fixed by the sizes of a run alone, never by the threads or the number
//! of runs: a run has the same bits alone and among others.

use crate::{Scalar, elementwise::CHUNK};
use rayon::prelude::*;

/// Memory of a reduction: x is `[outer, reduced, inner]`, the result `[outer, inner]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runs {
    /// Elements before the reduced axes.
    pub outer: usize,
    /// Elements summed (or compared) into one.
    pub reduced: usize,
    /// Elements after the reduced axes.
    pub inner: usize,
}

/// Rows that are added up without blocks: the pixels of a picture. In a batch the runs are tasks
/// enough, and blocks would need memory of their own in every step of a training.
const SHORT: usize = 4096;

/// y\[o,i\] = Σ_r x\[o,r,i\], long sums in blocks: a single accumulator would lose the small terms.
pub fn sum<T: Scalar>(r: &Runs, x: &[T], y: &mut [T]) {
    if r.inner == 0 || r.outer == 0 {
        return;
    }
    let len = r.reduced * r.inner;
    let per_task = (CHUNK / len.max(1)).max(1);
    let rows = if r.reduced <= SHORT { SHORT } else { (CHUNK / r.inner).max(1) };
    y.par_chunks_mut(per_task * r.inner).enumerate().for_each(|(task, y)| {
        for (k, y) in y.chunks_mut(r.inner).enumerate() {
            let x = &x[(task * per_task + k) * len..][..len];
            match y {
                [y] => *y = sum_all(x),
                y => sum_rows(rows, x, y),
            }
        }
    });
}

/// Σ x: blocks first, then the blocks.
fn sum_all<T: Scalar>(x: &[T]) -> T {
    if x.len() <= CHUNK {
        return sum_block(x);
    }
    let partial: Vec<T> = x.par_chunks(CHUNK).map(sum_block).collect();
    partial.iter().fold(T::ZERO, |a, &v| a + v)
}

/// Σ x in sixteen sums side by side.
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

/// Σ x², in double precision, halves over the threads.
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

/// Column sums of a matrix `[reduced, inner]`: blocks of so many rows first, then the blocks.
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

/// y\[o,i\] = max_r x\[o,r,i\], and the r that won: the first among equals; NaN wins.
pub fn max<T: Scalar>(r: &Runs, x: &[T], y: &mut [T], argmax: &mut [u32]) {
    for o in 0..r.outer {
        for i in 0..r.inner {
            let (mut best, mut place) = (T::NEG_INFINITY, 0);
            for k in 0..r.reduced {
                let v = x[(o * r.reduced + k) * r.inner + i];
                if v > best || v.is_nan() {
                    (best, place) = (v, k as u32);
                }
            }
            y[o * r.inner + i] = best;
            argmax[o * r.inner + i] = place;
        }
    }
}
