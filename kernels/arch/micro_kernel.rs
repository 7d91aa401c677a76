//! The micro-kernel: one register tile of C = A·B.
//!
//! # Contract
//! A micro-kernel of size mr × nr computes, for i < m ≤ mr and j < nr,
//!
//! ```text
//! t[i,j] = Σ_s Σ_p A[i,s,p] · B[s,p,j]        s < segments, p < k, in this order
//! C[i,j] = t[i,j]   or   C[i,j] + t[i,j]
//! ```
//!
//! where each product is fused with its addition (one rounding), so that every level gives the
//! same bits. Both operands are read where they lie:
//!
//! ```text
//! A[i,s,p] = data[rows[i] + segments[s] + p·step]
//! B[s,p,j] = data[(s·k + p)·stride + j]
//! ```
//!
//! The address of A covers all operands of the crate without copying them into panels: a row-major
//! or a transposed matrix (one segment), and the rows of the im2col matrix of an image in NHWC,
//! where `rows` are the output pixels, `segments` the taps of the filter and p runs over the
//! channels (see [`crate::conv2d`]). B is a strip of a row-major matrix, or a packed panel, whose
//! stride is nr.

use super::prefetch::prefetch_line;
#[cfg(target_arch = "x86_64")]
use super::x86::{avx2, avx512};
use super::{BlockMut, Level, level, portable};

/// Rows of the tallest tile.
pub const MAX_MR: usize = 12;
/// Columns of the widest tile.
pub const MAX_NR: usize = 32;

/// The left operand of a tile, read in place.
#[derive(Clone, Copy)]
pub struct Lhs<'a> {
    /// Memory that holds A.
    pub data: &'a [f32],
    /// Start of each row; valid ones also beyond mr and where the tile has fewer (repeat any row).
    pub rows: &'a [usize; MAX_MR],
    /// What each segment of the sum adds to the start.
    pub segments: &'a [usize],
    /// Terms of the sum in one segment.
    pub k: usize,
    /// Distance between successive terms.
    pub step: usize,
}

/// The left operand of a strip of tiles, read in place: A\[i,p\] = data\[i·row + p·step\].
#[derive(Clone, Copy)]
pub struct Strip<'a> {
    /// Memory that holds A.
    pub data: &'a [f32],
    /// Distance between rows.
    pub row: usize,
    /// Distance between successive terms of the sum.
    pub step: usize,
    /// Terms of the sum.
    pub k: usize,
}

/// The right operand of a tile, read in place.
#[derive(Clone, Copy)]
pub struct Rhs<'a> {
    /// Memory that holds B, from the first element of the tile's columns on.
    pub data: &'a [f32],
    /// Distance between rows.
    pub stride: usize,
    /// What is wanted soon.
    pub ahead: Ahead<'a>,
}

/// Memory that is wanted soon: `rows` rows of `width` floats, `stride` apart. A micro-kernel asks for
/// their cache lines one by one while it computes. The hardware foresees rows that are further
/// apart than a page (4 KiB) badly or not at all.
#[derive(Clone, Copy, Default)]
pub struct Ahead<'a> {
    /// Memory that holds the rows. What lies behind its end is asked for in vain.
    pub data: &'a [f32],
    /// Where the first row begins.
    pub start: usize,
    /// Distance between rows.
    pub stride: usize,
    /// Number of rows.
    pub rows: usize,
    /// Floats of a row.
    pub width: usize,
}

/// The cache lines of an [`Ahead`], one after the other. No address is ever read.
#[derive(Clone, Copy)]
pub(super) struct Lines {
    row: *const f32,
    at: usize,
    width: usize,
    stride: usize,
    left: usize,
    /// Calls until the next line is asked for, and between two lines.
    wait: usize,
    every: usize,
}

impl Lines {
    /// Floats of a cache line.
    const LINE: usize = 16;

    /// Spread evenly over `calls`: the processor drops what exceeds some dozens at a time.
    fn new(x: Ahead, calls: usize) -> Self {
        let left = x.rows * x.width.div_ceil(Self::LINE);
        let every = calls.checked_div(left).unwrap_or(1).max(1);
        let row = x.data.as_ptr().wrapping_add(x.start);
        Self { row, at: 0, width: x.width, stride: x.stride, left, wait: every, every }
    }

