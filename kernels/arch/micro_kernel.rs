//! The micro-kernel of each SIMD level, and its checked call.

use super::contract::{Lhs, MAX_MR, MAX_NR, Raw, Rhs, Strip};
use super::prefetch::LINE;
#[cfg(target_arch = "x86_64")]
use super::simd_level::Isa;
#[cfg(target_arch = "x86_64")]
use super::x86::{avx2, avx2_pairs, avx512, avx512_bf16, avx512_pairs};
use super::{BlockMut, Prefetch, SimdLevel, portable};
use crate::bf16::Precision;

/// A micro-kernel and the size of its tile.
pub struct MicroKernel {
    /// Rows of the tile.
    pub mr: usize,
    /// Columns of the tile.
    pub nr: usize,
    run: unsafe fn(&Raw),
}

static PORTABLE: MicroKernel =
    MicroKernel { mr: portable::MR, nr: portable::NR, run: portable::run::<portable::Single> };
static PORTABLE_PAIRS: MicroKernel =
    MicroKernel { mr: portable::MR, nr: portable::NR, run: portable::run::<portable::Pairs> };
#[cfg(target_arch = "x86_64")]
static AVX2: MicroKernel = MicroKernel { mr: avx2::MR, nr: avx2::NR, run: avx2::run };
#[cfg(target_arch = "x86_64")]
static AVX512: MicroKernel = MicroKernel { mr: avx512::MR, nr: avx512::NR, run: avx512::run };

#[cfg(target_arch = "x86_64")]
static AVX2_PAIRS: MicroKernel =
    MicroKernel { mr: avx2_pairs::MR, nr: avx2_pairs::NR, run: avx2_pairs::run };
#[cfg(target_arch = "x86_64")]
static AVX512_PAIRS: MicroKernel =
    MicroKernel { mr: avx512_pairs::MR, nr: avx512_pairs::NR, run: avx512_pairs::run };
#[cfg(target_arch = "x86_64")]
static AVX512_BF16: MicroKernel =
    MicroKernel { mr: avx512_bf16::MR, nr: avx512_bf16::NR, run: avx512_bf16::run };

/// Returns whether this CPU multiplies bfloat16 by instructions that the kernels use (AVX512_BF16).
pub fn has_bf16_products() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16")
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Returns the micro-kernel of a SIMD level whose elements of A and B are pairs of bfloat16: for each
/// element t + a·a' + b·b', see the [contract](super::contract). C is f32, and tiles have the size of
/// [`micro_kernel`]'s.
pub fn micro_kernel_of_pairs(simd: SimdLevel) -> &'static MicroKernel {
    match simd.isa() {
        #[cfg(target_arch = "x86_64")]
        Isa::Amx | Isa::Avx512 if has_bf16_products() => &AVX512_BF16,
        #[cfg(target_arch = "x86_64")]
        Isa::Amx | Isa::Avx512 => &AVX512_PAIRS,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => &AVX2_PAIRS,
        _ => &PORTABLE_PAIRS,
    }
}

/// Returns the micro-kernel of a SIMD level whose elements are f32, or pairs of bfloat16.
pub fn micro_kernel_in(simd: SimdLevel, precision: Precision) -> &'static MicroKernel {
    match precision {
        Precision::F32 => micro_kernel(simd),
        Precision::Bf16 => micro_kernel_of_pairs(simd),
    }
}

/// Returns the micro-kernel of a SIMD level.
pub fn micro_kernel(simd: SimdLevel) -> &'static MicroKernel {
    match simd.isa() {
        #[cfg(target_arch = "x86_64")]
        Isa::Amx | Isa::Avx512 => &AVX512,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => &AVX2,
        _ => &PORTABLE,
    }
}

impl MicroKernel {
    /// Computes the tile `c`, at most mr × nr, with a packed B; with `add` the product is added to
    /// C.
    ///
    /// # Panics
    /// When an operand is too short for its sizes.
    pub fn run(&self, a: &Lhs, b: &[f32], c: &mut BlockMut, add: bool) {
        let b = Rhs { data: b, stride: self.nr, prefetch: Prefetch::default() };
        self.run_in_place(a, &b, c, add);
    }

    /// Computes the tile `c` as [`run`](Self::run) does, with any B.
    ///
    /// # Panics
    /// When an operand is too short for its sizes.
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
            // elements. The CPU has the kernel's instructions: a `SimdLevel` is proof of that.
            unsafe { (self.run)(&Raw::new(a, b, c.as_mut_ptr(), stride_c, m, add)) }
        } else {
            // The tile crosses the right edge of C: compute all of it elsewhere, copy what is
            // inside.
            let mut whole = [0.0; MAX_MR * MAX_NR];
            // SAFETY: as above; `whole` has room for mr rows of nr elements.
            unsafe { (self.run)(&Raw::new(a, b, whole.as_mut_ptr(), self.nr, c.rows(), false)) }
            for i in 0..c.rows() {
                for (c, &t) in c.row_mut(i).iter_mut().zip(&whole[i * self.nr..]) {
                    *c = if add { *c + t } else { t };
                }
            }
        }
    }

    /// Computes a column of tiles, C \[m, nr\] (+)= A \[m, k\] · B \[k, nr\], with a packed B. What
    /// follows B in `b` is prefetched, as much as B is long.
    ///
    /// The checks of [`run`](Self::run) are made once for all tiles. A tile with few terms would
    /// spend much of its time on them.
    ///
    /// # Panics
    /// When an operand is too short for its sizes, or C is not nr wide.
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
        let next = &b[a.k * self.nr..];
        let next = &next[..next.len().min(a.k * self.nr)];
        let width = next.len().div_ceil(rows.div_ceil(self.mr)).next_multiple_of(LINE);
        for first in (0..rows).step_by(self.mr) {
            for (i, offset) in offsets.iter_mut().enumerate() {
                *offset = (first + i).min(rows - 1) * a.row; // beyond the last row: any valid row
            }
            let lhs = Lhs { data: a.data, rows: &offsets, segments: &[0], k: a.k, step: a.step };
            let at = (first / self.mr * width).min(next.len());
            let width = width.min(next.len() - at);
            let prefetch = Prefetch { data: next, start: at, stride: 0, rows: 1, width };
            let rhs = Rhs { data: b, stride: self.nr, prefetch };
            // SAFETY: `first` is a row of `c`, and so are the m from there on, of nr elements each.
            // The assertions bound every read of A and B. The CPU has the kernel's instructions: a
            // `SimdLevel` is proof of that.
            unsafe {
                let c = start.add(first * stride_c);
                (self.run)(&Raw::new(&lhs, &rhs, c, stride_c, self.mr.min(rows - first), add));
            }
        }
    }
}

