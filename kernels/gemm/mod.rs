//! Matrix product by the loops of BLIS (Van Zee and van de Geijn 2015, figure 1), rearranged so
//! that a block of C stays in L2 until it is finished, and without packing B where it can be read
//! in place.
//!
//! ```text
//! loop 5   po over k by ko     outer block of the sum
//! loop 4   io over m by MO     pack A[io.., po..] in panels of mr rows, shared
//! loop 3   tasks over the threads: blocks of C
//!          jc by COLUMNS       columns of B
//!          pc by kc ≤ KC       B[pc.., jc..] is a block in L2, read in place or packed
//! loop 2   ir by mr            the rows of A stay in L1
//! loop 1   jr by nr            a micro-kernel computes mr × nr elements in registers
//! ```
//!
//! Of B only two parts are packed: the blocks of a transposed B, and columns at the right edge that
//! do not fill a tile. While the micro-kernel works on one block of B it prefetches the next. Each
//! element of C is a sum over k in increasing order, in runs of kc, whichever task computes it, so
//! the bits do not depend on the number of threads.

mod gemv;
pub(crate) mod pack;
mod prepared_matrix;

use crate::arch::{
    BlockMut, Lhs, MAX_MR, MicroKernel, Prefetch, Rhs, SimdLevel, for_each_block, micro_kernel,
};
use crate::bf16::in_precision;
use crate::parallel::{on_pool, parallel_chunks, threads};
use crate::{GemmGeometry, Precision, Transpose, scratch};
use pack::{KC, run_length};
pub use prepared_matrix::PreparedMatrix;

/// Rows of a packed block of A.
const MO: usize = 1024;
/// Largest number of elements of a packed block of A: with fewer rows, the rows are longer.
const PACKED_A: usize = MO * 9 * KC;
/// Rows of C in one task.
const TASK_ROWS: usize = 768;
/// Columns of a block of B: KC rows of them take 128 KiB and stay in L2.
const COLUMNS: usize = 128;
/// Multiply-accumulates that justify another task.
const TASK_MACS: usize = 1 << 18;
/// Padding between packed rows of A, so that equal columns of different rows fall into different
/// cache sets.
const PAD: usize = 16;

/// Computes C\[m,n\] = op(A)\[m,k\]·op(B)\[k,n\]; with `accumulate` the product is added to C.
///
/// # Panics
/// When a slice is shorter than its shape.
pub fn gemm(
    simd: SimdLevel,
    g: &GemmGeometry,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    accumulate: bool,
) {
    assert!(a.len() >= g.m * g.k && b.len() >= g.k * g.n && c.len() >= g.m * g.n);
    if g.k == 0 && !accumulate {
        c[..g.m * g.n].fill(0.0);
    }
    if g.m == 0 || g.n == 0 || g.k == 0 {
        return;
    }
    if g.m <= gemv::MAX_ROWS && [g.trans_a, g.trans_b] == [Transpose::No; 2] {
        return gemv::gemv(simd, g, a, b, c, accumulate);
    }
    let kernel = micro_kernel(simd);
    match g.m * g.n * g.k <= TASK_MACS {
        true => blocks(kernel, g, a, b, c, accumulate),
        false => on_pool(|| blocks(kernel, g, a, b, c, accumulate)),
    }
}

/// Computes [`gemm`] in a precision. In bfloat16 the f32 kernel multiplies rounded
/// matrices: the product of two bfloat16 is exact in f32.
///
/// # Panics
/// When a slice is shorter than its shape.
pub fn gemm_in(
    (simd, precision): (SimdLevel, Precision),
    g: &GemmGeometry,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    accumulate: bool,
) {
    let [a, b] = [a, b].map(|x| in_precision(precision, x));
    gemm(simd, g, &a, &b, c, accumulate);
}

