//! y = max(0, a + s·b), the end of a residual block with squeeze and excitation, in one pass.

use crate::arch::{SimdLevel, Vector, Vectorized, prefetch_ahead, vector_offsets, vectorized};
use crate::elementwise::CHUNK;
use crate::parallel::parallel_chunks;
use crate::{ChannelView, naive};
use rayon::prelude::*;
use std::ops::Range;

/// Pixels added between two accesses to the sums.
const UNROLL: usize = 4;

/// Computes y = max(0, a + s\[n, c\]·b).
///
/// **Shapes**: a, b, y `[n, pixels, c]`, with outer = n and inner = pixels in `v`; s `[n, c]`.
///
/// # Panics
/// When a slice does not have the length of its shape.
pub fn forward(simd: SimdLevel, v: &ChannelView, a: &[f32], s: &[f32], b: &[f32], y: &mut [f32]) {
    assert!(a.len() == v.len() && b.len() == v.len() && y.len() == v.len());
    assert!(s.len() == v.outer * v.channels);
    if v.is_empty() {
        return;
    }
    // Equal parts of an image, of about a task's size.
    let parts = (v.inner * v.channels).div_ceil(CHUNK);
    let parts = (parts..=v.inner).find(|parts| v.inner.is_multiple_of(*parts)).unwrap_or(v.inner);
    let len = v.inner / parts * v.channels;
    parallel_chunks(y, len, |i, y| {
        let (a, b) = (&a[i * len..][..len], &b[i * len..][..len]);
        let s = &s[i / parts * v.channels..][..v.channels];
        vectorized(simd, v.channels, Forward { a, s, b, y });
    });
}

struct Forward<'a> {
    a: &'a [f32],
    s: &'a [f32],
    b: &'a [f32],
    y: &'a mut [f32],
}

impl Vectorized for Forward<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let c = self.s.len();
        let pixels = self.a.chunks_exact(c).zip(self.b.chunks_exact(c)).enumerate();
        for ((i, (a, b)), y) in pixels.zip(self.y.chunks_exact_mut(c)) {
            for x in [self.a, self.b] {
                prefetch_ahead(x, i * c, c);
            }
            for at in vector_offsets::<V>(c) {
                let sum = V::load(&a[at..]) + V::load(&self.s[at..]) * V::load(&b[at..]);
                V::splat(0.0).max(sum).store(&mut y[at..]);
            }
        }
    }
}

/// Computes grad_a = g, grad_b = s·g and grad_s = Σ over pixels of g·b, where y > 0; elsewhere the
/// terms are 0.
///
/// **Shapes**: as [`forward`], each gradient as its operand.
///
/// # Panics
/// When a slice does not have the length of its shape.
#[allow(clippy::too_many_arguments)] // three operands and their gradients
pub fn backward(
    simd: SimdLevel,
    v: &ChannelView,
    y: &[f32],
    s: &[f32],
    b: &[f32],
    grad_output: &[f32],
    grad_a: &mut [f32],
    grad_s: &mut [f32],
    grad_b: &mut [f32],
) {
    assert!([y, b, grad_output, grad_a, grad_b].iter().all(|x| x.len() == v.len()));
    assert!(s.len() == v.outer * v.channels && grad_s.len() == s.len());
    if v.is_empty() {
        return naive::scale_add_relu::backward(v, y, s, b, grad_output, grad_a, grad_s, grad_b);
    }
    let (c, image) = (v.channels, v.inner * v.channels);
    let images = grad_a.par_chunks_mut(image).zip(grad_b.par_chunks_mut(image));
    images.zip(grad_s.par_chunks_mut(c)).enumerate().for_each(|(n, ((grad_a, grad_b), grad_s))| {
        let [y, b, g] = [y, b, grad_output].map(|x| &x[n * image..][..image]);
        let s = &s[n * c..][..c];
        vectorized(simd, c, Backward { y, s, b, g, grad_a, grad_s, grad_b });
    });
}

struct Backward<'a> {
    y: &'a [f32],
    s: &'a [f32],
    b: &'a [f32],
    g: &'a [f32],
    grad_a: &'a mut [f32],
    grad_s: &'a mut [f32],
    grad_b: &'a mut [f32],
}

impl Vectorized for Backward<'_> {
    /// Goes through the pixels in memory order, a few at a time for each register of channels, so
    /// that the sums are loaded once for several pixels.
    #[inline(always)]
    fn run<V: Vector>(mut self) {
        self.grad_s.fill(0.0);
        let c = self.s.len();
        let whole = c / V::LANES * V::LANES;
        for first in (0..self.y.len()).step_by(UNROLL * c) {
            let pixels = first..self.y.len().min(first + UNROLL * c);
            for x in [self.y, self.b, self.g] {
                prefetch_ahead(x, pixels.end, pixels.len());
            }
            for at in (0..whole).step_by(V::LANES) {
                self.add::<V>(pixels.clone(), at);
            }
            for at in whole..c {
                self.add::<V::OneLane>(pixels.clone(), at);
            }
        }
    }
}

impl Backward<'_> {
    /// Adds some pixels, channels from `at` on.
    #[inline(always)]
    fn add<V: Vector>(&mut self, pixels: Range<usize>, at: usize) {
        let (s, mut sum) = (V::load(&self.s[at..]), V::load(&self.grad_s[at..]));
        for pixel in pixels.step_by(self.s.len()) {
            let i = pixel + at;
            let g = V::load(&self.g[i..]).where_positive(V::load(&self.y[i..]));
            g.store(&mut self.grad_a[i..]);
            (s * g).store(&mut self.grad_b[i..]);
            sum = g.mul_add(V::load(&self.b[i..]), sum);
        }
        sum.store(&mut self.grad_s[at..]);
    }
}
