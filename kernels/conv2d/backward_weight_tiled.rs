//! Gradient of a convolution with respect to its weights by tile registers (AMX), in bfloat16.
//!
//! ```text
//! gw[(tap, c), o] = Σ_pixels x[pixel + tap, c] · gy[pixel, o]
//!
//! tasks      ranges of images × ranges of input channels × ranges of output channels
//! loop 4     blocks of output rows: their gy in pairs of pixels, their x transposed
//! loop 3     panels of 32 output channels
//! loop 2     32 input channels
//! loop 1     taps: a product [32, pixels] · [pixels, 32]
//! ```
//!
//! Pixels are numbered with the border of the image, as in [`super::tiled`]; there gy is 0. In x
//! transposed, `[c][pixel]`, the pixels of a tap lie one after the other, a fixed distance from those of
//! the first.
//!
//! The products of different ranges of images are added afterwards, in order.

use super::input_rows::{Channels, copy_padded};
use super::partition::{Partition, Task};
use crate::arch::{SimdLevel, TILE_SIDE, TileRows, Tiles, halves};
use crate::bf16::pack_pairs;
use crate::gemm::pack::copy_rows;
use crate::parallel::parallel_chunks;
use crate::scratch::{self, Scratch};
use crate::{Conv2dGeometry, Precision};
use std::ops::Range;

/// Input and output channels of a task: its sums stay in L2.
const CHANNELS: usize = 128;
/// Pixels of a block.
const PIXELS: usize = 256;

/// Returns whether tiles compute this gradient.
pub fn applies(simd: SimdLevel, precision: Precision, g: &Conv2dGeometry) -> bool {
    precision == Precision::Bf16
        && simd.has_tiles()
        && g.stride == [1, 1]
        && g.groups == 1
        && g.c_in > 0
        && g.c_in.is_multiple_of(TILE_SIDE)
}

/// Computes grad_weight where the tiles [apply](applies); see [`super::backward_weight`].
pub fn backward_weight(
    simd: SimdLevel,
    g: &Conv2dGeometry,
    x: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) {
    grad_weight.fill(0.0);
    if x.is_empty() || grad_output.is_empty() || grad_weight.is_empty() {
        return;
    }
    let partition = Partition::new(g, CHANNELS);
    // Sums of one task, `[o / 32][tap][c][32]`.
    let outputs = g.c_out.min(CHANNELS).next_multiple_of(TILE_SIDE);
    let len = g.k_h * g.k_w * g.c_in.min(CHANNELS) * outputs;
    let mut partial = scratch::take(partition.tasks() * len);
    parallel_chunks(&mut partial, len, |task, sums| {
        if let Some(tiles) = Tiles::of(simd) {
            partition.task(g, task).sum_by_tiles(&tiles, simd, g, x, grad_output, sums);
        }
    });
    let taps = g.k_h * g.k_w;
    parallel_chunks(grad_weight, TILE_SIDE * g.c_in * taps, |panel, filters| {
        let (range_o, j) = (panel * TILE_SIDE / CHANNELS, panel * TILE_SIDE % CHANNELS / TILE_SIDE);
        for task in 0..partition.tasks() {
            let Task { c, .. } = partition.task(g, task);
            if task % partition.ranges_o != range_o {
                continue;
            }
            let sums = &partial[task * len + j * taps * c.len() * TILE_SIDE..];
            for (row, sums) in sums.chunks(TILE_SIDE).take(taps * c.len()).enumerate() {
                let (tap, c) = (row / c.len(), c.start + row % c.len());
                let filters = filters.chunks_mut(g.c_in * taps);
                for (filter, sum) in filters.zip(sums) {
                    filter[c * taps + tap] += sum;
                }
            }
        }
    });
}

/// Sizes of the blocks of output rows.
struct Blocks {
    /// Output rows of a block.
    rows: usize,
    /// Pixels of a row with the border.
    width: usize,
    /// Pixels that a product sums over: those of the rows, rounded up.
    pixels: usize,
    /// Pixels of x transposed: those and what the taps reach, rounded up to an odd number of cache lines,
    /// so that channels do not meet in a cache set.
    reach: usize,
    /// Blocks in an image, and blocks that are computed together.
    per_image: usize,
    together: usize,
}

impl Blocks {
    fn new(g: &Conv2dGeometry) -> Self {
        let width = g.w_out - 1 + (g.k_w - 1) * g.dilation[1] + 1;
        let per_image = g.h_out.div_ceil((PIXELS / width).clamp(1, g.h_out));
        let rows = g.h_out.div_ceil(per_image);
        let pixels = (rows * width).next_multiple_of(32);
        let last_tap = (g.k_h - 1) * g.dilation[0] * width + (g.k_w - 1) * g.dilation[1];
        let reach = ((pixels + last_tap).div_ceil(32) | 1) * 32;
        let together = (PIXELS / pixels).max(1);
        Self { rows, width, pixels, reach, per_image: g.h_out.div_ceil(rows), together }
    }
    /// Returns image and output rows of a block, numbered over the batch.
    fn rows_of(&self, g: &Conv2dGeometry, block: usize) -> (usize, Range<usize>) {
        let (n, i) = (block / self.per_image, block % self.per_image);
        (n, i * self.rows..((i + 1) * self.rows).min(g.h_out))
    }
}

