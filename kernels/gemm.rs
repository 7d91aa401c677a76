//! Matrix product by the loops of BLIS (Van Zee and van de Geijn 2015, figure 1), rearranged so
//! that a block of C stays in L2 until it is finished.
//!
//! ```text
//! loop 5   po over k by KO     outer block of the sum
//! loop 4   io over m by MO     pack A[io.., po..] in panels of mr rows, shared
//! loop 3   tasks over the threads: blocks of C, at most TASK_ROWS × TASK_COLUMNS
//!          pc by KC            pack B[pc.., block] in panels kc × nr, private, in L2
//! loop 2   ir by mr            the rows of A stay in L1
//! loop 1   jr by nr            a micro-kernel computes mr × nr elements in registers
//! ```
//!
//! Each element of C is a sum over k in increasing order, in runs of KC, whoever computes it: the
//! bits do not depend on the threads.

use crate::arch::{BlockMut, Lhs, MAX_MR, MicroKernel, for_each_block, micro_kernel, prefetch};
use crate::pack::{self, KC};
use crate::parallel::{on_pool, parallel_chunks, threads};
use crate::{GemmGeometry, Transpose, gemv, scratch};

const KO: usize = 9 * KC;
const MO: usize = 1024;
/// Rows of C in one task.
const TASK_ROWS: usize = 768;
/// Columns of C in one task: the packed columns of B (KC of them deep) take half of L2 at most.
const TASK_COLUMNS: usize = 128;
/// Multiply-accumulates that are worth another task.
const WORTH_A_TASK: usize = 1 << 18;
/// Space between packed rows of A, so that equal places of different rows differ in cache set.
const PAD: usize = 16;

/// C\[m,n\] = op(A)\[m,k\]·op(B)\[k,n\], added to C with `accumulate`.
///
/// # Panics
/// When a slice is shorter than its shape.
pub fn gemm(g: &GemmGeometry, a: &[f32], b: &[f32], c: &mut [f32], accumulate: bool) {
    assert!(a.len() >= g.m * g.k && b.len() >= g.k * g.n && c.len() >= g.m * g.n);
    if g.k == 0 && !accumulate {
        c[..g.m * g.n].fill(0.0);
    }
    if g.m == 0 || g.n == 0 || g.k == 0 {
        return;
    }
    if g.m <= gemv::MAX_ROWS && [g.trans_a, g.trans_b] == [Transpose::No; 2] {
        return gemv::gemv(g, a, b, c, accumulate);
    }
    match g.m * g.n * g.k <= WORTH_A_TASK {
        true => blocks(g, a, b, c, accumulate),
        false => on_pool(|| blocks(g, a, b, c, accumulate)),
    }
}

/// Loops 5 and 4.
fn blocks(g: &GemmGeometry, a: &[f32], b: &[f32], c: &mut [f32], accumulate: bool) {
    let kernel = micro_kernel();
    let mut c = BlockMut::new(c, g.m, g.n, g.n);
    for po in (0..g.k).step_by(KO) {
        let ko = KO.min(g.k - po);
        for io in (0..g.m).step_by(MO) {
            let mo = MO.min(g.m - io);
            let mut packed = scratch::take(mo.div_ceil(kernel.mr) * kernel.mr * (ko + PAD));
            let a = pack_a(g, a, [io, po], [mo, ko], kernel.mr, &mut packed);
            let size = task_size([mo, g.n, ko], kernel);
            for_each_block(c.tile(io, 0, mo, g.n), size, |i, j, mut block| {
                task(g, kernel, &a, b, [i, po, j], &mut block, accumulate || po > 0);
            });
        }
    }
}

