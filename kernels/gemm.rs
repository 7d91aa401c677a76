//! Matrix product by the loops of BLIS (Van Zee and van de Geijn 2015, figure 1).
//!
//! ```text
//! loop 5   jc over n by NC     columns of C; the packed block of B stays in L3
//! loop 4   pc over k by KC     pack B[pc.., jc..] in panels kc × nr
//! loop 3   ic over m by MC     pack A[ic.., pc..] in panels of mr rows
//!          tasks: blocks of C, over the threads
//! loop 2   jr by nr            the panel of B stays in L1
//! loop 1   ir by mr            a micro-kernel computes mr × nr elements in registers
//! ```
//!
//! Each element of C is a sum over k in increasing order, in runs of KC, whoever computes it: the
//! bits do not depend on the threads.

use crate::arch::{BlockMut, Lhs, MAX_MR, MicroKernel, for_each_block, micro_kernel};
use crate::pack::{self, KC};
use crate::parallel::{parallel_chunks, threads};
use crate::{GemmGeometry, Transpose, scratch};

const NC: usize = 4096;
const MC: usize = 3072;
/// Rows of C in one task: the packed rows of A that it reads stay in L2.
const TASK_ROWS: usize = 192;
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
    let kernel = micro_kernel();
    let mut c = BlockMut::new(c, g.m, g.n, g.n);
    for jc in (0..g.n).step_by(NC) {
        let nc = NC.min(g.n - jc);
        for pc in (0..g.k).step_by(KC) {
            let kc = KC.min(g.k - pc);
            let mut packed_b = scratch::take(nc.next_multiple_of(kernel.nr) * kc);
            pack_b(g, b, [pc, jc], [kc, nc], kernel.nr, &mut packed_b);
            for ic in (0..g.m).step_by(MC) {
                let mc = MC.min(g.m - ic);
                let mut packed_a = scratch::take(mc.next_multiple_of(kernel.mr) * (kc + PAD));
                let lhs = pack_a(g, a, [ic, pc], [mc, kc], kernel.mr, &mut packed_a);
                let add = accumulate || pc > 0;
                let size = task_size(mc, nc, kc, kernel);
                for_each_block(c.tile(ic, jc, mc, nc), size, |i, j, mut block| {
                    let b = &packed_b[j / kernel.nr * kc * kernel.nr..];
                    loops_2_and_1(kernel, &lhs, i, b, &mut block, add);
                });
            }
        }
    }
}

/// Rows and columns of C per task: whole tiles, and a few tasks for every thread.
fn task_size(m: usize, n: usize, k: usize, kernel: &MicroKernel) -> [usize; 2] {
    const WORTH_A_TASK: usize = 1 << 18; // multiply-accumulates
    let wanted = (m * n * k / WORTH_A_TASK).clamp(1, 4 * threads());
    let rows = TASK_ROWS.min(m).next_multiple_of(kernel.mr);
    let across = wanted.div_ceil(m.div_ceil(rows));
    [rows, n.div_ceil(across).next_multiple_of(kernel.nr)]
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

fn loops_2_and_1(
    kernel: &MicroKernel,
    a: &PackedA,
    first_row: usize,
    b: &[f32],
    c: &mut BlockMut,
    add: bool,
) {
    let (m, n) = (c.rows(), c.cols());
    for (jr, b) in (0..n).step_by(kernel.nr).zip(b.chunks(a.k * kernel.nr)) {
        for ir in (0..m).step_by(kernel.mr) {
            let start = (first_row + ir) / kernel.mr * a.panel;
            let rows: [usize; MAX_MR] =
                std::array::from_fn(|i| start + if i < kernel.mr { i * a.row } else { 0 });
            let lhs = Lhs { data: a.data, rows: &rows, segments: &[0], k: a.k, step: a.step };
            kernel.run(&lhs, b, &mut c.tile(ir, jr, kernel.mr, kernel.nr), add);
        }
    }
}

/// Packs op(A)\[ic.., pc..\] in panels of mr rows, each in the order in which A is stored.
fn pack_a<'a>(
    g: &GemmGeometry,
    a: &[f32],
    [ic, pc]: [usize; 2],
    [mc, kc]: [usize; 2],
    mr: usize,
    dst: &'a mut [f32],
) -> PackedA<'a> {
    let panel = mr * (kc + PAD);
    let (row, step) = match g.trans_a {
        Transpose::No => (kc + PAD, 1),
        Transpose::Yes => (1, mr),
    };
    parallel_chunks(dst, panel, |i, dst| {
        let ir = ic + i * mr;
        let m = mr.min(ic + mc - ir);
        match g.trans_a {
            Transpose::No => {
                pack::copy_rows(&a[ir * g.k + pc..], g.k, [m, kc], dst, kc + PAD);
            }
            Transpose::Yes => pack::copy_rows(&a[pc * g.m + ir..], g.m, [kc, m], dst, mr),
        }
    });
    PackedA { data: dst, row, panel, step, k: kc }
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
    parallel_chunks(dst, kc * nr, |j, dst| {
        let jr = jc + j * nr;
        let n = nr.min(jc + nc - jr);
        match g.trans_b {
            Transpose::No => pack::copy_rows(&b[pc * g.n + jr..], g.n, [kc, n], dst, nr),
            Transpose::Yes => {
                if n < nr {
                    dst.fill(0.0);
                }
                pack::transpose(&b[jr * g.k + pc..], g.k, [n, kc], dst, |p| p * nr);
            }
        }
    });
}
