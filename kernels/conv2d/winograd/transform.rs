//! The transforms of a block of tiles, on vectors of channels.
//!
//! Transformed data lies in A² planes, one per product: plane p holds `[tile][channel]`.

use super::tiles::Tiles;
use super::variant::{Variant, both_axes};
use crate::arch::{Vector, Vectorized, prefetch, starts};
use crate::conv2d::Epilogue;
use std::marker::PhantomData;
use std::ops::Range;

/// Floats between planes beyond what they hold, so that equal places of two planes differ in
/// cache set.
pub const PAD: usize = 16;

/// The pixels of a tile this far ahead are asked for: the hardware does not foresee the jumps from
/// row to row.
const AHEAD: usize = 2;

/// What lies outside an image.
static ZEROS: [f32; 16] = [0.0; 16];

/// Asks for some channels of `pixels`, which have `stride` channels.
fn prefetch_pixels(x: &[f32], stride: usize, pixels: Range<usize>, channels: Range<usize>) {
    for p in pixels {
        prefetch(&x[p * stride + channels.start..p * stride + channels.end]);
    }
}

/// V = Bᵀ·d·B for the patches of `tiles`, channels `channels` of x.
pub struct Input<'a, W> {
    pub tiles: Tiles<'a>,
    pub range: Range<usize>,
    /// Pixels with `stride` channels each, of which these are read.
    pub x: &'a [f32],
    pub stride: usize,
    pub channels: Range<usize>,
    /// Planes `plane` apart, tiles `channels.len()` apart.
    pub planes: &'a mut [f32],
    pub plane: usize,
    pub variant: PhantomData<W>,
}

impl<W> Input<'_, W> {
    #[inline(always)]
    pub fn run<V: Vector, const M: usize, const A: usize>(self)
    where
        W: Variant<M, A>,
    {
        let c = self.channels.len();
        let mut between = [[V::splat(0.0); A]; A];
        for (k, t) in self.range.enumerate() {
            let (tile, later) = (self.tiles.tile(t), self.tiles.tile(t + AHEAD));
            for a in 0..A {
                let soon = self.tiles.new_input_pixels(later, a);
                prefetch_pixels(self.x, self.stride, soon, self.channels.clone());
            }
            // Outside the image every channel reads the same zeros: there the mask is 0.
            let mut patch = [[(&ZEROS[..], 0); A]; A];
            for a in 0..A {
                for b in 0..A {
                    if let Some(p) = self.tiles.input_pixel(tile, a, b) {
                        let at = p * self.stride + self.channels.start;
                        patch[a][b] = (&self.x[at..at + c], usize::MAX);
                    }
                }
            }
            for c0 in starts::<V>(c) {
                both_axes!(
                    between, W::input, A => A,
                    [a, b] {
                        let (x, mask) = patch[a][b];
                        V::load(&x[c0 & mask..])
                    },
                    [a, b, v] v.store(&mut self.planes[(a * A + b) * self.plane + k * c + c0..])
                );
            }
        }
    }
}

/// y = Aᵀ·m·A, and what comes after, for `range` of the tiles and `n` channels from `first` on.
pub struct Output<'a, W> {
    pub tiles: Tiles<'a>,
    pub range: Range<usize>,
    /// Planes `plane` apart, tiles `row` apart.
    pub planes: &'a [f32],
    pub plane: usize,
    pub row: usize,
    pub first: usize,
    pub n: usize,
    pub after: Epilogue<'a>,
    /// Output pixels from number `first_pixel` on, with c_out channels each.
    pub y: &'a mut [f32],
    pub first_pixel: usize,
    pub variant: PhantomData<W>,
}

impl<W> Output<'_, W> {
    #[inline(always)]
    pub fn run<V: Vector, const M: usize, const A: usize>(self)
    where
        W: Variant<M, A>,
    {
        let c_out = self.tiles.g.c_out;
        let last = self.range.end;
        let mut between = [[V::splat(0.0); A]; M];
        for (k, t) in self.range.enumerate() {
            let (tile, next) = (self.tiles.tile(t), self.tiles.tile(t + 1));
            for a in 0..M {
                let soon = self.tiles.output_pixels(next, a);
                if t + 1 < last && !soon.is_empty() {
                    let soon = soon.start - self.first_pixel..soon.end - self.first_pixel;
                    prefetch_pixels(self.y, c_out, soon, self.first..self.first + self.n);
                }
            }
            let mut pixels = [[None; M]; M];
            for a in 0..M {
                for b in 0..M {
                    let pixel = self.tiles.output_pixel(tile, a, b);
                    pixels[a][b] = pixel.map(|p| (p - self.first_pixel) * c_out + self.first);
                }
            }
            for c0 in starts::<V>(self.n) {
                let bias = match self.after.bias {
                    Some(bias) => V::load(&bias[self.first + c0..]),
                    None => V::splat(0.0),
                };
                let at = k * self.row + c0;
                both_axes!(
                    between, W::output, A => M,
                    [a, b] V::load(&self.planes[(a * A + b) * self.plane + at..]),
                    [a, b, y] if let Some(at) = pixels[a][b] {
                        let mut y = y + bias;
                        if self.after.relu {
                            y = V::splat(0.0).max(y);
                        }
                        // Tiles that pool begin at even pixels, so the first of a window comes first.
                        if self.after.pool && (a % 2, b % 2) != (0, 0) {
                            y = y.max(V::load(&self.y[at + c0..]));
                        }
                        y.store(&mut self.y[at + c0..]);
                    }
                );
            }
        }
    }
}

