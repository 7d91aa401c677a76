//! The input pixels under a block of output rows, with zeros around the image.

use crate::arch::SimdLevel;
use crate::bf16::{narrow, pair_at_distance};
use crate::scratch::{self, Scratch};
use crate::{Conv2dGeometry, parallel};
use std::ops::Range;

/// Output rows, numbered over the batch: row r is row r mod h_out of image r / h_out.
pub type OutputRows = Range<usize>;

/// Pixels that a tile may read beyond the last.
const TILE: usize = 32;

/// Input channels that a block reads.
#[derive(Clone, Copy)]
pub struct Channels {
    pub first: usize,
    pub count: usize,
}

/// Element type of a word of the copied rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// One f32.
    Single,
    /// Two neighbouring channels of a pixel in bfloat16. Their number is even.
    PairsOfChannels(SimdLevel),
    /// A channel of the pixels under two neighbouring outputs of a row in bfloat16.
    PairsOfPixels(SimdLevel),
}

impl Words {
    /// Returns the words of `channels` channels of a pixel.
    fn per_pixel(self, channels: usize) -> usize {
        if matches!(self, Self::PairsOfChannels(_)) { channels / 2 } else { channels }
    }
}

/// The input under some output rows, and the offsets of its pixels and taps in words.
pub struct InputRows<'a> {
    data: Data<'a>,
    /// Distance between the images of the block, between rows and between pixels.
    image: usize,
    row: usize,
    pixel: usize,
    start: usize,
    first: usize,
    g: &'a Conv2dGeometry,
}

enum Data<'a> {
    InPlace(&'a [f32]),
    Padded(Scratch),
}

impl<'a> InputRows<'a> {
    /// Reads `x` in place where the convolution has no padding and words are single, else copies the
    /// rows needed with a border of zeros.
    pub fn new(
        g: &'a Conv2dGeometry,
        x: &'a [f32],
        rows: OutputRows,
        c: Channels,
        words: Words,
    ) -> Self {
        if g.padding == [0, 0] && words == Words::Single {
            let row = g.w_in * g.c_in;
            let image = g.h_in * row;
            let (n, i) = (rows.start / g.h_out, rows.start % g.h_out);
            let start = n * image + i * g.stride[0] * row + c.first;
            return Self {
                data: Data::InPlace(x),
                image,
                row,
                pixel: g.c_in,
                start,
                first: rows.start,
                g,
            };
        }
        let height = (rows.len().min(g.h_out) - 1) * g.stride[0] + (g.k_h - 1) * g.dilation[0] + 1;
        let width = (g.w_out - 1) * g.stride[1] + (g.k_w - 1) * g.dilation[1] + 1;
        let pixel = words.per_pixel(c.count);
        let row = width * pixel;
        let images = (rows.end - 1) / g.h_out - rows.start / g.h_out + 1;
        // Tiles read beyond the last pixel, and drop what they compute there.
        let beyond = if matches!(words, Words::PairsOfChannels(_)) { TILE * pixel } else { 0 };
        let mut padded = scratch::take(images * height * row + beyond);
        for (k, image) in padded.chunks_exact_mut(height * row).take(images).enumerate() {
            let n = rows.start / g.h_out + k;
            let i = if k == 0 { rows.start % g.h_out } else { 0 };
            let from = (n, i * g.stride[0]);
            match words {
                Words::Single => copy_padded(g, x, from, c, image, row),
                Words::PairsOfChannels(simd) => {
                    let copy = |src: &[f32], dst: &mut [f32]| narrow(simd, src, dst);
                    copy_rows_by(g, x, from, c, image, [row, pixel], copy);
                }
                Words::PairsOfPixels(simd) => {
                    // Saturating: with one output in a row any stride fits.
                    let distance = g.stride[1].saturating_mul(c.count);
                    let mut line = scratch::take(row);
                    for (r, words) in image.chunks_mut(row).enumerate() {
                        copy_padded(g, x, (from.0, from.1 + r), c, &mut line, row);
                        pair_at_distance(simd, &line, distance, words);
                    }
                }
            }
        }
        Self {
            data: Data::Padded(padded),
            image: height * row,
            row,
            pixel,
            start: 0,
            first: rows.start,
            g,
        }
    }

