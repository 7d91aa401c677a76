//! Batch norm, ReLU and max pooling in one pass over memory.
//!
//! ```text
//! z = γ·(x − mean)·inv_std + β          of every pixel
//! y = max(0, max over the window of z)  windows of 1×1 (no pooling) or 2×2 pixels
//! ```
//!
//! Only x is kept for the backward pass: z is computed again, and with it which pixel of a window
//! won and whether it was positive. That costs three operations an element; reading the argument of
//! the maximum and the result of each stage would cost memory traffic, which is what is scarce.
//!
//! The formulas are those of [`crate::norm::batch_norm`]. z and y take them in the same order of operations,
//! so y has the bits of the three passes one after the other; the sums of the backward pass are added
//! in another order, so the gradients agree to rounding.

use super::pool_windows::{Factors, Windows, largest, share};
use crate::arch::{Vector, Vectorized, prefetch_ahead, starts, vectorized};
use crate::norm::batch_norm::join_sums;
use crate::parallel::{parallel_chunks, parallel_parts};
use crate::scratch;
use crate::{Normalisation, Pool2dGeometry};
use std::ops::Range;

/// Pixels of one partial sum, about.
const PIXELS: usize = 256;
/// Windows added up between two visits to the sums.
const TOGETHER: usize = 4;

/// Whether the windows are of a kind that is served here: 1×1 or 2×2, side by side, no border.
pub fn is_served(g: &Pool2dGeometry) -> bool {
    let k = g.kernel;
    (k == [1, 1] || k == [2, 2]) && g.stride == k && g.padding == [0, 0]
}

/// y = max(0, max over windows of z).
///
/// **Shapes**: x `[n, h_in, w_in, c]`, y `[n, h_out, w_out, c]`, all of `norm` `[c]`.
///
/// # Panics
/// When a slice does not have the length of its shape, or the windows are not [served](is_served).
pub fn forward(g: &Pool2dGeometry, norm: &Normalisation<f32>, x: &[f32], y: &mut [f32]) {
    assert!(is_served(g) && x.len() == g.input_len() && y.len() == g.output_len());
    let mut memory = scratch::take(5 * g.c);
    let factors = Factors::new(g, norm, None, &mut memory);
    let rows = rows_per_task(g);
    parallel_chunks(y, rows * g.w_out * g.c, |task, y| {
        let count = y.len() / (g.w_out * g.c);
        let windows = Windows { g, rows: task * rows..task * rows + count, x };
        vectorized(g.c, Forward { windows, factors, y });
    });
}

/// grad_beta = Σ g′ and grad_gamma = Σ g′·x̂, where g′ is the gradient of z: that of y at the pixel
/// that won where y is positive, else 0.
///
/// **Shapes**: x as in [`forward`], grad_output as y there, all others `[c]`.
///
/// # Panics
/// As [`forward`].
pub fn backward_reduce(
    g: &Pool2dGeometry,
    norm: &Normalisation<f32>,
    x: &[f32],
    grad_output: &[f32],
    grad_gamma: &mut [f32],
    grad_beta: &mut [f32],
) {
    assert!(is_served(g) && x.len() == g.input_len() && grad_output.len() == g.output_len());
    let mut memory = scratch::take(5 * g.c);
    let factors = Factors::new(g, norm, None, &mut memory);
    let (rows, all) = (rows_per_task(g), g.n * g.h_out);
    let mut partial = scratch::take(all.div_ceil(rows) * 2 * g.c);
    parallel_chunks(&mut partial, 2 * g.c, |task, sums| {
        let windows = Windows { g, rows: task * rows..((task + 1) * rows).min(all), x };
        vectorized(g.c, Reduce { windows, factors, grad_output, sums });
    });
    join_sums(&partial, norm.inv_std, grad_gamma, grad_beta);
}

/// grad_input = γ·inv_std·(g′ − grad_beta/m − x̂·grad_gamma/m) with the `sums`
/// `[grad_gamma, grad_beta]` of [`backward_reduce`]; without them, where mean and variance are
/// constants, γ·inv_std·g′.
///
/// **Shapes**: x and grad_input as x in [`forward`], grad_output as y there.
///
/// # Panics
/// As [`forward`].
pub fn backward_input(
    g: &Pool2dGeometry,
    norm: &Normalisation<f32>,
    x: &[f32],
    grad_output: &[f32],
    sums: Option<[&[f32]; 2]>,
    grad_input: &mut [f32],
) {
    assert!(
        is_served(g)
            && grad_input.len() == x.len()
            && x.len() == g.input_len()
            && grad_output.len() == g.output_len()
    );
    if x.is_empty() {
        return;
    }
    let mut memory = scratch::take(5 * g.c);
    let factors = Factors::new(g, norm, sums, &mut memory);
    // A task is some rows of windows of one image and what lies under them; the last of an image
    // also has the row that no window covers.
    let per_image = g.h_out.div_ceil(rows_per_task(g)).max(1);
    let first = |task: usize| (task % per_image * rows_per_task(g)).min(g.h_out);
    let start = |task: usize| {
        let row = g.kernel[0] * first(task);
        (task / per_image * g.h_in + row) * g.w_in * g.c
    };
    let tasks = g.n * per_image;
    parallel_parts([grad_input], tasks, &|task| [start(task)], &|task, [grad_input]| {
        let image = task / per_image * g.h_out;
        let last = if (task + 1) % per_image == 0 { g.h_out } else { first(task + 1) };
        let windows = Windows { g, rows: image + first(task)..image + last, x: &x[start(task)..] };
        vectorized(g.c, Input { windows, factors, grad_output, grad_input });
    });
}