/// U = G·g·Gᵀ for the filters of one panel.
pub struct Filter<'a, W> {
    /// Packed filters `[tap][kc][nr]`.
    pub panel: &'a [f32],
    /// Planes `[kc][nr]`, `plane` apart.
    pub planes: &'a mut [f32],
    pub plane: usize,
    pub variant: PhantomData<W>,
}

impl<W> Filter<'_, W> {
    #[inline(always)]
    pub fn run<V: Vector, const M: usize, const A: usize>(self)
    where
        W: Variant<M, A>,
    {
        let tap = self.panel.len() / 9;
        let mut between = [[V::splat(0.0); 3]; A];
        for at in starts::<V>(tap) {
            both_axes!(
                between, W::filter, 3 => A,
                [a, b] V::load(&self.panel[(a * 3 + b) * tap + at..]),
                [a, b, u] u.store(&mut self.planes[(a * A + b) * self.plane + at..])
            );
        }
    }
}

/// W = A·g·Aᵀ for the output gradients under `range` of the tiles, `n` channels from `first` on:
/// the right operand of a product over tiles, in panels `[tile][nr]`.
pub struct GradOutput<'a, W> {
    pub tiles: Tiles<'a>,
    pub range: Range<usize>,
    pub grad_output: &'a [f32],
    pub first: usize,
    pub n: usize,
    /// Planes `plane` apart, in each the panels of nr channels.
    pub planes: &'a mut [f32],
    pub plane: usize,
    pub nr: usize,
    pub variant: PhantomData<W>,
}

impl<W> GradOutput<'_, W> {
    #[inline(always)]
    pub fn run<V: Vector, const M: usize, const A: usize>(self)
    where
        W: Variant<M, A>,
    {
        let (nr, c_out) = (self.nr, self.tiles.g.c_out);
        let panel = self.range.len() * nr;
        let mut between = [[V::splat(0.0); M]; A];
        for (k, t) in self.range.enumerate() {
            let (tile, later) = (self.tiles.tile(t), self.tiles.tile(t + AHEAD));
            for a in 0..M {
                let soon = self.tiles.output_pixels(later, a);
                prefetch_pixels(self.grad_output, c_out, soon, self.first..self.first + self.n);
            }
            // Outside the image every channel reads the same zeros: there the mask is 0.
            let mut patch = [[(&ZEROS[..], 0); M]; M];
            for a in 0..M {
                for b in 0..M {
                    if let Some(p) = self.tiles.output_pixel(tile, a, b) {
                        let at = p * c_out + self.first;
                        patch[a][b] = (&self.grad_output[at..at + self.n], usize::MAX);
                    }
                }
            }
            for j in (0..self.n).step_by(nr) {
                for c0 in starts::<V>(nr.min(self.n - j)) {
                    let at = j / nr * panel + k * nr + c0;
                    both_axes!(
                        between, W::output_adjoint, M => A,
                        [a, b] {
                            let (y, mask) = patch[a][b];
                            V::load(&y[(j + c0) & mask..])
                        },
                        [a, b, w] w.store(&mut self.planes[(a * A + b) * self.plane + at..])
                    );
                }
            }
        }
    }
}

/// g = Gᵀ·u·G: from the products' gradients `[c][n]` in planes to that of the filters,
/// `[tap][c][n]`.
pub struct GradFilter<'a, W> {
    pub planes: &'a [f32],
    pub plane: usize,
    pub taps: &'a mut [f32],
    pub variant: PhantomData<W>,
}

impl<W> GradFilter<'_, W> {
    #[inline(always)]
    pub fn run<V: Vector, const M: usize, const A: usize>(self)
    where
        W: Variant<M, A>,
    {
        let tap = self.taps.len() / 9;
        let mut between = [[V::splat(0.0); A]; 3];
        for at in starts::<V>(tap) {
            both_axes!(
                between, W::filter_adjoint, A => 3,
                [a, b] V::load(&self.planes[(a * A + b) * self.plane + at..]),
                [a, b, g] g.store(&mut self.taps[(a * 3 + b) * tap + at..])
            );
        }
    }
}

/// Makes `Vectorized` of the transforms above for one variant.
macro_rules! vectorize {
    ($variant:ty, $m:literal, $a:literal: $($transform:ident)*) => {
        $(impl Vectorized for $transform<'_, $variant> {
            #[inline(always)]
            fn run<V: Vector>(self) {
                $transform::run::<V, $m, $a>(self);
            }
        })*
    };
}
vectorize!(super::F2, 2, 4: Input Output Filter GradOutput GradFilter);
vectorize!(super::F3, 3, 5: Input Output Filter GradOutput GradFilter);
vectorize!(super::F4, 4, 6: Input Output Filter GradOutput GradFilter);