    /// Returns the memory that the offsets refer to.
    pub fn data(&self) -> &[f32] {
        match &self.data {
            Data::InPlace(x) => x,
            Data::Padded(x) => x,
        }
    }

    /// Returns the offset of the first pixel of output row `r`, under tap (0, 0).
    pub fn row_offset(&self, r: usize) -> usize {
        let h_out = self.g.h_out;
        let (image, first) = (r / h_out - self.first / h_out, self.first % h_out);
        // Only the first image of the block can start below its top row.
        let down = r % h_out * self.g.stride[0];
        self.start
            + match image {
                0 => down * self.row - first * self.g.stride[0] * self.row,
                _ => match self.data {
                    Data::InPlace(_) => {
                        image * self.image + down * self.row - first * self.g.stride[0] * self.row
                    }
                    Data::Padded(_) => image * self.image + down * self.row,
                },
            }
    }

    /// Returns the distance between the pixels of an output row; 0 where a row has one pixel,
    /// because the stride may then be too large to be multiplied.
    pub fn pixel_step(&self) -> usize {
        if self.g.w_out == 1 { 0 } else { self.g.stride[1] * self.pixel }
    }

    /// Returns the words of a pixel.
    pub fn pixel_words(&self) -> usize {
        self.pixel
    }

    /// Returns the pixels of a row, with the border where the rows are copied.
    pub fn width(&self) -> usize {
        self.row / self.pixel
    }

    /// Returns what tap `t` = u·k_w + v adds to a pixel's offset.
    pub fn tap_offset(&self, t: usize) -> usize {
        let (u, v) = (t / self.g.k_w, t % self.g.k_w);
        u * self.g.dilation[0] * self.row + v * self.g.dilation[1] * self.pixel
    }
}

/// Copies the rows of image `n` from padded row `top` on, with zeros outside the image.
pub fn copy_padded(
    g: &Conv2dGeometry,
    x: &[f32],
    (n, top): (usize, usize),
    c: Channels,
    dst: &mut [f32],
    row: usize,
) {
    copy_rows_by(g, x, (n, top), c, dst, [row, c.count], |src, dst| dst.copy_from_slice(src));
}

/// Copies the same rows of `row` words with `pixel` words for a pixel, which `copy` writes: one pixel or
/// several at once.
fn copy_rows_by(
    g: &Conv2dGeometry,
    x: &[f32],
    (n, top): (usize, usize),
    c: Channels,
    dst: &mut [f32],
    [row, pixel]: [usize; 2],
    copy: impl Fn(&[f32], &mut [f32]),
) {
    let width = row / pixel;
    let left = g.padding[1].min(width);
    let inside = g.w_in.min(width - left);
    for (r, dst) in dst.chunks_mut(row).enumerate() {
        let y = (top + r).wrapping_sub(g.padding[0]);
        if y >= g.h_in {
            dst.fill(0.0);
            continue;
        }
        let src = &x[(n * g.h_in + y) * g.w_in * g.c_in + c.first..];
        let (border, rest) = dst.split_at_mut(left * pixel);
        let (pixels, right) = rest.split_at_mut(inside * pixel);
        border.fill(0.0);
        right.fill(0.0);
        if c.count == g.c_in {
            copy(&src[..inside * c.count], pixels);
        } else {
            for (dst, src) in pixels.chunks_mut(pixel).zip(src.chunks(g.c_in)) {
                copy(&src[..c.count], dst);
            }
        }
    }
}

/// Returns the output rows per task: about `pixels` pixels.
pub fn rows_per_task(g: &Conv2dGeometry, pixels: usize) -> usize {
    pixels.div_ceil(g.w_out).min(g.n * g.h_out).max(1)
}

/// Returns the output channels per task, of `width` in all, so that there are tasks for all
/// threads.
pub fn columns_per_task(row_tasks: usize, width: usize, nr: usize) -> usize {
    let across = (2 * parallel::threads()).div_ceil(row_tasks.max(1));
    width.div_ceil(across).next_multiple_of(nr)
}