/// Runs loops 5 and 4.
fn blocks(
    kernel: &MicroKernel,
    g: &GemmGeometry,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    accumulate: bool,
) {
    let b = MatrixB::new(g, b);
    let mut c = BlockMut::new(c, g.m, g.n, g.n);
    // A multiple of the run length for any number of rows: a row of the product has the same bits
    // alone and among others.
    let ko = PACKED_A / MO.min(g.m) / b.run * b.run;
    for po in (0..g.k).step_by(ko) {
        let ko = ko.min(g.k - po);
        for io in (0..g.m).step_by(MO) {
            let mo = MO.min(g.m - io);
            let mut packed = scratch::take(mo.div_ceil(kernel.mr) * kernel.mr * (ko + PAD));
            let a = pack_a(g, a, [io, po], [mo, ko], kernel.mr, &mut packed);
            let size = task_size([mo, g.n, ko], kernel);
            for_each_block(c.tile(io, 0, mo, g.n), size, |i, j, mut block| {
                task(&a, &b, kernel, [i, po, j], &mut block, accumulate || po > 0);
            });
        }
    }
}

/// Returns the rows and columns of C per task: whole tiles, and some tasks for every thread.
fn task_size([m, n, k]: [usize; 3], kernel: &MicroKernel) -> [usize; 2] {
    let wanted = (m * n * k / TASK_MACS).clamp(1, 2 * threads());
    let columns = n.div_ceil(wanted).next_multiple_of(kernel.nr);
    let down = wanted.div_ceil(n.div_ceil(columns)).max(m.div_ceil(TASK_ROWS));
    [m.div_ceil(down).next_multiple_of(kernel.mr), columns]
}

/// Runs the body of loop 3 for the block of C whose corner is row i of the packed A and column j of
/// B.
fn task(
    a: &PackedA,
    b: &MatrixB,
    kernel: &MicroKernel,
    [i, po, j]: [usize; 3],
    c: &mut BlockMut,
    accumulate: bool,
) {
    let columns = c.cols();
    let mut blocks = (0..columns).step_by(COLUMNS).flat_map(|jc| {
        let n = COLUMNS.min(columns - jc);
        (0..a.k).step_by(b.run).map(move |pc| Block {
            p: po + pc,
            kc: b.run.min(a.k - pc),
            j: j + jc,
            n,
        })
    });
    let mut packed = scratch::take(COLUMNS.next_multiple_of(kernel.nr) * b.run);
    let mut next = blocks.next();
    while let Some(block) = next {
        next = blocks.next();
        let pc = block.p - po;
        let mut c = c.tile(0, block.j - j, c.rows(), block.n);
        b.pack(&block, kernel.nr, &mut packed);
        let tiles = c.rows().div_ceil(kernel.mr) * block.n.div_ceil(kernel.nr);
        let mut prefetches = next.map(|next| b.prefetches(&next, tiles)).into_iter().flatten();
        for ir in (0..c.rows()).step_by(kernel.mr) {
            let start = (i + ir) / kernel.mr * a.panel + pc * a.step;
            let rows: [usize; MAX_MR] =
                std::array::from_fn(|i| start + if i < kernel.mr { i * a.row } else { 0 });
            let lhs = Lhs { data: a.data, rows: &rows, segments: &[0], k: block.kc, step: a.step };
            for jr in (0..block.n).step_by(kernel.nr) {
                let (data, stride) = b.strip(&block, jr, kernel.nr, &packed);
                let rhs = Rhs { data, stride, prefetch: prefetches.next().unwrap_or_default() };
                let mut tile = c.tile(ir, jr, kernel.mr, kernel.nr);
                kernel.run_in_place(&lhs, &rhs, &mut tile, accumulate || pc > 0);
            }
        }
    }
}

/// A packed block of A.
struct PackedA<'a> {
    data: &'a [f32],
    /// Distance between rows.
    row: usize,
    /// Distance between panels of mr rows.
    panel: usize,
    /// Distance between columns.
    step: usize,
    k: usize,
}

