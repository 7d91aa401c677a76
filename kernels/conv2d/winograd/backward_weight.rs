//! Gradient of a Winograd convolution with respect to its filters: the adjoint of every step.
//!
//! ```text
//! dU[p][c, o] = Σ_tiles V[p][tile, c] · W[p][tile, o]      W = A·gy·Aᵀ
//! gw          = Gᵀ·dU·G
//!
//! tasks      runs of images × runs of input channels × runs of output channels
//! loop 4     blocks of tiles: V and W into L2
//! loop 3     p over the A² products
//! loop 2     jr over output channels by nr
//! loop 1     ir over input channels by mr: a micro-kernel sums over the tiles of the block
//! ```
//!
//! The dU of different runs of images are added afterwards in their order. How the work is cut
//! depends on the geometry alone, so the bits do not depend on the threads.

use super::tiles::Tiles;
use super::transform::{GradFilter, GradOutput, Input, PAD};
use super::variant::Variant;
use crate::arch::{BlockMut, MicroKernel, Strip, Vectorized, micro_kernel, vectorized};
use crate::gemm::pack::transpose;
use crate::parallel::parallel_chunks;
use crate::{Conv2dGeometry, scratch};
use std::marker::PhantomData;
use std::ops::Range;

/// Input and output channels of one task: its dU stays in L2.
const CHANNELS: usize = 64;
/// Tiles of one block times M: their V and W stay near L2.
const TILES_TIMES_SIDE: usize = 192;
/// Cut the batch where the channels alone give fewer tasks than this.
const TASKS: usize = 8;

/// grad_weight of the convolution `g` (3×3, stride 1, one group) by variant `W`.
pub fn backward_weight<W, const M: usize, const A: usize>(
    g: &Conv2dGeometry,
    x: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) where
    W: Variant<M, A> + Sync,
    for<'a> Input<'a, W>: Vectorized,
    for<'a> GradOutput<'a, W>: Vectorized,
    for<'a> GradFilter<'a, W>: Vectorized,
{
    assert!([g.k_h, g.k_w] == [3, 3] && g.stride == [1, 1] && g.dilation == [1, 1]);
    assert!(g.groups == 1 && x.len() == g.input_len() && grad_output.len() == g.output_len());
    assert!(grad_weight.len() == g.weight_len());
    grad_weight.fill(0.0);
    if x.is_empty() || grad_output.is_empty() {
        return;
    }
    let kernel = micro_kernel();
    let cut = Cut::new(g, A * A, kernel.nr);
    let mut sums = scratch::take(cut.tasks() * cut.len);
    parallel_chunks(&mut sums, cut.len, |task, sums| {
        cut.task(g, task).run::<W, M, A>(g, x, grad_output, kernel, sums);
    });
    let (first, others) = sums.split_at_mut(cut.runs_c * cut.runs_o * cut.len);
    parallel_chunks(first, cut.len, |channels, sum| {
        for run in others.chunks(cut.len).skip(channels).step_by(cut.runs_c * cut.runs_o) {
            sum.iter_mut().zip(run).for_each(|(sum, &part)| *sum += part);
        }
    });
    // One task per run of output channels: its filters are one piece of memory.
    parallel_chunks(grad_weight, CHANNELS * g.c_in * 9, |run_o, filters| {
        for run_c in 0..cut.runs_c {
            let at = run_c * cut.runs_o + run_o;
            let sums = &first[at * cut.len..][..cut.len];
            cut.task(g, at).finish::<W, M, A>(g, kernel, sums, filters);
        }
    });
}

/// How the work is cut into tasks.
struct Cut {
    runs_n: usize,
    runs_c: usize,
    runs_o: usize,
    /// Floats of one task's dU, `[A²][o / nr][c][nr]`.
    len: usize,
}

