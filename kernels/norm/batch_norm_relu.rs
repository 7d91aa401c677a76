//! Batch norm, ReLU and max pooling fused into one pass over memory.
//!
//! ```text
//! z = γ·(x − mean)·inv_std + β          of every pixel
//! y = max(0, max over the window of z)  windows of 1×1 (no pooling) or 2×2 pixels
//! ```
//!
//! Only x is saved for the backward pass. z is computed again, and with it the argmax of each
//! window and the sign of its maximum. That costs three operations per element. Saving the argmax
//! and the result of each step would cost memory bandwidth, which limits these kernels.
//!
//! The formulas are those of [`crate::norm::batch_norm`]. z and y use the same order of operations,
//! so y has the bits of the three passes one after the other. The sums of the backward pass are
//! added in another order, so the gradients agree up to rounding.

use super::batch_norm::combine_gradients;
use super::pool_windows::{Factors, Windows, distribute, window_max};
use crate::arch::{SimdLevel, Vector, Vectorized, prefetch_ahead, vector_offsets, vectorized};
use crate::parallel::{parallel_chunks, parallel_parts};
use crate::scratch;
use crate::{Normalisation, Pool2dGeometry};
use std::ops::Range;

/// Approximate number of pixels of one partial sum.
const PIXELS: usize = 256;
/// Windows added between two accesses to the sums.
const UNROLL: usize = 4;

/// Returns whether these kernels support the windows: 1×1 or 2×2, side by side, without padding.
pub fn is_supported(g: &Pool2dGeometry) -> bool {
    let k = g.kernel;
    (k == [1, 1] || k == [2, 2]) && g.stride == k && g.padding == [0, 0]
}

/// Computes y = max(0, max over windows of z).
///
/// **Shapes**: x `[n, h_in, w_in, c]`, y `[n, h_out, w_out, c]`, all of `norm` `[c]`.
///
/// # Panics
/// When a slice does not have the length of its shape, or the windows are not
/// [supported](is_supported).
pub fn forward(
    simd: SimdLevel,
    g: &Pool2dGeometry,
    norm: &Normalisation<f32>,
    x: &[f32],
    y: &mut [f32],
) {
    assert!(is_supported(g) && x.len() == g.input_len() && y.len() == g.output_len());
    let mut memory = scratch::take(5 * g.c);
    let factors = Factors::new(g, norm, None, &mut memory);
    let rows = rows_per_task(g);
    parallel_chunks(y, rows * g.w_out * g.c, |task, y| {
        let count = y.len() / (g.w_out * g.c);
        let windows = Windows { g, rows: task * rows..task * rows + count };
        vectorized(simd, g.c, Forward { windows, factors, x, y });
    });
}

/// Computes grad_beta = Σ g′ and grad_gamma = Σ g′·x̂, where g′ is the gradient of z: the gradient
/// of y at the argmax of each window where y is positive, else 0.
///
/// **Shapes**: x as in [`forward`], grad_output as y there, all others `[c]`.
///
/// # Panics
/// When a slice does not have the length of its shape, or the windows are not
/// [supported](is_supported).
pub fn backward_reduce(
    simd: SimdLevel,
    g: &Pool2dGeometry,
    norm: &Normalisation<f32>,
    x: &[f32],
    grad_output: &[f32],
    grad_gamma: &mut [f32],
    grad_beta: &mut [f32],
) {
    assert!(is_supported(g) && x.len() == g.input_len() && grad_output.len() == g.output_len());
    let mut memory = scratch::take(5 * g.c);
    let factors = Factors::new(g, norm, None, &mut memory);
    let (rows, all) = (rows_per_task(g), g.n * g.h_out);
    let mut partial = scratch::take(all.div_ceil(rows) * 2 * g.c);
    parallel_chunks(&mut partial, 2 * g.c, |task, sums| {
        let windows = Windows { g, rows: task * rows..((task + 1) * rows).min(all) };
        vectorized(simd, g.c, Reduce { windows, factors, x, grad_output, sums });
    });
    combine_gradients(&partial, norm.inv_std, grad_gamma, grad_beta);
}

