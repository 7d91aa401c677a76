//! The micro-kernel on 512-bit registers: 12 × 2 of them hold the tile.

use super::micro::Raw;
use std::arch::x86_64::*;

const LANES: usize = 16;
/// Rows of the tile.
pub const MR: usize = 12;
/// Columns of the tile.
pub const NR: usize = 2 * LANES;

/// The contract of [`super::micro`].
///
/// # Safety
/// The CPU has AVX-512F; every address of A, B and C that the contract names is valid.
#[target_feature(enable = "avx512f")]
pub unsafe fn run(x: &Raw) {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        match x.m {
            0..=4 => tile::<4>(x),
            5..=8 => tile::<8>(x),
            _ => tile::<MR>(x),
        }
    }
}

/// The tile with R ≥ m rows in registers: a low tile does not pay for a high one.
///
/// # Safety
/// As [`run`].
#[target_feature(enable = "avx512f")]
unsafe fn tile<const R: usize>(x: &Raw) {
    let mut t = [[_mm512_setzero_ps(); 2]; R];
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
            let [b0, b1] = unsafe { [_mm512_loadu_ps(b), _mm512_loadu_ps(b.add(LANES))] };
            for i in 0..R {
                // SAFETY: rows[i] + segments[s] + p·step is an element of A.
                let a = _mm512_set1_ps(unsafe { *rows[i].add(at) });
                t[i][0] = _mm512_fmadd_ps(a, b0, t[i][0]);
                t[i][1] = _mm512_fmadd_ps(a, b1, t[i][1]);
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
                    if x.add { _mm512_add_ps(_mm512_loadu_ps(c), t[i][half]) } else { t[i][half] };
                _mm512_storeu_ps(c, sum);
            }
        }
    }
}
