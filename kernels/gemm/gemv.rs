//! Matrix product with one or two rows of A. B is read once and in place: copying it into panels
//! would cost more than the product.
//!
//! Each element is summed in the order of [`crate::gemm`], so a row of the product has the same
//! bits alone and among others.

use super::pack::run_length;
use crate::GemmGeometry;
use crate::arch::{SimdLevel, Vector, Vectorized, vectorized};
use crate::parallel::parallel_chunks;

/// Largest number of rows of A.
pub(crate) const MAX_ROWS: usize = 2;
/// Columns of one task and of one pass over k: four of the widest registers.
pub(super) const COLUMNS: usize = 64;

/// Computes C = A·B with A `[m, k]`, B `[k, n]` and m ≤ [`MAX_ROWS`]; with `accumulate` the product
/// is added to C.
pub(crate) fn gemv(
    simd: SimdLevel,
    g: &GemmGeometry,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    accumulate: bool,
) {
    for (a, c) in a.chunks(g.k).zip(c.chunks_mut(g.n)).take(g.m) {
        parallel_chunks(c, COLUMNS, |task, c| {
            columns(simd, a, &b[task * COLUMNS..], g.n, c, accumulate);
        });
    }
}

/// Computes c\[j\] = Σₖ a\[k\]·b\[k·stride + j\] for at most [`COLUMNS`] columns, in the runs of
/// [`crate::gemm`]; with `accumulate` the sum is added to c.
pub(super) fn columns<E: Stored>(
    simd: SimdLevel,
    a: &[f32],
    b: &[E],
    stride: usize,
    c: &mut [f32],
    accumulate: bool,
) {
    let (run_length, mut sums) = (run_length(a.len()), [0.0; COLUMNS]);
    let sums = &mut sums[..c.len()];
    for (run, a) in a.chunks(run_length).enumerate() {
        let b = &b[run * run_length * stride..];
        vectorized(simd, sums.len(), Columns { a, b, stride, sums });
        for (c, sum) in c.iter_mut().zip(&*sums) {
            *c = if accumulate || run > 0 { *c + sum } else { *sum };
        }
    }
}

/// An element of B.
pub(super) trait Stored: Copy {
    /// Loads a register of elements.
    fn load<V: Vector>(x: &[Self]) -> V;
}

impl Stored for f32 {
    #[inline(always)]
    fn load<V: Vector>(x: &[f32]) -> V {
        V::load(x)
    }
}

/// A bfloat16.
impl Stored for u16 {
    #[inline(always)]
    fn load<V: Vector>(x: &[u16]) -> V {
        V::load_bf16(x)
    }
}

/// Computes sums\[j\] = Σₖ a\[k\]·b\[k·stride + j\].
struct Columns<'a, E> {
    a: &'a [f32],
    b: &'a [E],
    stride: usize,
    sums: &'a mut [f32],
}

impl<E: Stored> Vectorized for Columns<'_, E> {
    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let n = self.sums.len();
        if n == 4 * V::LANES {
            return self.sum::<V, 4>(0);
        }
        for j in (0..n).step_by(V::LANES) {
            self.sum::<V, 1>(j.min(n - V::LANES));
        }
    }
}

impl<E: Stored> Columns<'_, E> {
    /// Sums U registers of columns from `j` on.
    #[inline(always)]
    fn sum<V: Vector, const U: usize>(&mut self, j: usize) {
        let mut sums = [V::splat(0.0); U];
        for (k, &a) in self.a.iter().enumerate() {
            let row = &self.b[k * self.stride + j..];
            for (u, sum) in sums.iter_mut().enumerate() {
                *sum = V::splat(a).mul_add(E::load::<V>(&row[u * V::LANES..]), *sum);
            }
        }
        for (u, sum) in sums.into_iter().enumerate() {
            sum.store(&mut self.sums[j + u * V::LANES..]);
        }
    }
}