/// Replaces x by its gradient γ·inv_std·(g′ − grad_beta/m − x̂·grad_gamma/m) with the `sums`
/// `[grad_gamma, grad_beta]` of [`backward_reduce`]. Without `sums` mean and variance are
/// constants, and the gradient is γ·inv_std·g′.
///
/// It needs no second buffer: nothing reads x after this step of a backward pass.
///
/// **Shapes**: x as in [`forward`], grad_output as y there.
///
/// # Panics
/// When a slice does not have the length of its shape, or the windows are not
/// [supported](is_supported).
pub fn backward_input(
    simd: SimdLevel,
    g: &Pool2dGeometry,
    norm: &Normalisation<f32>,
    x: &mut [f32],
    grad_output: &[f32],
    sums: Option<[&[f32]; 2]>,
) {
    assert!(is_supported(g) && x.len() == g.input_len() && grad_output.len() == g.output_len());
    if x.is_empty() {
        return;
    }
    let mut memory = scratch::take(5 * g.c);
    let factors = Factors::new(g, norm, sums, &mut memory);
    // A task is some rows of windows of one image and the pixels under them. The last task of an
    // image also has the row that no window covers.
    let per_image = g.h_out.div_ceil(rows_per_task(g)).max(1);
    let first = |task: usize| (task % per_image * rows_per_task(g)).min(g.h_out);
    let start = |task: usize| {
        let row = g.kernel[0] * first(task);
        (task / per_image * g.h_in + row) * g.w_in * g.c
    };
    let tasks = g.n * per_image;
    parallel_parts([x], tasks, &|task| [start(task)], &|task, [x]| {
        let image = task / per_image * g.h_out;
        let last = if (task + 1) % per_image == 0 { g.h_out } else { first(task + 1) };
        let windows = Windows { g, rows: image + first(task)..image + last };
        vectorized(simd, g.c, Input { windows, factors, grad_output, x });
    });
}

/// Returns the rows of windows of one task and partial sum, which do not depend on the threads.
fn rows_per_task(g: &Pool2dGeometry) -> usize {
    PIXELS.div_ceil(g.kernel[0] * g.kernel[1] * g.w_out.max(1))
}

struct Forward<'a> {
    windows: Windows<'a>,
    factors: Factors<'a>,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Forward<'_> {
    #[inline(always)]
    fn windows<V: Vector, const K: usize>(self) {
        let (w, g) = (&self.windows, self.windows.g);
        let mut pixels = self.y.chunks_exact_mut(g.c);
        for r in w.rows.clone() {
            let row = w.pixel::<K>(r, 0);
            for (j, y) in pixels.by_ref().take(g.w_out).enumerate() {
                let pixel = row + K * j * g.c;
                w.prefetch::<K>(self.x, pixel, 1);
                for at in vector_offsets::<V>(g.c) {
                    let z = self.factors.z(&w.load::<V, K>(self.x, pixel, at), at);
                    V::splat(0.0).max(window_max(&z)).store(&mut y[at..]);
                }
            }
        }
    }
}

struct Reduce<'a> {
    windows: Windows<'a>,
    factors: Factors<'a>,
    x: &'a [f32],
    grad_output: &'a [f32],
    /// Σ g′ and Σ g′·(x − mean), `[2][c]`.
    sums: &'a mut [f32],
}

impl Reduce<'_> {
    /// Goes through the pixels in memory order, a few at a time for each register of channels, so
    /// that the sums are loaded once for several pixels.
    #[inline(always)]
    fn windows<V: Vector, const K: usize>(mut self) {
        self.sums.fill(0.0);
        let (c, w_out) = (self.windows.g.c, self.windows.g.w_out);
        let whole = c / V::LANES * V::LANES;
        for r in self.windows.rows.clone() {
            let pixel = self.windows.pixel::<K>(r, 0);
            for j in (0..w_out).step_by(UNROLL) {
                let from = [pixel + j * K * c, (r * w_out + j) * c];
                let count = UNROLL.min(w_out - j);
                self.windows.prefetch::<K>(self.x, from[0], count);
                prefetch_ahead(self.grad_output, from[1], count * c);
                for at in (0..whole).step_by(V::LANES) {
                    self.add::<V, K>(from, count, at);
                }
                for at in whole..c {
                    self.add::<V::OneLane, K>(from, count, at);
                }
            }
        }
    }

    /// Adds `count` windows from offset `pixel` on, their gradients from `grad` on; channels from
    /// `at` on.
    #[inline(always)]
    fn add<V: Vector, const K: usize>(
        &mut self,
        [mut pixel, mut grad]: [usize; 2],
        count: usize,
        at: usize,
    ) {
        let c = self.windows.g.c;
        let (sum_g, sum_gx) = self.sums.split_at_mut(c);
        let mut sums = [V::load(&sum_g[at..]), V::load(&sum_gx[at..])];
        let mean = V::load(&self.factors.mean[at..]);
        for _ in 0..count {
            let x = self.windows.load::<V, K>(self.x, pixel, at);
            let z = self.factors.z(&x, at);
            let share = distribute(&z, V::load(&self.grad_output[grad + at..]));
            (pixel, grad) = (pixel + K * c, grad + c);
            for a in 0..K {
                for b in 0..K {
                    sums[0] = sums[0] + share[a][b];
                    sums[1] = share[a][b].mul_add(x[a][b] - mean, sums[1]);
                }
            }
        }
        sums[0].store(&mut sum_g[at..]);
        sums[1].store(&mut sum_gx[at..]);
    }
}

