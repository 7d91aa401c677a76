//! The gradient of a Winograd convolution with respect to its filters: the adjoint of every step.
//!
//! ```text
//! dU[p][c, o] = Σ_tiles V[p][tile, c] · W[p][tile, o]      W = A·gy·Aᵀ
//! gw          = Gᵀ·dU·G
//!
//! tasks      ranges of images × ranges of input channels × ranges of output channels
//! loop 4     blocks of tiles: V and W into L2
//! loop 3     p over the A² products
//! loop 2     jr over output channels by nr
//! loop 1     ir over input channels by mr: a micro-kernel sums over the tiles of the block
//! ```
//!
//! In bfloat16 a product is one of pairs of neighbouring tiles.
//!
//! The dU of different ranges of images are added afterwards, in order.

use super::tiles::Tiles;
use super::transform::{GradFilterTransform, GradOutputTransform, InputTransform, PAD, Pairs};
use super::variant::Variant;
use crate::arch::{BlockMut, SimdLevel, Strip, micro_kernel, micro_kernel_in, vectorized};
use crate::conv2d::partition::{Partition, Task};
use crate::gemm::pack::transpose;
use crate::parallel::parallel_chunks;
use crate::{Conv2dGeometry, Precision, scratch};
use std::marker::PhantomData;

/// Input and output channels of one task: its dU stays in L2.
const CHANNELS: usize = 64;
/// Tiles of one block times M: their V and W about fit L2.
const TILES_TIMES_SIDE: usize = 192;

/// Computes grad_weight of the convolution `g` (3×3, stride 1, one group) by variant `W`.
pub fn backward_weight<W: Variant<M, A> + Sync, const M: usize, const A: usize>(
    (simd, precision): (SimdLevel, Precision),
    g: &Conv2dGeometry,
    x: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) {
    assert!([g.k_h, g.k_w] == [3, 3] && g.stride == [1, 1] && g.dilation == [1, 1]);
    assert!(g.groups == 1 && x.len() == g.input_len() && grad_output.len() == g.output_len());
    assert!(grad_weight.len() == g.weight_len());
    grad_weight.fill(0.0);
    if x.is_empty() || grad_output.is_empty() {
        return;
    }
    let partition = Partition::new(g, CHANNELS);
    // dU of one task, `[A²][o / nr][c][nr]`.
    let outputs = g.c_out.min(CHANNELS).next_multiple_of(micro_kernel(simd).nr);
    let len = A * A * g.c_in.min(CHANNELS) * outputs;
    let mut sums = scratch::take(partition.tasks() * len);
    parallel_chunks(&mut sums, len, |task, sums| {
        partition.task(g, task).sum_by_winograd::<W, M, A>(
            (simd, precision),
            g,
            x,
            grad_output,
            sums,
        );
    });
    let (first, others) = sums.split_at_mut(partition.ranges_c * partition.ranges_o * len);
    parallel_chunks(first, len, |channels, sum| {
        for run in
            others.chunks(len).skip(channels).step_by(partition.ranges_c * partition.ranges_o)
        {
            sum.iter_mut().zip(run).for_each(|(sum, &part)| *sum += part);
        }
    });
    // One task per range of output channels: its filters are contiguous.
    parallel_chunks(grad_weight, CHANNELS * g.c_in * 9, |range_o, filters| {
        for range_c in 0..partition.ranges_c {
            let at = range_c * partition.ranges_o + range_o;
            let sums = &first[at * len..][..len];
            partition.task(g, at).finish::<W, M, A>(simd, g, sums, filters);
        }
    });
}

impl Task {
    /// Runs loops 4 to 1: dU over all images of the task.
    fn sum_by_winograd<W: Variant<M, A>, const M: usize, const A: usize>(
        &self,
        (simd, precision): (SimdLevel, Precision),
        g: &Conv2dGeometry,
        x: &[f32],
        grad_output: &[f32],
        sums: &mut [f32],
    ) {
        let kernel = micro_kernel_in(simd, precision);
        let (pairs, tiles_per_word) = match precision {
            Precision::F32 => (None, 1),
            Precision::Bf16 => (Some(Pairs::OfTiles), 2),
        };
        let (tiles, nr, c) = (Tiles::new(g, M), kernel.nr, self.c.len());
        let panels = self.o.len().div_ceil(nr);
        let block = TILES_TIMES_SIDE / M;
        let words = block.div_ceil(tiles_per_word);
        let (plane_v, plane_w) = (words * c + PAD, words * panels * nr + PAD);
        let mut v = scratch::take(A * A * plane_v);
        let mut w = scratch::take(A * A * plane_w);
        w.fill(0.0); // columns to the right of the last channel stay 0
        let all = self.images.start * tiles.per_image()..self.images.end * tiles.per_image();
        for first in all.clone().step_by(block) {
            let range = first..(first + block).min(all.end);
            let k = range.len().div_ceil(tiles_per_word);
            let input = InputTransform::<W, M, A> {
                tiles,
                range: range.clone(),
                x,
                stride: g.c_in,
                channels: self.c.clone(),
                planes: &mut v,
                plane: plane_v,
                pairs,
                variant: PhantomData,
            };
            vectorized(simd, c, input);
            let grad = GradOutputTransform::<W, M, A> {
                tiles,
                range,
                grad_output,
                first: self.o.start,
                n: self.o.len(),
                planes: &mut w,
                plane: plane_w,
                nr,
                precision,
                variant: PhantomData,
            };
            vectorized(simd, self.o.len() - (panels - 1) * nr, grad);
            for p in 0..A * A {
                for j in 0..panels {
                    let sums = &mut sums[(p * panels + j) * c * nr..];
                    let mut sums = BlockMut::new(sums, c, nr, nr);
                    let w = &w[p * plane_w + j * k * nr..];
                    // sums [c, nr] (+)= V [k words, c]ᵀ · W [k words, nr].
                    let v = Strip { data: &v[p * plane_v..], row: 1, step: c, k };
                    kernel.run_strip(&v, w, &mut sums, first > all.start);
                }
            }
        }
    }

    /// Writes Gᵀ·dU·G into `filters` `[o][c_in][tap]`, which start at output channel
    /// `self.o.start`.
    fn finish<W: Variant<M, A>, const M: usize, const A: usize>(
        &self,
        simd: SimdLevel,
        g: &Conv2dGeometry,
        sums: &[f32],
        filters: &mut [f32],
    ) {
        let (nr, c) = (micro_kernel(simd).nr, self.c.len());
        let panels = self.o.len().div_ceil(nr);
        let mut taps = scratch::take(9 * c * nr);
        for j in 0..panels {
            let planes = &sums[j * c * nr..];
            let plane = panels * c * nr;
            let grad = GradFilterTransform::<W, M, A> {
                planes,
                plane,
                taps: &mut taps,
                variant: PhantomData,
            };
            vectorized(simd, c * nr, grad);
            let n = nr.min(self.o.len() - j * nr);
            for c_in in 0..c {
                // From [tap][nr] of one input channel to [o][tap].
                let at = |o: usize| ((j * nr + o) * g.c_in + self.c.start + c_in) * 9;
                transpose(&taps[c_in * nr..], c * nr, [9, n], filters, at);
            }
        }
    }
}
