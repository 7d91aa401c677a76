//! The step of a micro-kernel in bfloat16: a sum of two products in each element.
//!
//! An element of 32 bits is a pair of bfloat16 (b, a), a in the lower half. The step is
//! t + a·a' + b·b', where the pair (b, b') is multiplied first, because `vdpbf16ps` does so. Each
//! addition rounds once. `vdpbf16ps` takes denormal numbers as 0; otherwise all functions give the
//! same bits.

use std::arch::x86_64::*;
use std::mem::transmute;

/// The step by `vdpbf16ps`.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
pub fn dot_bf16(x: __m512, y: __m512, t: __m512) -> __m512 {
    // SAFETY: both types are 64 bytes of which any bits are valid.
    let [x, y] = unsafe { [transmute::<__m512, __m512bh>(x), transmute::<__m512, __m512bh>(y)] };
    _mm512_dpbf16_ps(t, x, y)
}

macro_rules! emulated {
    ($name:ident, $feature:literal, $raw:ident, $ints:ident, $floats:ident, $upper:ident,
     $and:ident, $set1:ident, $fmadd:ident) => {
        /// The step by two fused multiply-adds.
        #[inline]
        #[target_feature(enable = $feature)]
        pub fn $name(x: $raw, y: $raw, t: $raw) -> $raw {
            let mask = $set1(0xffff_0000_u32 as i32);
            let upper = |x: $raw| $floats($and($ints(x), mask));
            let lower = |x: $raw| $floats($upper::<16>($ints(x)));
            $fmadd(lower(x), lower(y), $fmadd(upper(x), upper(y), t))
        }
    };
}

emulated!(
    fmadd_pairs512, "avx512f", __m512, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_slli_epi32,
    _mm512_and_si512, _mm512_set1_epi32, _mm512_fmadd_ps
);
emulated!(
    fmadd_pairs256, "avx2,fma", __m256, _mm256_castps_si256, _mm256_castsi256_ps,
    _mm256_slli_epi32, _mm256_and_si256, _mm256_set1_epi32, _mm256_fmadd_ps
);
