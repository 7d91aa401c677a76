//! The micro-kernels for AVX2 and AVX-512: MR × 2 registers hold the tile.
//!
//! The two differ in the width and number of registers and in the names of the instructions. One
//! macro writes both, so tests on a CPU with AVX2 alone also check the code of AVX-512.

macro_rules! micro_kernel {
    ($name:ident, $feature:literal, $lanes:literal, $mr:literal,
     $zero:ident, $set1:ident, $loadu:ident, $storeu:ident, $add:ident, $fmadd:ident) => {
        pub mod $name {
            use crate::arch::contract::Raw;
            #[allow(unused_imports)] // for bfloat16
            use crate::arch::pair_products::*;
            use std::arch::x86_64::*;

            const LANES: usize = $lanes;
            /// Rows of the tile.
            pub const MR: usize = $mr;
            /// Columns of the tile.
            pub const NR: usize = 2 * LANES;

            /// Computes a tile by the contract of [`crate::arch::contract`].
            ///
            /// # Safety
            /// The CPU has the feature; every address of A, B and C that the contract names is
            /// valid.
            #[target_feature(enable = $feature)]
            pub unsafe fn run(x: &Raw) {
                const LOW: usize = MR / 3;
                // SAFETY: the caller's promise, passed on.
                unsafe {
                    match x.m.div_ceil(LOW) {
                        0..=1 => tile::<LOW>(x),
                        2 => tile::<{ 2 * LOW }>(x),
                        _ => tile::<MR>(x),
                    }
                }
            }

            /// Computes a tile with R ≥ m rows in registers, so that a low tile costs less than a
            /// high one.
            ///
            /// # Safety
            /// The caller keeps what [`run`] requires.
            #[target_feature(enable = $feature)]
            unsafe fn tile<const R: usize>(x: &Raw) {
                let mut t = [[$zero(); 2]; R];
                let (mut b, mut lines) = (x.b, x.prefetch);
                // SAFETY: `rows` has MR ≥ R entries.
                let rows: [*const f32; R] =
                    std::array::from_fn(|i| x.a.wrapping_add(unsafe { *x.rows.add(i) }));
                for s in 0..x.num_segments {
                    // SAFETY: s is below the number of segments.
                    let mut at = unsafe { *x.segments.add(s) };
                    for _ in 0..x.k {
                        lines.prefetch_next();
                        // SAFETY: B has num_segments·k rows of NR elements, stride_b apart; this is
                        // the next.
                        let [b0, b1] = unsafe { [$loadu(b), $loadu(b.add(LANES))] };
                        for i in 0..R {
                            // SAFETY: rows[i] + segments[s] + p·step is an element of A.
                            let a = $set1(unsafe { *rows[i].add(at) });
                            t[i][0] = $fmadd(a, b0, t[i][0]);
                            t[i][1] = $fmadd(a, b1, t[i][1]);
                        }
                        at += x.step;
                        b = b.wrapping_add(x.stride_b);
                    }
                }
                for i in 0..R {
                    if i >= x.m {
                        break;
                    }
                    for half in 0..2 {
                        // SAFETY: row i < m of C holds NR elements.
                        unsafe {
                            let c = x.c.add(i * x.stride_c + half * LANES);
                            let sum = if x.add { $add($loadu(c), t[i][half]) } else { t[i][half] };
                            $storeu(c, sum);
                        }
                    }
                }
            }
        }
    };
}

micro_kernel!(
    avx2, "avx2,fma", 8, 6, _mm256_setzero_ps, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps,
    _mm256_add_ps, _mm256_fmadd_ps
);
micro_kernel!(
    avx512, "avx512f", 16, 12, _mm512_setzero_ps, _mm512_set1_ps, _mm512_loadu_ps,
    _mm512_storeu_ps, _mm512_add_ps, _mm512_fmadd_ps
);

// The same on pairs of bfloat16.
micro_kernel!(
    avx2_pairs, "avx2,fma", 8, 6, _mm256_setzero_ps, _mm256_set1_ps, _mm256_loadu_ps,
    _mm256_storeu_ps, _mm256_add_ps, fmadd_pairs256
);
micro_kernel!(
    avx512_pairs, "avx512f", 16, 12, _mm512_setzero_ps, _mm512_set1_ps, _mm512_loadu_ps,
    _mm512_storeu_ps, _mm512_add_ps, fmadd_pairs512
);
micro_kernel!(
    avx512_bf16, "avx512f,avx512bf16", 16, 12, _mm512_setzero_ps, _mm512_set1_ps, _mm512_loadu_ps,
    _mm512_storeu_ps, _mm512_add_ps, dot_bf16
);