/// Memory of a task.
struct Memory {
    /// Rows of x or gy, `[pixel][channel]`, in f32 and in pairs of pixels.
    lines: Scratch,
    pairs: Scratch,
    /// x transposed, `[block][c][pixel]`.
    x: Scratch,
    /// gy in pairs of pixels, `[o / 32][block][pixel / 2][32]`.
    gy: Scratch,
}

impl Task {
    /// Runs loops 4 to 1.
    fn sum_by_tiles(
        &self,
        tiles: &Tiles,
        simd: SimdLevel,
        g: &Conv2dGeometry,
        x: &[f32],
        grad_output: &[f32],
        sums: &mut [f32],
    ) {
        let b = Blocks::new(g);
        let (c, panels) = (self.c.len(), self.o.len().div_ceil(TILE_SIDE));
        let widest = c.max(TILE_SIDE);
        let mut memory = Memory {
            lines: scratch::take(b.reach * widest),
            pairs: scratch::take(b.reach / 2 * widest),
            x: scratch::take(b.together * c * b.reach / 2),
            gy: scratch::take(panels * b.together * b.pixels / 2 * TILE_SIDE),
        };
        let all = self.images.start * b.per_image..self.images.end * b.per_image;
        let segments: [usize; PIXELS / 32] = std::array::from_fn(|i| i * c * b.reach);
        for first in all.clone().step_by(b.together) {
            let count = b.together.min(all.end - first);
            for i in 0..count {
                let (n, rows) = b.rows_of(g, first + i);
                self.transpose_x(tiles, simd, g, &b, x, (n, rows.clone()), i, &mut memory);
                for j in 0..panels {
                    let at = (j * b.together + i) * b.pixels / 2 * TILE_SIDE;
                    self.pair_gy(simd, g, &b, grad_output, (n, rows.clone()), [j, at], &mut memory);
                }
            }
            let mut sums = sums.chunks_exact_mut(TILE_SIDE * TILE_SIDE);
            for j in 0..panels {
                let gy = &memory.gy[j * b.together * b.pixels / 2 * TILE_SIDE..];
                for tap in 0..g.k_h * g.k_w {
                    let (u, v) = (tap / g.k_w, tap % g.k_w);
                    let tap = u * g.dilation[0] * b.width + v * g.dilation[1];
                    for (c0, sums) in (0..c).step_by(TILE_SIDE).zip(&mut sums) {
                        let a = TileRows {
                            data: halves(&memory.x),
                            start: c0 * b.reach + tap,
                            row: b.reach,
                            segments: &segments[..count],
                            steps: b.pixels / 32,
                        };
                        tiles.multiply(&a, gy, sums, TILE_SIDE, first > all.start);
                    }
                }
            }
        }
    }

    /// Writes the rows of x under some output rows, transposed, as block `i`.
    #[allow(clippy::too_many_arguments)] // the place of the rows, and where they go
    fn transpose_x(
        &self,
        tiles: &Tiles,
        simd: SimdLevel,
        g: &Conv2dGeometry,
        b: &Blocks,
        x: &[f32],
        (n, rows): (usize, Range<usize>),
        i: usize,
        memory: &mut Memory,
    ) {
        let c = self.c.len();
        let (lines, rest) = memory.lines[..b.reach * c]
            .split_at_mut((rows.len() + (g.k_h - 1) * g.dilation[0]) * b.width * c);
        let channels = Channels { first: self.c.start, count: c };
        copy_padded(g, x, (n, rows.start), channels, lines, b.width * c);
        rest.fill(0.0);
        let pairs = &mut memory.pairs[..b.reach / 2 * c];
        pack_pairs(simd, &memory.lines[..b.reach * c], c, pairs);
        let to = &mut memory.x[i * c * b.reach / 2..][..c * b.reach / 2];
        tiles.transpose(pairs, c, [b.reach / 32, c / 16], to, b.reach / 2);
    }

    /// Writes the rows of gy, output channels of panel `j`, in pairs of pixels from `at` on.
    #[allow(clippy::too_many_arguments)] // the place of the rows, and where they go
    fn pair_gy(
        &self,
        simd: SimdLevel,
        g: &Conv2dGeometry,
        b: &Blocks,
        grad_output: &[f32],
        (n, rows): (usize, Range<usize>),
        [j, at]: [usize; 2],
        memory: &mut Memory,
    ) {
        let (o, num_o) =
            (self.o.start + j * TILE_SIDE, TILE_SIDE.min(self.o.len() - j * TILE_SIDE));
        let lines = &mut memory.lines[..b.pixels * TILE_SIDE];
        lines.fill(0.0);
        for (line, row) in lines.chunks_mut(b.width * TILE_SIDE).zip(rows) {
            let gy = &grad_output[(n * g.h_out + row) * g.w_out * g.c_out + o..];
            copy_rows(gy, g.c_out, [g.w_out, num_o], line, TILE_SIDE);
        }
        let pairs = &mut memory.gy[at..][..b.pixels / 2 * TILE_SIDE];
        pack_pairs(simd, &memory.lines[..b.pixels * TILE_SIDE], TILE_SIDE, pairs);
    }
}
