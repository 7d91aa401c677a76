//! The forward pass of a Winograd convolution, which is also its gradient of the input.
//!
//! ```text
//! U[p][c, o] = (G·g·Gᵀ)[p]                    once, in panels of nr output channels
//! tasks      ranges of tile rows, over the threads; for a few tiles, × ranges of output channels
//!            V[p][tile, c] = (Bᵀ·d·B)[p]      into L2
//! loop 3     jr over output channels by nr
//! loop 2     p over the A² products
//! loop 1     ir over tiles by mr: a micro-kernel, M[p][tile, o] = Σ_c V·U
//!            y = Aᵀ·M·A
//! ```

use super::shares::Shares;
use super::tiles::Tiles;
use super::transform::{FilterTransform, InputTransform, OutputTransform, PAD, Pairs};
use super::variant::Variant;
use crate::Conv2dGeometry;
use crate::arch::{
    BlockMut, MicroKernel, SimdLevel, Strip, for_each_part, micro_kernel, micro_kernel_in,
    vectorized,
};
use crate::bf16::{Precision, pack_pairs};
use crate::conv2d::epilogue::{Epilogue, Output, Part};
use crate::conv2d::filters::Filters;
use crate::gemm::pack::KC;
use crate::parallel::{parallel_chunks, threads};
use crate::scratch::{self, Scratch};
use std::marker::PhantomData;
use std::ops::Range;

/// Tiles of one task, a multiple of every mr: their V stays in L2.
const TASK_TILES: usize = 48;
/// Floats of U beyond which every task reads U from outside L2. Longer tasks then read it less
/// often.
const LARGE_U: usize = 1 << 21;

/// Computes the convolution `g` (3×3, stride 1, no dilation, one group) by variant `W`. In bfloat16 the
/// number of input channels is even.
pub fn correlate<W: Variant<M, A> + Sync, const M: usize, const A: usize>(
    (simd, precision): (SimdLevel, Precision),
    g: &Conv2dGeometry,
    x: &[f32],
    filters: &Filters,
    epilogue: Epilogue,
    output: Output,
) {
    let mut u = scratch::take(transformed_len((simd, precision), A * A, filters));
    transform_filters::<W, M, A>((simd, precision), filters, &mut u);
    correlate_transformed::<W, M, A>(simd, precision, g, x, &u, epilogue, output);
}

/// Returns the length of the transformed filters with so many products per tile.
pub fn transformed_len(
    (simd, precision): (SimdLevel, Precision),
    products: usize,
    filters: &Filters,
) -> usize {
    let words = match precision {
        Precision::F32 => filters.c,
        Precision::Bf16 => filters.c / 2,
    };
    products * words * filters.o.next_multiple_of(micro_kernel(simd).nr)
}

/// Computes the convolution `g` (3×3, stride 1, no dilation, one group) by variant `W`, with
/// filters that [`transform_filters`] has transformed for this SIMD level and precision.
pub fn correlate_transformed<W: Variant<M, A> + Sync, const M: usize, const A: usize>(
    simd: SimdLevel,
    precision: Precision,
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
    let kernel = micro_kernel_in(simd, precision);
    let words = if precision == Precision::Bf16 { g.c_in / 2 } else { g.c_in };
    assert!(precision == Precision::F32 || g.c_in.is_multiple_of(2));
    let task = Task { simd, precision, kernel, words, g, tiles, u, epilogue };
    let rows = g.n * tiles.rows;
    let task_tiles = if u.len() > LARGE_U { 2 * TASK_TILES } else { TASK_TILES };
    let per_task = task_tiles.div_ceil(tiles.columns).min(rows.div_ceil(2 * threads()));
    let per_task = rows.div_ceil(rows.div_ceil(per_task).next_multiple_of(threads()));
    if output.partial.is_none() && rows.div_ceil(per_task) < 4 * threads() {
        return task.share_channels::<W, M, A>(x, output.y);
    }
    let range = |part: usize| part * per_task..((part + 1) * per_task).min(rows);
    let start = |part: usize| tiles.row_start(range(part).start.min(rows));
    output.write_parts(simd, g.c_out, rows.div_ceil(per_task), &start, &|part, output| {
        task.run::<W, M, A>(x, range(part), output);
    });
}

/// Computes U in panels `[o / nr][p][c][nr]`, in bfloat16 `[o / nr][p][c / 2][nr]` pairs of input
/// channels.
pub fn transform_filters<W: Variant<M, A>, const M: usize, const A: usize>(
    (simd, precision): (SimdLevel, Precision),
    f: &Filters,
    u: &mut [f32],
) {
    let nr = micro_kernel(simd).nr;
    let plane = f.c * nr;
    match precision {
        Precision::F32 => parallel_chunks(u, A * A * plane, |j, planes| {
            transform_panel::<W, M, A>(simd, f, j * nr, planes);
        }),
        Precision::Bf16 => parallel_chunks(u, A * A * plane / 2, |j, pairs| {
            let mut planes = scratch::take(A * A * plane);
            transform_panel::<W, M, A>(simd, f, j * nr, &mut planes);
            pack_pairs(simd, &planes, nr, pairs);
        }),
    }
}

/// Computes the panel of U that begins at output channel `o`.
fn transform_panel<W: Variant<M, A>, const M: usize, const A: usize>(
    simd: SimdLevel,
    f: &Filters,
    o: usize,
    planes: &mut [f32],
) {
    let nr = micro_kernel(simd).nr;
    let mut panel = scratch::take(f.taps * KC.min(f.c) * nr);
    for c0 in (0..f.c).step_by(KC) {
        let kc = KC.min(f.c - c0);
        let panel = &mut panel[..f.taps * kc * nr];
        f.pack_panel([c0, kc], o, nr, panel);
        let planes = &mut planes[c0 * nr..];
        let plane = f.c * nr;
        let op = FilterTransform::<W, M, A> { panel, planes, plane, variant: PhantomData };
        vectorized(simd, kc * nr, op);
    }
}