/// Packs op(A)\[io.., po..\] in panels of mr rows; each panel keeps the order in which A is stored.
fn pack_a<'a>(
    g: &GemmGeometry,
    a: &[f32],
    [io, po]: [usize; 2],
    [mo, ko]: [usize; 2],
    mr: usize,
    dst: &'a mut [f32],
) -> PackedA<'a> {
    let panel = mr * (ko + PAD);
    let (row, step) = match g.trans_a {
        Transpose::No => (ko + PAD, 1),
        Transpose::Yes => (1, mr),
    };
    parallel_chunks(dst, panel, |i, dst| {
        let ir = io + i * mr;
        let m = mr.min(io + mo - ir);
        match g.trans_a {
            Transpose::No => {
                pack::copy_rows(&a[ir * g.k + po..], g.k, [m, ko], dst, ko + PAD);
            }
            Transpose::Yes => pack::copy_rows(&a[po * g.m + ir..], g.m, [ko, m], dst, mr),
        }
    });
    PackedA { data: dst, row, panel, step, k: ko }
}

/// The right operand B.
struct MatrixB<'a> {
    data: &'a [f32],
    trans: Transpose,
    /// Distance between stored rows.
    stride: usize,
    /// Rows of op(B) in a block.
    run: usize,
}

/// The block op(B)\[p..p + kc, j..j + n\].
#[derive(Clone, Copy)]
struct Block {
    p: usize,
    kc: usize,
    j: usize,
    n: usize,
}

impl<'a> MatrixB<'a> {
    fn new(g: &GemmGeometry, data: &'a [f32]) -> Self {
        let stride = if g.trans_b == Transpose::Yes { g.k } else { g.n };
        Self { data, trans: g.trans_b, stride, run: run_length(g.k) }
    }

    /// Returns the offset of stored row `r` of a block.
    fn row(&self, x: &Block, r: usize) -> usize {
        match self.trans {
            Transpose::No => (x.p + r) * self.stride + x.j,
            Transpose::Yes => (x.j + r) * self.stride + x.p,
        }
    }

    /// Packs what cannot be read in place: panels \[kc, nr\] of a transposed block, and a last
    /// panel of fewer than nr columns, filled up with zeros.
    fn pack(&self, x: &Block, nr: usize, packed: &mut [f32]) {
        for (j, dst) in (0..x.n).step_by(nr).zip(packed.chunks_mut(x.kc * nr)) {
            let n = nr.min(x.n - j);
            match self.trans {
                Transpose::No if n == nr => {}
                Transpose::No => {
                    let src = &self.data[self.row(x, 0) + j..];
                    pack::copy_rows(src, self.stride, [x.kc, n], dst, nr);
                }
                Transpose::Yes => {
                    if n < nr {
                        dst.fill(0.0);
                    }
                    let src = &self.data[self.row(x, j)..];
                    pack::transpose(src, self.stride, [n, x.kc], dst, |p| p * nr);
                }
            }
        }
    }

    /// Returns the nr columns of a block from j on: memory and distance between rows.
    fn strip<'b>(&self, x: &Block, j: usize, nr: usize, packed: &'b [f32]) -> (&'b [f32], usize)
    where
        'a: 'b,
    {
        match self.trans {
            Transpose::No if x.n - j >= nr => (&self.data[self.row(x, 0) + j..], self.stride),
            _ => (&packed[j * x.kc..], nr),
        }
    }

    /// Splits a block into at most `n` parts, each to be prefetched while one tile is computed.
    fn prefetches(&self, x: &Block, n: usize) -> impl Iterator<Item = Prefetch<'a>> + use<'a> {
        let (rows, width) = match self.trans {
            Transpose::No => (x.kc, x.n),
            Transpose::Yes => (x.n, x.kc),
        };
        let (first, data, stride, per) = (self.row(x, 0), self.data, self.stride, rows.div_ceil(n));
        (0..rows).step_by(per).map(move |r| Prefetch {
            data,
            start: first + r * stride,
            stride,
            rows: per.min(rows - r),
            width,
        })
    }
}
