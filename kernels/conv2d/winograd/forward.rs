//! The forward pass of a Winograd convolution, which is also its gradient of the input.
//!
//! ```text
//! U[p][c, o] = (G·g·Gᵀ)[p]                    once, in panels of nr output channels
//! tasks      ranges of tile rows, over the threads
//!            V[p][tile, c] = (Bᵀ·d·B)[p]      into L2
//! loop 3     jr over output channels by nr
//! loop 2     p over the A² products
//! loop 1     ir over tiles by mr: a micro-kernel, M[p][tile, o] = Σ_c V·U
//!            y = Aᵀ·M·A
//! ```

use super::tiles::Tiles;
use super::transform::{FilterTransform, InputTransform, OutputTransform, PAD};
use super::variant::Variant;
use crate::arch::{BlockMut, SimdLevel, Strip, micro_kernel, vectorized};
use crate::conv2d::epilogue::{Epilogue, Output, Part};
use crate::conv2d::filters::Filters;
use crate::gemm::pack::KC;
use crate::parallel::{parallel_chunks, threads};
use crate::{Conv2dGeometry, scratch};
use std::marker::PhantomData;
use std::ops::Range;

/// Tiles of one task, a multiple of every mr: their V stays in L2.
const TASK_TILES: usize = 48;
/// Floats of U beyond which every task reads U from outside L2. Longer tasks then read it less
/// often.
const LARGE_U: usize = 1 << 21;

/// Computes the convolution `g` (3×3, stride 1, no dilation, one group) by variant `W`.
pub fn correlate<W: Variant<M, A> + Sync, const M: usize, const A: usize>(
    simd: SimdLevel,
    g: &Conv2dGeometry,
    x: &[f32],
    filters: &Filters,
    epilogue: Epilogue,
    output: Output,
) {
    let mut u = scratch::take(transformed_len(simd, A * A, filters));
    transform_filters::<W, M, A>(simd, filters, &mut u);
    correlate_transformed::<W, M, A>(simd, g, x, &u, epilogue, output);
}

/// Returns the length of the transformed filters with so many products per tile.
pub fn transformed_len(simd: SimdLevel, products: usize, filters: &Filters) -> usize {
    products * filters.c * filters.o.next_multiple_of(micro_kernel(simd).nr)
}

/// Computes the convolution `g` (3×3, stride 1, no dilation, one group) by variant `W`, with
/// filters that [`transform_filters`] has transformed for this SIMD level.
pub fn correlate_transformed<W: Variant<M, A> + Sync, const M: usize, const A: usize>(
    simd: SimdLevel,
    g: &Conv2dGeometry,
    x: &[f32],
    u: &[f32],
    epilogue: Epilogue,
    output: Output,
) {
    assert!([g.k_h, g.k_w] == [3, 3] && g.stride == [1, 1] && g.dilation == [1, 1]);
    assert!(g.groups == 1 && x.len() == g.input_len() && output.y.len() == epilogue.output_len(g));
    if output.y.is_empty() || x.is_empty() {
        return epilogue.apply_to_zero(simd, g, output);
    }
    let tiles = Tiles::new(g, M).pooled(epilogue.pool);
    let rows = g.n * tiles.rows;
    let task_tiles = if u.len() > LARGE_U { 2 * TASK_TILES } else { TASK_TILES };
    let per_task = task_tiles.div_ceil(tiles.columns).min(rows.div_ceil(2 * threads()));
    let start = |task: usize| tiles.row_start((task * per_task).min(rows));
    output.write_parts(simd, g.c_out, rows.div_ceil(per_task), &start, &|task, part| {
        let range = task * per_task..((task + 1) * per_task).min(rows);
        let range = range.start * tiles.columns..range.end * tiles.columns;
        let task = Task { simd, g, tiles, u };
        task.run::<W, M, A>(x, epilogue, range, part);
    });
}

/// Computes U in panels `[o / nr][p][c][nr]`.
pub fn transform_filters<W: Variant<M, A>, const M: usize, const A: usize>(
    simd: SimdLevel,
    f: &Filters,
    u: &mut [f32],
) {
    let nr = micro_kernel(simd).nr;
    parallel_chunks(u, A * A * f.c * nr, |j, planes| {
        let mut panel = scratch::take(f.taps * KC.min(f.c) * nr);
        for c0 in (0..f.c).step_by(KC) {
            let kc = KC.min(f.c - c0);
            let panel = &mut panel[..f.taps * kc * nr];
            f.pack_panel([c0, kc], j * nr, nr, panel);
            let planes = &mut planes[c0 * nr..];
            let plane = f.c * nr;
            let op = FilterTransform::<W, M, A> { panel, planes, plane, variant: PhantomData };
            vectorized(simd, kc * nr, op);
        }
    });
}

/// The operands of a task.
struct Task<'a> {
    simd: SimdLevel,
    g: &'a Conv2dGeometry,
    tiles: Tiles<'a>,
    u: &'a [f32],
}

impl Task<'_> {
    /// Computes the tiles `range`; `part` starts at their first row.
    fn run<W: Variant<M, A>, const M: usize, const A: usize>(
        &self,
        x: &[f32],
        epilogue: Epilogue,
        range: Range<usize>,
        mut part: Part,
    ) {
        let (simd, c, o, nr) = (self.simd, self.g.c_in, self.g.c_out, micro_kernel(self.simd).nr);
        let count = range.len();
        let (plane_v, plane_m) = (count * c + PAD, count * nr + PAD);
        let mut v = scratch::take(A * A * plane_v);
        let mut m = scratch::take(A * A * plane_m);
        let input = InputTransform::<W, M, A> {
            tiles: self.tiles,
            range: range.clone(),
            x,
            stride: self.g.c_in,
            channels: 0..c,
            planes: &mut v,
            plane: plane_v,
            variant: PhantomData,
        };
        vectorized(simd, c, input);
        for jr in (0..o).step_by(nr) {
            let u = &self.u[jr * A * A * c..];
            for p in 0..A * A {
                let v = &v[p * plane_v..][..count * c];
                let m = BlockMut::new(&mut m[p * plane_m..], count, nr, nr);
                self.product(v, &u[p * c * nr..], m);
            }
            let output = OutputTransform::<W, M, A> {
                tiles: self.tiles,
                range: range.clone(),
                planes: &m,
                plane: plane_m,
                row: nr,
                first: jr,
                n: nr.min(o - jr),
                epilogue,
                y: part.y,
                first_pixel: self.tiles.row_start(range.start / self.tiles.columns),
                variant: PhantomData,
            };
            vectorized(simd, nr.min(o - jr), output);
            part.written(simd, jr..o.min(jr + nr));
        }
    }

    /// Runs loop 1: m\[tile, nr\] = v\[tile, c\]·u\[c, nr\].
    fn product(&self, v: &[f32], u: &[f32], mut m: BlockMut) {
        let (c, kernel) = (self.g.c_in, micro_kernel(self.simd));
        for c0 in (0..c).step_by(KC) {
            let v = Strip { data: &v[c0..], row: c, step: 1, k: KC.min(c - c0) };
            kernel.run_strip(&v, &u[c0 * kernel.nr..], &mut m, c0 > 0);
        }
    }
}
