//! The micro-kernel on 256-bit registers: 6 × 2 of them hold the tile.

use super::micro::Raw;
use std::arch::x86_64::*;

const LANES: usize = 8;
/// Rows of the tile.
pub const MR: usize = 6;
/// Columns of the tile.
pub const NR: usize = 2 * LANES;

/// The contract of [`super::micro`].
///
/// # Safety
/// The CPU has AVX2 and FMA; every address of A, B and C that the contract names is valid.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn run(x: &Raw) {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        match x.m {
            0..=2 => tile::<2>(x),
            3..=4 => tile::<4>(x),
            _ => tile::<MR>(x),
        }
    }
}

/// The tile with R ≥ m rows in registers: a low tile does not pay for a high one.
///
/// # Safety
/// As [`run`].
#[target_feature(enable = "avx2,fma")]
unsafe fn tile<const R: usize>(x: &Raw) {
    let mut t = [[_mm256_setzero_ps(); 2]; R];
    let (mut b, mut ahead) = (x.b, x.ahead);
    // SAFETY: `rows` has MR ≥ R entries.
    let rows: [*const f32; R] =
        std::array::from_fn(|i| x.a.wrapping_add(unsafe { *x.rows.add(i) }));
    for s in 0..x.num_segments {
        // SAFETY: s is below the number of segments.
        let mut at = unsafe { *x.segments.add(s) };
        for _ in 0..x.k {
            ahead.prefetch_next();
            // SAFETY: B has num_segments·k rows of NR elements, stride_b apart; this is the next.
            let [b0, b1] = unsafe { [_mm256_loadu_ps(b), _mm256_loadu_ps(b.add(LANES))] };
            for i in 0..R {
                // SAFETY: rows[i] + segments[s] + p·step is an element of A.
                let a = _mm256_set1_ps(unsafe { *rows[i].add(at) });
                t[i][0] = _mm256_fmadd_ps(a, b0, t[i][0]);
                t[i][1] = _mm256_fmadd_ps(a, b1, t[i][1]);
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
                let sum =
                    if x.add { _mm256_add_ps(_mm256_loadu_ps(c), t[i][half]) } else { t[i][half] };
                _mm256_storeu_ps(c, sum);
            }
        }
    }
}
