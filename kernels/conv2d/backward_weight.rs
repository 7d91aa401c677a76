//! Gradient of a convolution with respect to its weights, by direct products.
//!
//! ```text
//! gw[(tap, c), o] = Σ_pixels x[pixel + tap, c] · gy[pixel, o]
//!
//! tasks      ranges of images × ranges of input channels × panels of nr output channels
//! loop 2     blocks of output rows: pack their gy in a panel, pad their x
//! loop 1     ir over (tap, c) by mr: a micro-kernel sums over the pixels of the block
//! ```
//!
//! In bfloat16 a product is one of pairs of neighbouring pixels.
//!
//! The products of different ranges of images are added afterwards, in order. The partition into
//! tasks depends on the geometry alone, so the bits do not depend on the number of threads.

use super::backward_weight_tiled;
use super::input_rows::{Channels, InputRows, Words};
use crate::arch::{BlockMut, Lhs, MAX_MR, MAX_NR, MicroKernel, SimdLevel, micro_kernel_in};
use crate::bf16::pack_pairs;
use crate::gemm::pack::copy_rows;
use crate::parallel::parallel_chunks;
use crate::{Conv2dGeometry, Precision, scratch};
use std::ops::Range;

/// Pixels summed by one call of a micro-kernel: the panel of their gy stays in L1.
const PIXELS: usize = 192;
/// Largest number of output rows among them.
const MAX_ROWS: usize = 32;
/// Input channels per task.
const CHANNELS: usize = 128;
/// The batch is split where the other two axes give fewer tasks than this.
const TASKS: usize = 8;

/// Computes grad_weight; see [`super::backward_weight`].
pub fn backward_weight(
    (simd, precision): (SimdLevel, Precision),
    g: &Conv2dGeometry,
    x: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) {
    if backward_weight_tiled::applies(simd, precision, g) {
        return backward_weight_tiled::backward_weight(simd, g, x, grad_output, grad_weight);
    }
    grad_weight.fill(0.0);
    if x.is_empty() || grad_output.is_empty() || grad_weight.is_empty() {
        return;
    }
    let how = How { simd, precision, kernel: micro_kernel_in(simd, precision) };
    let kernel = how.kernel;
    let partition = Partition::new(g, kernel.nr);
    let mut partial = scratch::take(partition.tasks() * partition.len);
    parallel_chunks(&mut partial, partition.len, |task, sums| {
        partition.task(g, task, kernel.nr).run(g, x, grad_output, how, sums);
    });
    let (c, o) = (g.c_in / g.groups, g.c_out / g.groups);
    parallel_chunks(grad_weight, g.k_h * g.k_w * c, |o_all, filter| {
        let (group, o_in_group) = (o_all / o, o_all % o);
        for range_n in 0..partition.ranges_n {
            for range_c in 0..partition.ranges_c {
                let j = o_in_group / kernel.nr;
                let task = ((range_n * g.groups + group) * partition.ranges_c + range_c)
                    * partition.panels
                    + j;
                let sums = &partial[task * partition.len..];
                let c0 = range_c * CHANNELS;
                let order = ChannelsAndTaps::new(CHANNELS.min(c - c0), g.k_h * g.k_w);
                for (m, (c, tap)) in order.enumerate() {
                    filter[(c0 + c) * g.k_h * g.k_w + tap] +=
                        sums[m * kernel.nr + o_in_group % kernel.nr];
                }
            }
        }
    });
}

/// The instructions and the precision of the products.
#[derive(Clone, Copy)]
struct How {
    simd: SimdLevel,
    precision: Precision,
    kernel: &'static MicroKernel,
}

/// The partition of the work into tasks.
struct Partition {
    groups: usize,
    /// Ranges of images; ranges of input channels and panels of output channels, per group.
    ranges_n: usize,
    ranges_c: usize,
    panels: usize,
    /// Floats of the sums of one task, `[taps · channels, nr]`.
    len: usize,
}

impl Partition {
    fn new(g: &Conv2dGeometry, nr: usize) -> Self {
        let (c, o) = (g.c_in / g.groups, g.c_out / g.groups);
        let (ranges_c, panels) = (c.div_ceil(CHANNELS), o.div_ceil(nr));
        // By MAX_NR instead of nr: every SIMD level must add the same ranges.
        let ranges_n = TASKS.div_ceil(ranges_c * o.div_ceil(MAX_NR) * g.groups).min(g.n);
        let len = g.k_h * g.k_w * c.min(CHANNELS) * nr;
        Self { groups: g.groups, ranges_n, ranges_c, panels, len }
    }
    fn tasks(&self) -> usize {
        self.ranges_n * self.groups * self.ranges_c * self.panels
    }
    fn task(&self, g: &Conv2dGeometry, task: usize, nr: usize) -> Task {
        let (c, o) = (g.c_in / g.groups, g.c_out / g.groups);
        let (rest, panel) = (task / self.panels, task % self.panels);
        let (rest, range_c) = (rest / self.ranges_c, rest % self.ranges_c);
        let (range_n, group) = (rest / self.groups, rest % self.groups);
        let (c0, o0) = (range_c * CHANNELS, panel * nr);
        Task {
            images: range_n * g.n / self.ranges_n..(range_n + 1) * g.n / self.ranges_n,
            channels: Channels { first: group * c + c0, count: CHANNELS.min(c - c0) },
            first_o: group * o + o0,
            num_o: nr.min(o - o0),
        }
    }
}