/// Rows and columns of C per task: whole tiles, and some tasks for every thread.
fn task_size([m, n, k]: [usize; 3], kernel: &MicroKernel) -> [usize; 2] {
    let wanted = (m * n * k / WORTH_A_TASK).clamp(1, 2 * threads());
    let columns = n.div_ceil(wanted).clamp(1, TASK_COLUMNS).next_multiple_of(kernel.nr);
    let down = wanted.div_ceil(n.div_ceil(columns));
    [m.div_ceil(down).min(TASK_ROWS).next_multiple_of(kernel.mr), columns]
}

/// Loop 3's body: the block of C whose corner is (i, j) in the packed rows and in B.
fn task(
    g: &GemmGeometry,
    kernel: &MicroKernel,
    a: &PackedA,
    b: &[f32],
    [i, po, j]: [usize; 3],
    c: &mut BlockMut,
    accumulate: bool,
) {
    let (m, n) = (c.rows(), c.cols());
    let mut packed = scratch::take(n.next_multiple_of(kernel.nr) * KC.min(a.k));
    for pc in (0..a.k).step_by(KC) {
        let kc = KC.min(a.k - pc);
        pack_b(g, b, [po + pc, j], [kc, n], kernel.nr, &mut packed);
        for ir in (0..m).step_by(kernel.mr) {
            let start = (i + ir) / kernel.mr * a.panel + pc * a.step;
            let rows: [usize; MAX_MR] =
                std::array::from_fn(|i| start + if i < kernel.mr { i * a.row } else { 0 });
            let lhs = Lhs { data: a.data, rows: &rows, segments: &[0], k: kc, step: a.step };
            if pc + KC < a.k {
                let next = [po + pc + KC, j];
                prefetch_b(g, b, next, [KC.min(a.k - pc - KC), n], [ir, ir + kernel.mr], m);
            }
            for (jr, b) in (0..n).step_by(kernel.nr).zip(packed.chunks(kc * kernel.nr)) {
                let mut tile = c.tile(ir, jr, kernel.mr, kernel.nr);
                kernel.run(&lhs, b, &mut tile, accumulate || pc > 0);
            }
        }
    }
}

/// The packed rows of a block of A.
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

/// Packs op(A)\[io.., po..\] in panels of mr rows, each in the order in which A is stored.
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

/// Packs op(B)\[pc.., jc..\] in panels \[kc, nr\], zeros to the right of the last column.
fn pack_b(
    g: &GemmGeometry,
    b: &[f32],
    [pc, jc]: [usize; 2],
    [kc, nc]: [usize; 2],
    nr: usize,
    dst: &mut [f32],
) {
    match g.trans_b {
        // Row by row: memory is read in long runs.
        Transpose::No => {
            for p in 0..kc {
                let row = &b[(pc + p) * g.n + jc..][..nc];
                for (j, part) in row.chunks(nr).enumerate() {
                    let dst = &mut dst[(j * kc + p) * nr..][..nr];
                    dst[..part.len()].copy_from_slice(part);
                    dst[part.len()..].fill(0.0);
                }
            }
        }
        Transpose::Yes => {
            for (j, dst) in dst.chunks_mut(kc * nr).enumerate().take(nc.div_ceil(nr)) {
                let jr = jc + j * nr;
                let n = nr.min(jc + nc - jr);
                if n < nr {
                    dst.fill(0.0);
                }
                pack::transpose(&b[jr * g.k + pc..], g.k, [n, kc], dst, |p| p * nr);
            }
        }
    }
}

/// Asks for the share `from..to` of `whole` of the next block of B while this one is in use.
fn prefetch_b(
    g: &GemmGeometry,
    b: &[f32],
    [pc, jc]: [usize; 2],
    [kc, nc]: [usize; 2],
    [from, to]: [usize; 2],
    whole: usize,
) {
    let ([first, rows], [start, len], stride) = match g.trans_b {
        Transpose::No => ([pc, kc], [jc, nc], g.n),
        Transpose::Yes => ([jc, nc], [pc, kc], g.k),
    };
    for r in rows * from / whole..rows * to.min(whole) / whole {
        prefetch(&b[(first + r) * stride + start..][..len]);
    }
}