struct Input<'a> {
    windows: Windows<'a>,
    factors: Factors<'a>,
    grad_output: &'a [f32],
    /// From the first pixel under the windows on; becomes the gradient.
    x: &'a mut [f32],
}

impl Input<'_> {
    #[inline(always)]
    fn windows<V: Vector, const K: usize>(mut self) {
        let (g, rows) = (self.windows.g, self.windows.rows.clone());
        // Registers do not overlap: what is written must not be read again.
        let whole = g.c / V::LANES * V::LANES;
        for (i, r) in rows.clone().enumerate() {
            for j in 0..g.w_out {
                let pixel = (i * K * g.w_in + j * K) * g.c;
                let grad = (r * g.w_out + j) * g.c;
                self.windows.prefetch::<K>(self.x, pixel, 1);
                prefetch_ahead(self.grad_output, grad, g.c);
                for at in (0..whole).step_by(V::LANES) {
                    self.window::<V, K>(pixel, grad, at);
                }
                for at in whole..g.c {
                    self.window::<V::OneLane, K>(pixel, grad, at);
                }
            }
            self.uncovered::<V>(i * K..(i + 1) * K, K * g.w_out);
        }
        let below = rows.len() * K..self.x.len() / (g.w_in * g.c);
        self.uncovered::<V>(below, 0);
    }

    /// Computes the gradient of the window at offset `pixel`, whose output's is at `grad`; channels from
    /// `at` on.
    #[inline(always)]
    fn window<V: Vector, const K: usize>(&mut self, pixel: usize, grad: usize, at: usize) {
        let g = self.windows.g;
        let x = self.windows.load::<V, K>(self.x, pixel, at);
        let z = self.factors.z(&x, at);
        let share = distribute(&z, V::load(&self.grad_output[grad + at..]));
        for a in 0..K {
            for b in 0..K {
                let to = pixel + (a * g.w_in + b) * g.c + at;
                self.factors.grad_input(x[a][b], share[a][b], at).store(&mut self.x[to..]);
            }
        }
    }

    /// Computes the gradient of the pixels from `column` on, which no window covers: only the paths
    /// through mean and variance.
    #[inline(always)]
    fn uncovered<V: Vector>(&mut self, rows: Range<usize>, column: usize) {
        let (w_in, c) = (self.windows.g.w_in, self.windows.g.c);
        for row in rows {
            for pixel in (column..w_in).map(|j| (row * w_in + j) * c) {
                for at in 0..c {
                    let x = V::OneLane::load(&self.x[pixel + at..]);
                    let grad = self.factors.grad_input(x, V::OneLane::splat(0.0), at);
                    grad.store(&mut self.x[pixel + at..]);
                }
            }
        }
    }
}

/// Implements `Vectorized` with the side of the window as a constant, so that loops over it are
/// unrolled.
macro_rules! vectorized_by_side {
    ($op:ident, $run:ident) => {
        impl Vectorized for $op<'_> {
            #[inline(always)]
            fn run<V: Vector>(self) {
                match self.windows.g.kernel[0] {
                    1 => self.$run::<V, 1>(),
                    _ => self.$run::<V, 2>(),
                }
            }
        }
    };
}
vectorized_by_side!(Forward, windows);
vectorized_by_side!(Reduce, windows);
vectorized_by_side!(Input, windows);