    /// Asks for the next line when its turn has come.
    #[inline(always)]
    pub fn prefetch_next(&mut self) {
        self.wait = self.wait.wrapping_sub(1);
        if self.wait == 0 && self.left > 0 {
            prefetch_line(self.row.wrapping_add(self.at));
            (self.left, self.wait) = (self.left - 1, self.every);
            self.at += Self::LINE;
            if self.at >= self.width {
                (self.at, self.row) = (0, self.row.wrapping_add(self.stride));
            }
        }
    }
}

/// Arguments of a raw micro-kernel; `B` and `C` as in the module's contract.
pub(super) struct Raw {
    pub a: *const f32,
    pub rows: *const usize,
    pub segments: *const usize,
    pub num_segments: usize,
    pub k: usize,
    pub step: usize,
    pub b: *const f32,
    pub stride_b: usize,
    pub ahead: Lines,
    pub c: *mut f32,
    pub stride_c: usize,
    pub m: usize,
    pub add: bool,
}

/// A micro-kernel and the size of its tile.
pub struct MicroKernel {
    /// Rows of the tile.
    pub mr: usize,
    /// Columns of the tile.
    pub nr: usize,
    run: unsafe fn(&Raw),
}

static PORTABLE: MicroKernel =
    MicroKernel { mr: portable::MR, nr: portable::NR, run: portable::run };
#[cfg(target_arch = "x86_64")]
static AVX2: MicroKernel = MicroKernel { mr: avx2::MR, nr: avx2::NR, run: avx2::run };
#[cfg(target_arch = "x86_64")]
static AVX512: MicroKernel = MicroKernel { mr: avx512::MR, nr: avx512::NR, run: avx512::run };

/// The micro-kernel of the level in use.
pub fn micro_kernel() -> &'static MicroKernel {
    micro_kernel_of(level())
}

/// The micro-kernel of `level`, or the portable one where the CPU lacks it.
pub fn micro_kernel_of(level: Level) -> &'static MicroKernel {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 if level.is_supported() => &AVX512,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 if level.is_supported() => &AVX2,
        _ => &PORTABLE,
    }
}

impl MicroKernel {
    /// Computes the tile `c`, at most mr × nr, with a packed B; `add` keeps what C holds and adds to
    /// it.
    ///
    /// # Panics
    /// When an operand is too short for the sizes given.
    pub fn run(&self, a: &Lhs, b: &[f32], c: &mut BlockMut, add: bool) {
        let b = Rhs { data: b, stride: self.nr, ahead: Ahead::default() };
        self.run_in_place(a, &b, c, add);
    }