/// One task: a range of images, of input channels and of output channels.
struct Task {
    images: Range<usize>,
    channels: Channels,
    first_o: usize,
    num_o: usize,
}

impl Task {
    /// Runs loops 2 and 1: `sums` `[taps · channels, nr]` over all images of the task.
    fn run(
        &self,
        g: &Conv2dGeometry,
        x: &[f32],
        grad_output: &[f32],
        How { simd, precision, kernel }: How,
        sums: &mut [f32],
    ) {
        let (words, pixels_per_word) = match precision {
            Precision::F32 => (Words::Single, 1),
            Precision::Bf16 => (Words::PairsOfPixels(simd), 2),
        };
        let k = g.w_out.div_ceil(pixels_per_word);
        let rows_per_block = (PIXELS / g.w_out).clamp(1, MAX_ROWS);
        let mut panel = scratch::take(rows_per_block * k * kernel.nr);
        let mut line = scratch::take(g.w_out * kernel.nr);
        let m = g.k_h * g.k_w * self.channels.count;
        let mut sums = BlockMut::new(sums, m, kernel.nr, kernel.nr);
        let all = self.images.start * g.h_out..self.images.end * g.h_out;
        for first in all.clone().step_by(rows_per_block) {
            let rows = first..(first + rows_per_block).min(all.end);
            let gy = &grad_output[first * g.w_out * g.c_out + self.first_o..];
            let pixels = rows.len() * g.w_out;
            match precision {
                Precision::F32 => {
                    copy_rows(gy, g.c_out, [pixels, self.num_o], &mut panel, kernel.nr);
                }
                Precision::Bf16 => {
                    for (r, panel) in panel.chunks_mut(k * kernel.nr).take(rows.len()).enumerate() {
                        let gy = &gy[r * g.w_out * g.c_out..];
                        copy_rows(gy, g.c_out, [g.w_out, self.num_o], &mut line, kernel.nr);
                        pack_pairs(simd, &line, kernel.nr, panel);
                    }
                }
            }
            let input = InputRows::new(g, x, rows.clone(), self.channels, words);
            let mut segments = [0; MAX_ROWS];
            for (s, r) in segments.iter_mut().zip(rows.clone()) {
                *s = input.row_offset(r);
            }
            let mut order = ChannelsAndTaps::new(self.channels.count, g.k_h * g.k_w);
            for ir in (0..m).step_by(kernel.mr) {
                let mut at = [0; MAX_MR];
                for (at, (c, tap)) in at.iter_mut().zip(order.by_ref().take(kernel.mr)) {
                    *at = input.tap_offset(tap) + c;
                }
                let lhs = Lhs {
                    data: input.data(),
                    rows: &at,
                    segments: &segments[..rows.len()],
                    k,
                    step: pixels_per_word * input.pixel_step(),
                };
                let mut tile = sums.tile(ir, 0, kernel.mr, kernel.nr);
                kernel.run(&lhs, &panel, &mut tile, first > all.start);
            }
        }
    }
}

/// The rows of the sums in order: (channel, tap), with up to four neighbouring channels per tap, so
/// that a tile reads the same cache lines again.
struct ChannelsAndTaps {
    c: usize,
    taps: usize,
    /// Block of four channels, tap, channel in the block.
    block: usize,
    tap: usize,
    lane: usize,
}

impl ChannelsAndTaps {
    fn new(c: usize, taps: usize) -> Self {
        Self { c, taps, block: 0, tap: 0, lane: 0 }
    }
}

impl Iterator for ChannelsAndTaps {
    type Item = (usize, usize);
    fn next(&mut self) -> Option<(usize, usize)> {
        if self.block >= self.c {
            return None;
        }
        let item = (self.block + self.lane, self.tap);
        self.lane += 1;
        if self.lane == 4.min(self.c - self.block) {
            (self.lane, self.tap) = (0, self.tap + 1);
            if self.tap == self.taps {
                (self.tap, self.block) = (0, self.block + 4);
            }
        }
        Some(item)
    }
}
