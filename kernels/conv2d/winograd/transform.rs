//! The transforms of a block of tiles, vectorized over channels.
//!
//! Transformed data lies in A² planes, one per product: plane p holds `[tile][channel]`.

use super::tiles::Tiles;
use super::variant::{Variant, both_axes};
use crate::Precision;
use crate::arch::{BlockMut, Vector, Vectorized, halves_mut, prefetch, vector_offsets};
use crate::conv2d::Epilogue;
use std::marker::PhantomData;
use std::ops::Range;

/// Padding between planes in floats, so that equal offsets of two planes fall into different cache
/// sets.
pub const PAD: usize = 16;

/// Tiles between the one that is read and the one that is prefetched: the hardware prefetcher does
/// not follow the jumps from row to row.
const DISTANCE: usize = 2;

/// Channels of a pixel outside the image.
static ZEROS: [f32; 16] = [0.0; 16];

/// Prefetches some channels of `pixels`, which have `stride` channels.
fn prefetch_pixels(x: &[f32], stride: usize, pixels: Range<usize>, channels: Range<usize>) {
    for p in pixels {
        prefetch(&x[p * stride + channels.start..p * stride + channels.end]);
    }
}

/// The input transform: V = Bᵀ·d·B for the patches of `range` of the tiles, channels `channels` of
/// x.
pub struct InputTransform<'a, W, const M: usize, const A: usize> {
    pub tiles: Tiles<'a>,
    pub range: Range<usize>,
    /// Pixels with `stride` channels each, of which `channels` are read.
    pub x: &'a [f32],
    pub stride: usize,
    pub channels: Range<usize>,
    /// Planes `plane` words apart, tiles `channels.len()` elements apart.
    pub planes: &'a mut [f32],
    pub plane: usize,
    /// In bfloat16 a word holds a pair of elements.
    pub pairs: Option<Pairs>,
    pub variant: PhantomData<W>,
}

impl<W: Variant<M, A>, const M: usize, const A: usize> Vectorized for InputTransform<'_, W, M, A> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        match self.pairs {
            None => self.transform::<V, SINGLE>(),
            Some(Pairs::OfChannels) => self.transform::<V, PAIRS_OF_CHANNELS>(),
            Some(Pairs::OfTiles) => self.transform::<V, PAIRS_OF_TILES>(),
        }
    }
}

/// Which two elements of a plane in bfloat16 a word holds: those along which the product sums.
#[derive(Clone, Copy)]
pub enum Pairs {
    /// Neighbouring channels of a tile.
    OfChannels,
    /// A channel of two neighbouring tiles, the second one 0 where their number is odd.
    OfTiles,
}

const SINGLE: usize = 0;
const PAIRS_OF_CHANNELS: usize = 1;
const PAIRS_OF_TILES: usize = 2;

/// Stores the elements from `at` on of tile `k`, of `row` elements each.
#[inline(always)]
fn store<V: Vector, const PAIRS: usize>(v: V, plane: &mut [f32], k: usize, row: usize, at: usize) {
    match PAIRS {
        PAIRS_OF_CHANNELS => v.store_bf16(&mut halves_mut(plane)[k * row + at..]),
        PAIRS_OF_TILES if k.is_multiple_of(2) => {
            v.store_lower_halves(&mut plane[k / 2 * row + at..]);
        }
        PAIRS_OF_TILES => v.store_upper_halves(&mut plane[k / 2 * row + at..]),
        _ => v.store(&mut plane[k * row + at..]),
    }
}