/// Returns the highest offset, in few dependent steps: this runs for every tile.
fn highest(rows: &[usize; MAX_MR]) -> usize {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *rows;
    let [x, y, z] = [a.max(b).max(c.max(d)), e.max(f).max(g.max(h)), i.max(j).max(k.max(l))];
    x.max(y).max(z)
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

    /// Computes a tile of `m` rows from operands of these lengths.
    fn run(kernel: &MicroKernel, len_a: usize, len_b: usize, m: usize) -> Option<Vec<f32>> {
        let a: Vec<f32> = (0..len_a).map(|i| (i % 5) as f32).collect();
        let b: Vec<f32> = (0..len_b).map(|i| (i % 7) as f32).collect();
        let rows = std::array::from_fn(|i| i % kernel.mr * ROW);
        let lhs = Lhs { data: &a, rows: &rows, segments: &SEGMENTS, k: K, step: STEP };
        let rhs = Rhs { data: &b, stride: STRIDE, prefetch: Prefetch::default() };
        let mut c = vec![1.0; m * kernel.nr];
        let mut tile = BlockMut::new(&mut c, m, kernel.nr, kernel.nr);
        let done = catch_unwind(AssertUnwindSafe(|| {
            kernel.run_in_place(&lhs, &rhs, &mut tile, true);
        }));
        done.is_ok().then_some(c)
    }

    #[test]
    fn operands_may_end_with_their_last_element_and_no_sooner() {
        for level in SimdLevel::available() {
            let kernel = micro_kernel(level);
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

    /// Every kernel of pairs that this CPU can run.
    fn kernels_of_pairs() -> Vec<&'static MicroKernel> {
        let kernels = SimdLevel::available().map(micro_kernel_of_pairs);
        #[cfg(target_arch = "x86_64")]
        let has_avx512 = matches!(SimdLevel::widest().isa(), Isa::Amx | Isa::Avx512);
        #[cfg(target_arch = "x86_64")]
        let kernels = kernels.chain(has_avx512.then_some(&AVX512_PAIRS));
        kernels.collect()
    }

    #[test]
    fn kernels_of_pairs_add_the_upper_product_first() {
        use crate::bf16::{from_bf16, to_bf16};
        const K: usize = 7;
        let half = |i: usize| to_bf16(((i * 7919 % 1009) as f32 / 1009.0 - 0.3) * 3.0);
        let pair = |i: usize| (u32::from(half(2 * i + 1)) << 16) | u32::from(half(2 * i));
        for kernel in kernels_of_pairs() {
            let (mr, nr) = (kernel.mr, kernel.nr);
            let a: Vec<f32> = (0..mr * K).map(|i| f32::from_bits(pair(i))).collect();
            let b: Vec<f32> = (0..K * nr).map(|i| f32::from_bits(pair(i + 999))).collect();
            let rows = std::array::from_fn(|i| i % mr * K);
            let lhs = Lhs { data: &a, rows: &rows, segments: &[0], k: K, step: 1 };
            let mut c = vec![0.0; mr * nr];
            kernel.run(&lhs, &b, &mut BlockMut::new(&mut c, mr, nr, nr), false);
            for (i, &c) in c.iter().enumerate() {
                let mut want = 0.0_f32;
                for p in 0..K {
                    let (a, b) = (i / nr * K + p, p * nr + i % nr + 999);
                    for upper in [1, 0] {
                        let [a, b] = [a, b].map(|i| from_bf16(half(2 * i + upper)));
                        want = a.mul_add(b, want);
                    }
                }
                assert_eq!(c.to_bits(), want.to_bits(), "{mr}×{nr}: element {i}");
            }
        }
    }

    #[test]
    fn a_strip_is_its_tiles_and_reads_no_further() {
        const K: usize = 5;
        for level in SimdLevel::available() {
            let kernel = micro_kernel(level);
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
        let kernel = micro_kernel(SimdLevel::widest());
        let data = [0.0; 64];
        let panics = |rows, segments: &[usize], step, stride| {
            let lhs = Lhs { data: &data, rows: &rows, segments, k: 2, step };
            let rhs = Rhs { data: &data, stride, prefetch: Prefetch::default() };
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