impl Cut {
    fn new(g: &Conv2dGeometry, planes: usize, nr: usize) -> Self {
        let (runs_c, runs_o) = (g.c_in.div_ceil(CHANNELS), g.c_out.div_ceil(CHANNELS));
        let runs_n = TASKS.div_ceil(runs_c * runs_o).min(g.n);
        let (c, o) = (g.c_in.min(CHANNELS), g.c_out.min(CHANNELS).next_multiple_of(nr));
        Self { runs_n, runs_c, runs_o, len: planes * c * o }
    }
    fn tasks(&self) -> usize {
        self.runs_n * self.runs_c * self.runs_o
    }
    fn task(&self, g: &Conv2dGeometry, task: usize) -> Task {
        let (rest, run_o) = (task / self.runs_o, task % self.runs_o);
        let (run, run_c) = (rest / self.runs_c, rest % self.runs_c);
        let channels = |run: usize, all: usize| run * CHANNELS..((run + 1) * CHANNELS).min(all);
        Task {
            images: run * g.n / self.runs_n..(run + 1) * g.n / self.runs_n,
            c: channels(run_c, g.c_in),
            o: channels(run_o, g.c_out),
        }
    }
}

/// One task: these images, these channels in, these channels out.
struct Task {
    images: Range<usize>,
    c: Range<usize>,
    o: Range<usize>,
}

impl Task {
    /// Loops 4 to 1: dU over all images of the task.
    fn run<W, const M: usize, const A: usize>(
        &self,
        g: &Conv2dGeometry,
        x: &[f32],
        grad_output: &[f32],
        kernel: &MicroKernel,
        sums: &mut [f32],
    ) where
        W: Variant<M, A>,
        for<'a> Input<'a, W>: Vectorized,
        for<'a> GradOutput<'a, W>: Vectorized,
    {
        let (tiles, nr, c) = (Tiles::new(g, M), kernel.nr, self.c.len());
        let panels = self.o.len().div_ceil(nr);
        let block = TILES_TIMES_SIDE / M;
        let (plane_v, plane_w) = (block * c + PAD, block * panels * nr + PAD);
        let mut v = scratch::take(A * A * plane_v);
        let mut w = scratch::take(A * A * plane_w);
        w.fill(0.0); // the columns to the right of the last channel
        let all = self.images.start * tiles.per_image()..self.images.end * tiles.per_image();
        for first in all.clone().step_by(block) {
            let range = first..(first + block).min(all.end);
            let k = range.len();
            let input = Input::<W> {
                tiles,
                range: range.clone(),
                x,
                stride: g.c_in,
                channels: self.c.clone(),
                planes: &mut v,
                plane: plane_v,
                variant: PhantomData,
            };
            vectorized(c, input);
            let grad = GradOutput::<W> {
                tiles,
                range,
                grad_output,
                first: self.o.start,
                n: self.o.len(),
                planes: &mut w,
                plane: plane_w,
                nr,
                variant: PhantomData,
            };
            vectorized(self.o.len() - (panels - 1) * nr, grad);
            for p in 0..A * A {
                for j in 0..panels {
                    let sums = &mut sums[(p * panels + j) * c * nr..];
                    let mut sums = BlockMut::new(sums, c, nr, nr);
                    let w = &w[p * plane_w + j * k * nr..];
                    // sums [c, nr] (+)= V [k tiles, c]ᵀ · W [k tiles, nr].
                    let v = Strip { data: &v[p * plane_v..], row: 1, step: c, k };
                    kernel.run_strip(&v, w, &mut sums, first > all.start);
                }
            }
        }
    }

    /// Gᵀ·dU·G into `filters`, which start at output channel `self.o.start`: `[o][c_in][tap]`.
    fn finish<W, const M: usize, const A: usize>(
        &self,
        g: &Conv2dGeometry,
        kernel: &MicroKernel,
        sums: &[f32],
        filters: &mut [f32],
    ) where
        W: Variant<M, A>,
        for<'a> GradFilter<'a, W>: Vectorized,
    {
        let (nr, c) = (kernel.nr, self.c.len());
        let panels = self.o.len().div_ceil(nr);
        let mut taps = scratch::take(9 * c * nr);
        for j in 0..panels {
            let planes = &sums[j * c * nr..];
            let plane = panels * c * nr;
            let grad = GradFilter::<W> { planes, plane, taps: &mut taps, variant: PhantomData };
            vectorized(c * nr, grad);
            let n = nr.min(self.o.len() - j * nr);
            for c_in in 0..c {
                // [tap][nr] of one input channel to [o][tap].
                let at = |o: usize| ((j * nr + o) * g.c_in + self.c.start + c_in) * 9;
                transpose(&taps[c_in * nr..], c * nr, [9, n], filters, at);
            }
        }
    }
}