impl<W: Variant<M, A>, const M: usize, const A: usize> InputTransform<'_, W, M, A> {
    #[inline(always)]
    fn transform<V: Vector, const PAIRS: usize>(self) {
        let c = self.channels.len();
        let mut between = [[V::splat(0.0); A]; A];
        for (k, t) in self.range.enumerate() {
            let (tile, later) = (self.tiles.tile(t), self.tiles.tile(t + DISTANCE));
            for a in 0..A {
                let upcoming = self.tiles.new_input_pixels(later, a);
                prefetch_pixels(self.x, self.stride, upcoming, self.channels.clone());
            }
            // Outside the image the mask is 0, so every channel reads the same zeros.
            let mut patch = [[(&ZEROS[..], 0); A]; A];
            for a in 0..A {
                for b in 0..A {
                    if let Some(p) = self.tiles.input_pixel(tile, a, b) {
                        let at = p * self.stride + self.channels.start;
                        patch[a][b] = (&self.x[at..at + c], usize::MAX);
                    }
                }
            }
            for c0 in vector_offsets::<V>(c) {
                both_axes!(
                    between, W::input, A => A,
                    [a, b] {
                        let (x, mask) = patch[a][b];
                        V::load(&x[c0 & mask..])
                    },
                    [a, b, v] {
                        let plane = &mut self.planes[(a * A + b) * self.plane..];
                        store::<V, PAIRS>(v, plane, k, c, c0);
                    }
                );
            }
        }
    }
}

/// The output transform: y = Aᵀ·m·A and the epilogue, for `range` of the tiles and the channels from
/// `first` on that `y` has.
pub struct OutputTransform<'a, W, const M: usize, const A: usize> {
    pub tiles: Tiles<'a>,
    pub range: Range<usize>,
    /// Products in planes `plane` apart, tiles `row` apart.
    pub planes: &'a [f32],
    pub plane: usize,
    pub row: usize,
    pub first: usize,
    pub epilogue: Epilogue<'a>,
    /// Output pixels from `first_pixel` on.
    pub y: BlockMut<'a>,
    pub first_pixel: usize,
    pub variant: PhantomData<W>,
}

impl<W: Variant<M, A>, const M: usize, const A: usize> Vectorized for OutputTransform<'_, W, M, A> {
    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let (n, last) = (self.y.cols(), self.range.end);
        let mut between = [[V::splat(0.0); A]; M];
        for (k, t) in self.range.enumerate() {
            let (tile, next) = (self.tiles.tile(t), self.tiles.tile(t + 1));
            for a in 0..M {
                if t + 1 < last {
                    for p in self.tiles.output_pixels(next, a) {
                        prefetch(self.y.row_mut(p - self.first_pixel));
                    }
                }
            }
            let mut pixels = [[None; M]; M];
            for a in 0..M {
                for b in 0..M {
                    let pixel = self.tiles.output_pixel(tile, a, b);
                    pixels[a][b] = pixel.map(|p| p - self.first_pixel);
                }
            }
            for c0 in vector_offsets::<V>(n) {
                let bias = match self.epilogue.bias {
                    Some(bias) => V::load(&bias[self.first + c0..]),
                    None => V::splat(0.0),
                };
                let at = k * self.row + c0;
                both_axes!(
                    between, W::output, A => M,
                    [a, b] V::load(&self.planes[(a * A + b) * self.plane + at..]),
                    [a, b, y] if let Some(pixel) = pixels[a][b] {
                        let mut y = y + bias;
                        if self.epilogue.relu {
                            y = V::splat(0.0).max(y);
                        }
                        let to = &mut self.y.row_mut(pixel)[c0..];
                        // Pooled tiles begin at even pixels, so the first pixel of a window comes
                        // first.
                        if self.epilogue.pool && (a % 2, b % 2) != (0, 0) {
                            y = y.max(V::load(to));
                        }
                        y.store(to);
                    }
                );
            }
        }
    }
}

/// The filter transform: U = G·g·Gᵀ for the filters of one panel.
pub struct FilterTransform<'a, W, const M: usize, const A: usize> {
    /// Packed filters `[tap][kc][nr]`.
    pub panel: &'a [f32],
    /// Planes `[kc][nr]`, `plane` apart.
    pub planes: &'a mut [f32],
    pub plane: usize,
    pub variant: PhantomData<W>,
}