/// The operands of all tasks.
#[derive(Clone, Copy)]
struct Task<'a> {
    simd: SimdLevel,
    precision: Precision,
    kernel: &'static MicroKernel,
    /// Elements of A and B in a sum over the input channels: channels, or pairs of them.
    words: usize,
    g: &'a Conv2dGeometry,
    tiles: Tiles<'a>,
    u: &'a [f32],
    epilogue: Epilogue<'a>,
}

/// Transformed tiles, V, and room for the products of one panel.
struct Planes {
    v: Scratch,
    m: Scratch,
    tiles: Range<usize>,
}

impl Task<'_> {
    /// Computes a batch of few tiles: tasks share out the output channels as well as the tile rows.
    fn share_channels<W: Variant<M, A> + Sync, const M: usize, const A: usize>(
        &self,
        x: &[f32],
        y: &mut [f32],
    ) {
        let (nr, c_out) = (self.kernel.nr, self.g.c_out);
        let rows = self.g.n * self.tiles.rows;
        let shape = Shares { rows, columns: self.tiles.columns, panels: c_out.div_ceil(nr) };
        let [per_task, panels] = shape.choose(self.words, A * A, threads());
        let pixels = y.len() / c_out;
        let y = BlockMut::new(y, pixels, c_out, c_out);
        let row_tasks = rows.div_ceil(per_task);
        let start = |part: usize| self.tiles.row_start((part * per_task).min(rows));
        for_each_part(y, [row_tasks, panels * nr], &start, |part, first, mut y| {
            let range = part * per_task..((part + 1) * per_task).min(rows);
            let mut planes = self.input::<W, M, A>(x, range);
            let (pixels, n) = (y.rows(), y.cols());
            for jr in (0..n).step_by(nr) {
                self.panel::<W, M, A>(&mut planes, first + jr, y.tile(0, jr, pixels, nr));
            }
        });
    }

    /// Computes all channels of the tile rows `range`; `part` starts at their first row.
    fn run<W: Variant<M, A>, const M: usize, const A: usize>(
        &self,
        x: &[f32],
        range: Range<usize>,
        mut part: Part,
    ) {
        let (o, nr) = (self.g.c_out, self.kernel.nr);
        let mut planes = self.input::<W, M, A>(x, range);
        let pixels = part.y.len() / o;
        for jr in (0..o).step_by(nr) {
            let mut y = BlockMut::new(part.y, pixels, o, o);
            self.panel::<W, M, A>(&mut planes, jr, y.tile(0, jr, pixels, nr));
            part.written(self.simd, jr..o.min(jr + nr));
        }
    }

    /// Transforms the inputs of the tile rows `rows`.
    fn input<W: Variant<M, A>, const M: usize, const A: usize>(
        &self,
        x: &[f32],
        rows: Range<usize>,
    ) -> Planes {
        let (c, nr) = (self.g.c_in, self.kernel.nr);
        let tiles = rows.start * self.tiles.columns..rows.end * self.tiles.columns;
        let [plane_v, plane_m] = [self.words, nr].map(|width| tiles.len() * width + PAD);
        let mut v = scratch::take(A * A * plane_v);
        let input = InputTransform::<W, M, A> {
            tiles: self.tiles,
            range: tiles.clone(),
            x,
            stride: c,
            channels: 0..c,
            planes: &mut v,
            plane: plane_v,
            pairs: (self.precision == Precision::Bf16).then_some(Pairs::OfChannels),
            variant: PhantomData,
        };
        vectorized(self.simd, c, input);
        Planes { v, m: scratch::take(A * A * plane_m), tiles }
    }

    /// Computes the output channels from `jr` on that `y` has, at most one panel.
    fn panel<W: Variant<M, A>, const M: usize, const A: usize>(
        &self,
        Planes { v, m, tiles }: &mut Planes,
        jr: usize,
        y: BlockMut,
    ) {
        let (c, nr, count) = (self.words, self.kernel.nr, tiles.len());
        let [plane_v, plane_m] = [c, nr].map(|width| count * width + PAD);
        let u = &self.u[jr * A * A * c..];
        for p in 0..A * A {
            let v = &v[p * plane_v..][..count * c];
            let m = BlockMut::new(&mut m[p * plane_m..], count, nr, nr);
            self.product(v, &u[p * c * nr..], m);
        }
        let n = y.cols();
        let output = OutputTransform::<W, M, A> {
            tiles: self.tiles,
            range: tiles.clone(),
            planes: m,
            plane: plane_m,
            row: nr,
            first: jr,
            epilogue: self.epilogue,
            y,
            first_pixel: self.tiles.row_start(tiles.start / self.tiles.columns),
            variant: PhantomData,
        };
        vectorized(self.simd, n, output);
    }

    /// Runs loop 1: m\[tile, nr\] = v\[tile, c\]·u\[c, nr\].
    fn product(&self, v: &[f32], u: &[f32], mut m: BlockMut) {
        let (c, kernel) = (self.words, self.kernel);
        for c0 in (0..c).step_by(KC) {
            let v = Strip { data: &v[c0..], row: c, step: 1, k: KC.min(c - c0) };
            kernel.run_strip(&v, &u[c0 * kernel.nr..], &mut m, c0 > 0);
        }
    }
}
