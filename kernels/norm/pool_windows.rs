//! Factors of a channel and windows of pixels, for [`super::batch_norm_relu`].

use crate::arch::{Vector, prefetch_ahead};
use crate::{Normalisation, Pool2dGeometry};
use std::ops::Range;

/// The factors and offsets of each channel, `[c]` each.
#[derive(Clone, Copy)]
pub(super) struct Factors<'a> {
    pub(super) scale: &'a [f32],
    pub(super) shift: &'a [f32],
    pub(super) mean: &'a [f32],
    pub(super) through_mean: &'a [f32],
    pub(super) through_var: &'a [f32],
}

impl<'a> Factors<'a> {
    /// Computes the factors in `memory`, `[5][c]`.
    pub(super) fn new(
        g: &Pool2dGeometry,
        norm: &Normalisation<f32>,
        sums: Option<[&[f32]; 2]>,
        memory: &'a mut [f32],
    ) -> Self {
        let (c, m) = (g.c, (g.n * g.h_in * g.w_in) as f32);
        for i in 0..c {
            let (scale, shift) = norm.affine(i);
            let inv = norm.inv_std[i];
            let (mean, var) = match sums {
                Some([gamma, beta]) => (beta[i] / m, inv * gamma[i] / m),
                None => (0.0, 0.0),
            };
            for (k, v) in [scale, shift, norm.mean[i], mean, var].into_iter().enumerate() {
                memory[k * c + i] = v;
            }
        }
        let memory: &'a [f32] = memory;
        let [scale, shift, mean, through_mean, through_var] =
            [0, 1, 2, 3, 4].map(|k| &memory[k * c..][..c]);
        Self { scale, shift, mean, through_mean, through_var }
    }
    /// Returns z = x·scale + shift of each pixel of a window.
    #[inline(always)]
    pub(super) fn z<V: Vector, const K: usize>(&self, x: &[[V; K]; K], at: usize) -> [[V; K]; K] {
        let (scale, shift) = (V::load(&self.scale[at..]), V::load(&self.shift[at..]));
        let mut z = *x;
        for row in &mut z {
            for z in row {
                *z = *z * scale + shift;
            }
        }
        z
    }
    /// Returns γ·inv_std·(g − path through the mean − path through the variance).
    #[inline(always)]
    pub(super) fn grad_input<V: Vector>(&self, x: V, grad: V, at: usize) -> V {
        let centred = (x - V::load(&self.mean[at..])) * V::load(&self.through_var[at..]);
        V::load(&self.scale[at..]) * (grad - V::load(&self.through_mean[at..]) - centred)
    }
}

/// Rows of windows, numbered over the batch.
pub(super) struct Windows<'a> {
    pub(super) g: &'a Pool2dGeometry,
    pub(super) rows: Range<usize>,
}

impl Windows<'_> {
    /// Returns the offset of the upper left pixel of window (r, j) in the whole batch.
    #[inline(always)]
    pub(super) fn pixel<const K: usize>(&self, r: usize, j: usize) -> usize {
        let g = self.g;
        ((r / g.h_out * g.h_in + K * (r % g.h_out)) * g.w_in + K * j) * g.c
    }
    /// Prefetches the pixels of `count` windows a fixed distance behind `pixel`.
    #[inline(always)]
    pub(super) fn prefetch<const K: usize>(&self, x: &[f32], pixel: usize, count: usize) {
        for a in 0..K {
            prefetch_ahead(x, pixel + a * self.g.w_in * self.g.c, K * count * self.g.c);
        }
    }
    /// Loads the pixels of the window at offset `pixel` of x, channels from `at` on.
    #[inline(always)]
    pub(super) fn load<V: Vector, const K: usize>(
        &self,
        x: &[f32],
        pixel: usize,
        at: usize,
    ) -> [[V; K]; K] {
        let mut window = [[V::splat(0.0); K]; K];
        for a in 0..K {
            for b in 0..K {
                window[a][b] = V::load(&x[pixel + (a * self.g.w_in + b) * self.g.c + at..]);
            }
        }
        window
    }
}

/// Returns the largest z of a window.
#[inline(always)]
pub(super) fn window_max<V: Vector, const K: usize>(z: &[[V; K]; K]) -> V {
    let mut largest = z[0][0];
    for row in z {
        for &z in row {
            largest = largest.max(z);
        }
    }
    largest
}

/// Returns the gradient of each z of a window: all of it at the first maximum if that is positive,
/// else 0.
#[inline(always)]
pub(super) fn distribute<V: Vector, const K: usize>(z: &[[V; K]; K], grad: V) -> [[V; K]; K] {
    let largest = window_max(z);
    let mut rest = grad.where_positive(largest);
    let mut shares = [[rest; K]; K];
    if K > 1 {
        for a in 0..K {
            for b in 0..K {
                shares[a][b] = rest.where_equal(z[a][b], largest);
                rest = rest - shares[a][b];
            }
        }
    }
    shares
}