impl<W: Variant<M, A>, const M: usize, const A: usize> Vectorized for FilterTransform<'_, W, M, A> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let tap = self.panel.len() / 9;
        let mut between = [[V::splat(0.0); 3]; A];
        for at in vector_offsets::<V>(tap) {
            both_axes!(
                between, W::filter, 3 => A,
                [a, b] V::load(&self.panel[(a * 3 + b) * tap + at..]),
                [a, b, u] u.store(&mut self.planes[(a * A + b) * self.plane + at..])
            );
        }
    }
}

/// The adjoint of the output transform: W = A·g·Aᵀ for the output gradients under `range` of the
/// tiles, `n` channels from `first` on. W is the right operand of a product over tiles, in panels
/// `[tile][nr]`, in bfloat16 `[tile / 2][nr]` pairs of tiles.
pub struct GradOutputTransform<'a, W, const M: usize, const A: usize> {
    pub tiles: Tiles<'a>,
    pub range: Range<usize>,
    pub grad_output: &'a [f32],
    pub first: usize,
    pub n: usize,
    /// Planes `plane` apart; each holds panels of nr channels.
    pub planes: &'a mut [f32],
    pub plane: usize,
    pub nr: usize,
    pub precision: Precision,
    pub variant: PhantomData<W>,
}

impl<W: Variant<M, A>, const M: usize, const A: usize> Vectorized
    for GradOutputTransform<'_, W, M, A>
{
    #[inline(always)]
    fn run<V: Vector>(self) {
        match self.precision {
            Precision::F32 => self.transform::<V, SINGLE>(),
            Precision::Bf16 => self.transform::<V, PAIRS_OF_TILES>(),
        }
    }
}

impl<W: Variant<M, A>, const M: usize, const A: usize> GradOutputTransform<'_, W, M, A> {
    #[inline(always)]
    fn transform<V: Vector, const PAIRS: usize>(self) {
        let (nr, c_out) = (self.nr, self.tiles.g.c_out);
        let words = match PAIRS {
            PAIRS_OF_TILES => self.range.len().div_ceil(2),
            _ => self.range.len(),
        };
        let panel = words * nr;
        let mut between = [[V::splat(0.0); M]; A];
        for (k, t) in self.range.enumerate() {
            let (tile, later) = (self.tiles.tile(t), self.tiles.tile(t + DISTANCE));
            for a in 0..M {
                let upcoming = self.tiles.output_pixels(later, a);
                prefetch_pixels(self.grad_output, c_out, upcoming, self.first..self.first + self.n);
            }
            // Outside the image the mask is 0, so every channel reads the same zeros.
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
                for c0 in vector_offsets::<V>(nr.min(self.n - j)) {
                    let panel = j / nr * panel;
                    both_axes!(
                        between, W::output_adjoint, M => A,
                        [a, b] {
                            let (y, mask) = patch[a][b];
                            V::load(&y[(j + c0) & mask..])
                        },
                        [a, b, w] {
                            let plane = &mut self.planes[(a * A + b) * self.plane + panel..];
                            store::<V, PAIRS>(w, plane, k, nr, c0);
                        }
                    );
                }
            }
        }
    }
}

/// The adjoint of the filter transform: g = Gᵀ·u·G, from the gradients of the products, `[c][n]` in
/// each plane, to that of the filters, `[tap][c][n]`.
pub struct GradFilterTransform<'a, W, const M: usize, const A: usize> {
    pub planes: &'a [f32],
    pub plane: usize,
    pub taps: &'a mut [f32],
    pub variant: PhantomData<W>,
}

impl<W: Variant<M, A>, const M: usize, const A: usize> Vectorized
    for GradFilterTransform<'_, W, M, A>
{
    #[inline(always)]
    fn run<V: Vector>(self) {
        let tap = self.taps.len() / 9;
        let mut between = [[V::splat(0.0); A]; 3];
        for at in vector_offsets::<V>(tap) {
            both_axes!(
                between, W::filter_adjoint, A => 3,
                [a, b] V::load(&self.planes[(a * A + b) * self.plane + at..]),
                [a, b, g] g.store(&mut self.taps[(a * 3 + b) * tap + at..])
            );
        }
    }
}
