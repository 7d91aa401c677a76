//! Winograd convolution, forward (and backward-input, which is one too).
//!
//! ```text
//! U[p][c, o] = (G·g·Gᵀ)[p]                    once, in panels of nr output channels
//! tasks      runs of tile rows, over the threads
//!            V[p][tile, c] = (Bᵀ·d·B)[p]      into L2
//! loop 3     jr over output channels by nr
//! loop 2     p over the A² products
//! loop 1     ir over tiles by mr: a micro-kernel, M[p][tile, o] = Σ_c V·U
//!            y = Aᵀ·M·A
//! ```

use super::tiles::Tiles;
use super::transform::{Filter, Input, Output, PAD};
use super::variant::Variant;
use crate::arch::{BlockMut, MicroKernel, Strip, Vectorized, micro_kernel, vectorized};
use crate::conv2d::epilogue::{Epilogue, Part, Target};
use crate::conv2d::filters::Filters;
use crate::gemm::pack::KC;
use crate::parallel::{parallel_chunks, threads};
use crate::{Conv2dGeometry, scratch};
use std::marker::PhantomData;
use std::ops::Range;

/// Tiles of one task, a multiple of every mr: their V stays in L2.
const TASK_TILES: usize = 48;
/// Beyond this many floats U streams past each task from outside of L2, and longer tasks read it
/// less often.
const LARGE_U: usize = 1 << 21;

/// The convolution described by `g` (3×3, stride 1, no dilation, one group) by variant `W`.
pub fn correlate<W, const M: usize, const A: usize>(
    g: &Conv2dGeometry,
    x: &[f32],
    filters: &Filters,
    after: Epilogue,
    target: Target,
) where
    W: Variant<M, A> + Sync,
    for<'a> Input<'a, W>: Vectorized,
    for<'a> Output<'a, W>: Vectorized,
    for<'a> Filter<'a, W>: Vectorized,
{
    let kernel = micro_kernel();
    let mut u = scratch::take(transformed_len::<A>(filters, kernel));
    transform_filters::<W, M, A>(filters, kernel, &mut u);
    correlate_transformed::<W, M, A>(kernel, g, x, &u, after, target);
}

/// Length of the transformed filters.
pub fn transformed_len<const A: usize>(filters: &Filters, kernel: &MicroKernel) -> usize {
    A * A * filters.c * filters.o.next_multiple_of(kernel.nr)
}

/// The convolution described by `g` (3×3, stride 1, no dilation, one group) by variant `W`, with
/// filters that [`transform_filters`] has transformed for the micro-kernel.
pub fn correlate_transformed<W, const M: usize, const A: usize>(
    kernel: &MicroKernel,
    g: &Conv2dGeometry,
    x: &[f32],
    u: &[f32],
    after: Epilogue,
    target: Target,
) where
    W: Variant<M, A> + Sync,
    for<'a> Input<'a, W>: Vectorized,
    for<'a> Output<'a, W>: Vectorized,
{
    assert!([g.k_h, g.k_w] == [3, 3] && g.stride == [1, 1] && g.dilation == [1, 1]);
    assert!(g.groups == 1 && x.len() == g.input_len() && target.y.len() == after.output_len(g));
    if target.y.is_empty() || x.is_empty() {
        return after.alone(g, target);
    }
    let tiles = Tiles::new(g, M).pooled(after.pool);
    let rows = g.n * tiles.rows;
    let task_tiles = if u.len() > LARGE_U { 2 * TASK_TILES } else { TASK_TILES };
    let per_task = task_tiles.div_ceil(tiles.columns).min(rows.div_ceil(2 * threads()));
    let start = |task: usize| tiles.row_start((task * per_task).min(rows));
    target.write_parts(g.c_out, rows.div_ceil(per_task), &start, &|task, part| {
        let range = task * per_task..((task + 1) * per_task).min(rows);
        let range = range.start * tiles.columns..range.end * tiles.columns;
        let task = Task { g, kernel, tiles, u };
        task.run::<W, M, A>(x, after, range, part);
    });
}

/// U in panels `[o / nr][p][c][nr]`.
pub fn transform_filters<W, const M: usize, const A: usize>(
    f: &Filters,
    kernel: &MicroKernel,
    u: &mut [f32],
) where
    W: Variant<M, A>,
    for<'a> Filter<'a, W>: Vectorized,
{
    let nr = kernel.nr;
    parallel_chunks(u, A * A * f.c * nr, |j, planes| {
        let mut panel = scratch::take(f.taps * KC.min(f.c) * nr);
        for c0 in (0..f.c).step_by(KC) {
            let kc = KC.min(f.c - c0);
            let panel = &mut panel[..f.taps * kc * nr];
            f.pack_panel([c0, kc], j * nr, nr, panel);
            let planes = &mut planes[c0 * nr..];
            let plane = f.c * nr;
            vectorized(kc * nr, Filter::<W> { panel, planes, plane, variant: PhantomData });
        }
    });
}

struct Task<'a> {
    g: &'a Conv2dGeometry,
    kernel: &'a MicroKernel,
    tiles: Tiles<'a>,
    u: &'a [f32],
}

impl Task<'_> {
    /// Computes the tiles `range`; `part` starts at the first of their rows.
    fn run<W, const M: usize, const A: usize>(
        &self,
        x: &[f32],
        after: Epilogue,
        range: Range<usize>,
        mut part: Part,
    ) where
        W: Variant<M, A>,
        for<'a> Input<'a, W>: Vectorized,
        for<'a> Output<'a, W>: Vectorized,
    {
        let (c, o, nr) = (self.g.c_in, self.g.c_out, self.kernel.nr);
        let count = range.len();
        let (plane_v, plane_m) = (count * c + PAD, count * nr + PAD);
        let mut v = scratch::take(A * A * plane_v);
        let mut m = scratch::take(A * A * plane_m);
        let input = Input::<W> {
            tiles: self.tiles,
            range: range.clone(),
            x,
            stride: self.g.c_in,
            channels: 0..c,
            planes: &mut v,
            plane: plane_v,
            variant: PhantomData,
        };
        vectorized(c, input);
        for jr in (0..o).step_by(nr) {
            let u = &self.u[jr * A * A * c..];
            for p in 0..A * A {
                let v = &v[p * plane_v..][..count * c];
                let m = BlockMut::new(&mut m[p * plane_m..], count, nr, nr);
                self.product(v, &u[p * c * nr..], m);
            }
            let output = Output::<W> {
                tiles: self.tiles,
                range: range.clone(),
                planes: &m,
                plane: plane_m,
                row: nr,
                first: jr,
                n: nr.min(o - jr),
                after,
                y: part.y,
                first_pixel: self.tiles.row_start(range.start / self.tiles.columns),
                variant: PhantomData,
            };
            vectorized(nr.min(o - jr), output);
            part.written(jr..o.min(jr + nr));
        }
    }

    /// Loop 1: m\[tile, nr\] = v\[tile, c\]·u\[c, nr\].
    fn product(&self, v: &[f32], u: &[f32], mut m: BlockMut) {
        let (c, nr) = (self.g.c_in, self.kernel.nr);
        for c0 in (0..c).step_by(KC) {
            let v = Strip { data: &v[c0..], row: c, step: 1, k: KC.min(c - c0) };
            self.kernel.run_strip(&v, &u[c0 * nr..], &mut m, c0 > 0);
        }
    }
}