    /// As [`run`](Self::run), for any B.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn run_in_place(&self, a: &Lhs, b: &Rhs, c: &mut BlockMut, add: bool) {
        assert!(c.rows() <= self.mr && c.cols() <= self.nr);
        let terms = a.segments.len().saturating_mul(a.k);
        let last_row = terms.saturating_sub(1).saturating_mul(b.stride);
        assert!(b.data.len() >= last_row.saturating_add(self.nr) || terms == 0, "B too short");
        let last_term = a.k.saturating_sub(1).saturating_mul(a.step);
        let segment = a.segments.iter().fold(0, |max, &s| s.max(max));
        let last = highest(a.rows).saturating_add(segment).saturating_add(last_term);
        assert!(last < a.data.len() || terms == 0, "A too short");
        if c.cols() == self.nr {
            let (m, stride_c) = (c.rows(), c.stride());
            // SAFETY: the assertions above bound every read of A and B, and `c` has m rows of nr
            // elements. `micro_kernel_of` returns only kernels whose CPU features were detected.
            unsafe { (self.run)(&raw(a, b, c.as_mut_ptr(), stride_c, m, add)) }
        } else {
            // The tile hangs over the right edge of C: compute it whole aside, copy what counts.
            let mut whole = [0.0; MAX_MR * MAX_NR];
            // SAFETY: as above; `whole` has room for mr rows of nr elements.
            unsafe { (self.run)(&raw(a, b, whole.as_mut_ptr(), self.nr, c.rows(), false)) }
            for i in 0..c.rows() {
                for (c, &t) in c.row_mut(i).iter_mut().zip(&whole[i * self.nr..]) {
                    *c = if add { *c + t } else { t };
                }
            }
        }
    }

    /// Computes a strip of tiles one under the other, C \[m, nr\] (+)= A \[m, k\] · B \[k, nr\], with a
    /// packed B: the checks of [`run`](Self::run), made once for all tiles. They are what a tile with few terms
    /// would spend much of its time on.
    ///
    /// # Panics
    /// When an operand is too short for the sizes given, or C is not nr wide.
    pub fn run_strip(&self, a: &Strip, b: &[f32], c: &mut BlockMut, add: bool) {
        let (rows, stride_c) = (c.rows(), c.stride());
        if rows == 0 {
            return;
        }
        assert!(c.cols() == self.nr, "a strip is as wide as a tile");
        assert!(b.len() >= a.k.saturating_mul(self.nr), "B too short");
        let last_term = a.k.saturating_sub(1).saturating_mul(a.step);
        let last = (rows - 1).saturating_mul(a.row).saturating_add(last_term);
        assert!(last < a.data.len() || a.k == 0, "A too short");
        let (start, mut offsets) = (c.as_mut_ptr(), [0; MAX_MR]);
        for first in (0..rows).step_by(self.mr) {
            for (i, offset) in offsets.iter_mut().enumerate() {
                *offset = (first + i).min(rows - 1) * a.row; // beyond the last row any will do
            }
            let lhs = Lhs { data: a.data, rows: &offsets, segments: &[0], k: a.k, step: a.step };
            let rhs = Rhs { data: b, stride: self.nr, ahead: Ahead::default() };
            // SAFETY: `first` is a row of `c`, and so are the m from there on, of nr elements each; the
            // assertions bound every read of A and B. `micro_kernel_of` returns only kernels whose CPU
            // features were detected.
            unsafe {
                let c = start.add(first * stride_c);
                (self.run)(&raw(&lhs, &rhs, c, stride_c, self.mr.min(rows - first), add));
            }
        }
    }
}

/// The highest of the offsets, in few dependent steps: this runs for every tile.
fn highest(rows: &[usize; MAX_MR]) -> usize {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *rows;
    let [x, y, z] = [a.max(b).max(c.max(d)), e.max(f).max(g.max(h)), i.max(j).max(k.max(l))];
    x.max(y).max(z)
}