/// Rows of windows that make one task and one partial sum. The threads have no say in it.
fn rows_per_task(g: &Pool2dGeometry) -> usize {
    PIXELS.div_ceil(g.kernel[0] * g.kernel[1] * g.w_out.max(1))
}

struct Forward<'a> {
    windows: Windows<'a>,
    factors: Factors<'a>,
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
                w.prefetch::<K>(pixel, 1);
                for at in starts::<V>(g.c) {
                    let z = self.factors.z(&w.load::<V, K>(pixel, at), at);
                    V::splat(0.0).max(largest(&z)).store(&mut y[at..]);
                }
            }
        }
    }
}

struct Reduce<'a> {
    windows: Windows<'a>,
    factors: Factors<'a>,
    grad_output: &'a [f32],
    /// Σ g′ and Σ g′·(x − mean), `[2][c]`.
    sums: &'a mut [f32],
}

impl Reduce<'_> {
    /// Pixels in the order of memory, a few at a time for each run of channels, so that the sums are
    /// fetched once for all of them.
    #[inline(always)]
    fn windows<V: Vector, const K: usize>(mut self) {
        self.sums.fill(0.0);
        let (c, w_out) = (self.windows.g.c, self.windows.g.w_out);
        let whole = c / V::LANES * V::LANES;
        for r in self.windows.rows.clone() {
            let pixel = self.windows.pixel::<K>(r, 0);
            for j in (0..w_out).step_by(TOGETHER) {
                let from = [pixel + j * K * c, (r * w_out + j) * c];
                let count = TOGETHER.min(w_out - j);
                self.windows.prefetch::<K>(from[0], count);
                prefetch_ahead(self.grad_output, from[1], count * c);
                for at in (0..whole).step_by(V::LANES) {
                    self.add::<V, K>(from, count, at);
                }
                for at in whole..c {
                    self.add::<f32, K>(from, count, at);
                }
            }
        }
    }

    /// Adds `count` windows, the first at `pixel`, its gradient at `grad`; channels from `at` on.
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
            let x = self.windows.load::<V, K>(pixel, at);
            let z = self.factors.z(&x, at);
            let share = share(&z, V::load(&self.grad_output[grad + at..]));
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
    /// x begins where `grad_input` does.
    windows: Windows<'a>,
    factors: Factors<'a>,
    grad_output: &'a [f32],
    grad_input: &'a mut [f32],
}

impl Input<'_> {
    #[inline(always)]
    fn windows<V: Vector, const K: usize>(mut self) {
        let (g, rows) = (self.windows.g, self.windows.rows.clone());
        for (i, r) in rows.clone().enumerate() {
            for j in 0..g.w_out {
                let pixel = (i * K * g.w_in + j * K) * g.c;
                let grad = (r * g.w_out + j) * g.c;
                self.windows.prefetch::<K>(pixel, 1);
                prefetch_ahead(self.grad_output, grad, g.c);
                let grad = &self.grad_output[grad..][..g.c];
                for at in starts::<V>(g.c) {
                    let x = self.windows.load::<V, K>(pixel, at);
                    let z = self.factors.z(&x, at);
                    let share = share(&z, V::load(&grad[at..]));
                    for a in 0..K {
                        for b in 0..K {
                            let to = pixel + (a * g.w_in + b) * g.c + at;
                            let grad = self.factors.grad_input(x[a][b], share[a][b], at);
                            grad.store(&mut self.grad_input[to..]);
                        }
                    }
                }
            }
            self.outside::<V>(i * K..(i + 1) * K, K * g.w_out);
        }
        let below = rows.len() * K..self.grad_input.len() / (g.w_in * g.c);
        self.outside::<V>(below, 0);
    }

    /// Pixels from `column` on, which no window covers: only what flows through mean and variance.
    #[inline(always)]
    fn outside<V: Vector>(&mut self, rows: Range<usize>, column: usize) {
        let g = self.windows.g;
        for row in rows {
            for j in column..g.w_in {
                let pixel = (row * g.w_in + j) * g.c;
                for at in starts::<V>(g.c) {
                    let x = V::load(&self.windows.x[pixel + at..]);
                    let grad = self.factors.grad_input(x, V::splat(0.0), at);
                    grad.store(&mut self.grad_input[pixel + at..]);
                }
            }
        }
    }
}

/// The window's side is known to the compiler, so that the loops over it vanish.
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
