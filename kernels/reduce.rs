//! Reductions over one run of axes, memory seen as `[outer, reduced, inner]`.
//!
//! Sums are added in an order fixed by the sizes alone, never by the threads.

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

/// y\[o,i\] = Σ_r x\[o,r,i\].
pub fn sum<T: Scalar>(r: &Runs, x: &[T], y: &mut [T]) {
    if r.inner == 1 && r.outer == 1 {
        y[0] = sum_all(x);
        return;
    }
    if r.outer == 1 {
        return sum_rows(r, x, y);
    }
    fold(r, x, y, T::ZERO, |acc, v| acc + v);
}

/// Σ x in blocks: a long sum in one accumulator would lose the small terms.
fn sum_all<T: Scalar>(x: &[T]) -> T {
    let partial: Vec<T> = x
        .par_chunks(CHUNK)
        .map(|c| {
            let mut lanes = [T::ZERO; 16];
            let blocks = c.chunks_exact(16);
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
        })
        .collect();
    partial.iter().fold(T::ZERO, |a, &v| a + v)
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

/// Column sums of a tall matrix `[reduced, inner]`: blocks of rows first, then the blocks.
fn sum_rows<T: Scalar>(r: &Runs, x: &[T], y: &mut [T]) {
    y.fill(T::ZERO);
    if x.is_empty() {
        return;
    }
    let rows = (CHUNK / r.inner).max(1);
    let add = |y: &mut [T], block: &[T]| {
        for row in block.chunks(r.inner) {
            for (y, &v) in y.iter_mut().zip(row) {
                *y += v;
            }
        }
    };
    if r.reduced <= rows {
        return add(y, x);
    }
    let partial: Vec<Vec<T>> = x
        .par_chunks(rows * r.inner)
        .map(|block| {
            let mut acc = vec![T::ZERO; r.inner];
            add(&mut acc, block);
            acc
        })
        .collect();
    for block in &partial {
        for (y, &v) in y.iter_mut().zip(block) {
            *y += v;
        }
    }
}

/// y\[o,i\] = fold of x\[o,·,i\] in order, from `init`.
fn fold<T: Scalar>(r: &Runs, x: &[T], y: &mut [T], init: T, f: impl Fn(T, T) -> T + Sync) {
    if r.inner == 0 || r.outer == 0 {
        return;
    }
    let outer_per_task = (CHUNK / (r.reduced * r.inner).max(1)).max(1);
    y.par_chunks_mut(outer_per_task * r.inner).enumerate().for_each(|(task, y)| {
        for (k, y) in y.chunks_mut(r.inner).enumerate() {
            y.fill(init);
            let o = task * outer_per_task + k;
            let block = &x[o * r.reduced * r.inner..][..r.reduced * r.inner];
            for row in block.chunks(r.inner) {
                for (y, &v) in y.iter_mut().zip(row) {
                    *y = f(*y, v);
                }
            }
        }
    });
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