fn raw(a: &Lhs, b: &Rhs, c: *mut f32, stride_c: usize, m: usize, add: bool) -> Raw {
    Raw {
        a: a.data.as_ptr(),
        rows: a.rows.as_ptr(),
        segments: a.segments.as_ptr(),
        num_segments: a.segments.len(),
        k: a.k,
        step: a.step,
        b: b.data.as_ptr(),
        stride_b: b.stride,
        ahead: Lines::new(b.ahead, a.segments.len() * a.k),
        c,
        stride_c,
        m,
        add,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// Two segments of three terms; rows of A 5 apart, terms 7 apart; rows of B 40 apart.
    const SEGMENTS: [usize; 2] = [100, 0];
    const K: usize = 3;
    const ROW: usize = 5;
    const STEP: usize = 7;
    const STRIDE: usize = 40;

    /// A tile of `m` rows, its operands that long.
    fn run(kernel: &MicroKernel, len_a: usize, len_b: usize, m: usize) -> Option<Vec<f32>> {
        let a: Vec<f32> = (0..len_a).map(|i| (i % 5) as f32).collect();
        let b: Vec<f32> = (0..len_b).map(|i| (i % 7) as f32).collect();
        let rows = std::array::from_fn(|i| i % kernel.mr * ROW);
        let lhs = Lhs { data: &a, rows: &rows, segments: &SEGMENTS, k: K, step: STEP };
        let rhs = Rhs { data: &b, stride: STRIDE, ahead: Ahead::default() };
        let mut c = vec![1.0; m * kernel.nr];
        let mut tile = BlockMut::new(&mut c, m, kernel.nr, kernel.nr);
        let done = catch_unwind(AssertUnwindSafe(|| {
            kernel.run_in_place(&lhs, &rhs, &mut tile, true);
        }));
        done.is_ok().then_some(c)
    }

    #[test]
    fn operands_may_end_with_their_last_element_and_no_sooner() {
        for level in Level::ALL.into_iter().filter(|level| level.is_supported()) {
            let kernel = micro_kernel_of(level);
            let len_a = (kernel.mr - 1) * ROW + SEGMENTS[0] + (K - 1) * STEP + 1;
            let len_b = (SEGMENTS.len() * K - 1) * STRIDE + kernel.nr;
            for m in 1..=kernel.mr {
                let c = run(kernel, len_a, len_b, m).unwrap();
                for (i, &c) in c.iter().enumerate() {
                    let (i, j) = (i / kernel.nr, i % kernel.nr);
                    let a = |s: usize, p: usize| ((i * ROW + SEGMENTS[s] + p * STEP) % 5) as f32;
                    let b = |s: usize, p: usize| (((s * K + p) * STRIDE + j) % 7) as f32;
                    let terms = (0..2).flat_map(|s| (0..K).map(move |p| (s, p)));
                    let want = 1.0 + terms.map(|(s, p)| a(s, p) * b(s, p)).sum::<f32>();
                    assert_eq!(c, want, "{level}, ({i}, {j}) of {m} rows");
                }
                assert!(run(kernel, len_a - 1, len_b, m).is_none(), "{level}: A too short");
                assert!(run(kernel, len_a, len_b - 1, m).is_none(), "{level}: B too short");
            }
        }
    }

    #[test]
    fn a_strip_is_its_tiles_and_reads_no_further() {
        const K: usize = 5;
        for level in Level::ALL.into_iter().filter(|level| level.is_supported()) {
            let kernel = micro_kernel_of(level);
            for (rows, [row, step]) in
                [(1, [K, 1]), (kernel.mr, [1, 40]), (29, [1, 40]), (29, [K, 1])]
            {
                let len = (rows - 1) * row + (K - 1) * step + 1;
                let a: Vec<f32> = (0..len).map(|i| (i % 11) as f32).collect();
                let b: Vec<f32> = (0..K * kernel.nr).map(|i| (i % 7) as f32).collect();
                let strip = |a: &[f32], b: &[f32]| {
                    let mut c = vec![1.0; rows * kernel.nr];
                    let mut block = BlockMut::new(&mut c, rows, kernel.nr, kernel.nr);
                    let a = Strip { data: a, row, step, k: K };
                    let run = || kernel.run_strip(&a, b, &mut block, true);
                    catch_unwind(AssertUnwindSafe(run)).is_ok().then_some(c)
                };
                for (i, &c) in strip(&a, &b).unwrap().iter().enumerate() {
                    let (i, j) = (i / kernel.nr, i % kernel.nr);
                    let term = |p: usize| a[i * row + p * step] * b[p * kernel.nr + j];
                    assert_eq!(c, 1.0 + (0..K).map(term).sum::<f32>(), "{level}, ({i}, {j})");
                }
                assert!(strip(&a[1..], &b).is_none(), "{level}: A too short");
                assert!(strip(&a, &b[1..]).is_none(), "{level}: B too short");
            }
        }
    }

    #[test]
    fn sizes_beyond_any_memory_are_refused() {
        let kernel = micro_kernel();
        let data = [0.0; 64];
        let panics = |rows, segments: &[usize], step, stride| {
            let lhs = Lhs { data: &data, rows: &rows, segments, k: 2, step };
            let rhs = Rhs { data: &data, stride, ahead: Ahead::default() };
            let mut c = [0.0; MAX_NR];
            let mut tile = BlockMut::new(&mut c, 1, kernel.nr, kernel.nr);
            let run = || kernel.run_in_place(&lhs, &rhs, &mut tile, false);
            catch_unwind(AssertUnwindSafe(run)).is_err()
        };
        let zeros = [0; MAX_MR];
        assert!(!panics(zeros, &[0], 1, 0));
        assert!(panics([usize::MAX; MAX_MR], &[0], 1, 0));
        assert!(panics(zeros, &[usize::MAX], 1, 0));
        assert!(panics(zeros, &[0], usize::MAX, 0));
        assert!(panics(zeros, &[0], 1, usize::MAX));
    }
}
