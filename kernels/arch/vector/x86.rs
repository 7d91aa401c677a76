//! The registers of AVX2 and AVX-512.

use super::*;
use std::arch::x86_64::*;

macro_rules! register {
    ($name:ident, $feature:literal, $raw:ident, $lanes:literal, $wrapper:ident,
     $set1:ident, $loadu:ident, $storeu:ident, $add:ident, $sub:ident, $mul:ident, $fmadd:ident,
     $compare:ident) => {
        #[derive(Clone, Copy)]
        pub struct $wrapper($raw);

        operator!($wrapper, Add, add, $add);
        operator!($wrapper, Sub, sub, $sub);
        operator!($wrapper, Mul, mul, $mul);

        impl Vector for $wrapper {
            const LANES: usize = $lanes;
            type OneLane = OneLane<true>;
            #[inline(always)]
            fn splat(v: f32) -> Self {
                // SAFETY: the feature was detected, see above.
                Self(unsafe { $set1(v) })
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                // SAFETY: the feature was detected, see above.
                Self(unsafe { $fmadd(self.0, a.0, b.0) })
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                // SAFETY: the feature was detected, see above.
                Self(unsafe { $compare::max(self.0, other.0) })
            }
            #[inline(always)]
            fn where_equal(self, a: Self, b: Self) -> Self {
                // SAFETY: the feature was detected, see above.
                Self(unsafe { $compare::where_equal(self.0, a.0, b.0) })
            }
            #[inline(always)]
            fn where_positive(self, a: Self) -> Self {
                // SAFETY: the feature was detected, see above.
                Self(unsafe { $compare::where_positive(self.0, a.0) })
            }
            #[inline(always)]
            fn load(x: &[f32]) -> Self {
                assert!(x.len() >= $lanes);
                // SAFETY: the feature was detected, and x has enough elements.
                Self(unsafe { $loadu(x.as_ptr()) })
            }
            #[inline(always)]
            fn store(self, x: &mut [f32]) {
                assert!(x.len() >= $lanes);
                // SAFETY: the feature was detected, and x has room.
                unsafe { $storeu(x.as_mut_ptr(), self.0) }
            }
            #[inline(always)]
            fn store_bf16(self, x: &mut [u16]) {
                assert!(x.len() >= $lanes);
                // SAFETY: the feature was detected, and x has room.
                unsafe { $compare::store_bf16(self.0, x.as_mut_ptr()) }
            }
            #[inline(always)]
            fn store_lower_halves(self, x: &mut [f32]) {
                assert!(x.len() >= $lanes);
                // SAFETY: the feature was detected, and x has room.
                unsafe { $compare::store_lower_halves(self.0, x.as_mut_ptr()) }
            }
            #[inline(always)]
            fn store_upper_halves(self, x: &mut [f32]) {
                assert!(x.len() >= $lanes);
                // SAFETY: the feature was detected, and x has room.
                unsafe { $compare::store_upper_halves(self.0, x.as_mut_ptr()) }
            }
            #[inline(always)]
            fn load_bf16(x: &[u16]) -> Self {
                assert!(x.len() >= $lanes);
                // SAFETY: the feature was detected, and x has enough elements.
                Self(unsafe { $compare::load_bf16(x.as_ptr()) })
            }
        }

        /// Runs `op` on these registers.
        ///
        /// # Safety
        /// The CPU has the feature.
        #[target_feature(enable = $feature)]
        pub unsafe fn $name<Op: Vectorized>(op: Op) {
            op.run::<$wrapper>();
        }
    };
}

/// Runs `op` element by element.
///
/// # Safety
/// The CPU has AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn one_lane<Op: Vectorized>(op: Op) {
    op.run::<OneLane<true>>();
}

register!(
    avx512, "avx512f", __m512, 16, Register512, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps,
    _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_fmadd_ps, compare512
);
register!(
    avx2, "avx2,fma", __m256, 8, Register256, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps,
    _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_fmadd_ps, compare256
);

/// Comparisons of AVX-512, whose result is a mask register, and bfloat16.
///
/// # Safety
/// Of every function: the CPU has AVX-512F, and a pointer leads to 16 elements.
mod compare512 {
    use super::*;
    #[inline(always)]
    pub unsafe fn max(a: __m512, b: __m512) -> __m512 {
        // SAFETY: the caller's promise. `max` returns b where either is NaN, so a NaN in a is
        // added.
        unsafe {
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a);
            _mm512_mask_mov_ps(_mm512_max_ps(a, b), nan, a)
        }
    }
    #[inline(always)]
    pub unsafe fn where_equal(x: __m512, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the caller's promise.
        unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b), x) }
    }
    #[inline(always)]
    pub unsafe fn where_positive(x: __m512, a: __m512) -> __m512 {
        // SAFETY: the caller's promise.
        unsafe {
            let zero = _mm512_setzero_ps();
            _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, zero), x)
        }
    }
    /// Returns bits whose upper halves are the elements rounded to bfloat16.
    #[inline(always)]
    unsafe fn rounded(x: __m512) -> __m512i {
        // SAFETY: the caller's promise.
        unsafe {
            let (bits, nan) = (_mm512_castps_si512(x), _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x));
            let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
            let half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
            let sum = _mm512_add_epi32(bits, half);
            _mm512_mask_or_epi32(sum, nan, bits, _mm512_set1_epi32(0x40_0000))
        }
    }
    #[inline(always)]
    pub unsafe fn store_bf16(x: __m512, to: *mut u16) {
        // SAFETY: the caller's promise.
        unsafe {
            let halves = _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(rounded(x)));
            _mm256_storeu_si256(to.cast(), halves);
        }
    }
    #[inline(always)]
    pub unsafe fn store_lower_halves(x: __m512, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { _mm512_storeu_si512(to.cast(), _mm512_srli_epi32::<16>(rounded(x))) }
    }
    #[inline(always)]
    pub unsafe fn store_upper_halves(x: __m512, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe {
            let lower = _mm512_set1_epi32(0xffff);
            let upper = _mm512_andnot_si512(lower, rounded(x));
            let lower = _mm512_and_si512(_mm512_loadu_si512(to.cast()), lower);
            _mm512_storeu_si512(to.cast(), _mm512_or_si512(lower, upper));
        }
    }
    #[inline(always)]
    pub unsafe fn load_bf16(from: *const u16) -> __m512 {
        // SAFETY: the caller's promise.
        unsafe {
            let halves = _mm256_loadu_si256(from.cast());
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(halves)))
        }
    }
}

/// Comparisons of AVX, whose result is all ones or all zeros in each element, and bfloat16.
///
/// # Safety
/// Of every function: the CPU has AVX2, and a pointer leads to 8 elements.
mod compare256 {
    use super::*;
    #[inline(always)]
    pub unsafe fn max(a: __m256, b: __m256) -> __m256 {
        // SAFETY: the caller's promise. `max` returns b where either is NaN, so a NaN in a is
        // added.
        unsafe {
            let nan = _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a);
            _mm256_blendv_ps(_mm256_max_ps(a, b), a, nan)
        }
    }
    #[inline(always)]
    pub unsafe fn where_equal(x: __m256, a: __m256, b: __m256) -> __m256 {
        // SAFETY: the caller's promise.
        unsafe { _mm256_and_ps(x, _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b)) }
    }
    #[inline(always)]
    pub unsafe fn where_positive(x: __m256, a: __m256) -> __m256 {
        // SAFETY: the caller's promise.
        unsafe { _mm256_and_ps(x, _mm256_cmp_ps::<_CMP_GT_OQ>(a, _mm256_setzero_ps())) }
    }
    /// Returns bits whose upper halves are the elements rounded to bfloat16.
    #[inline(always)]
    unsafe fn rounded(x: __m256) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe {
            let (bits, nan) = (_mm256_castps_si256(x), _mm256_cmp_ps::<_CMP_UNORD_Q>(x, x));
            let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
            let half = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
            let quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x40_0000));
            let sum = _mm256_add_epi32(bits, half);
            _mm256_blendv_epi8(sum, quiet, _mm256_castps_si256(nan))
        }
    }
    #[inline(always)]
    pub unsafe fn store_lower_halves(x: __m256, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { _mm256_storeu_si256(to.cast(), _mm256_srli_epi32::<16>(rounded(x))) }
    }
    #[inline(always)]
    pub unsafe fn store_upper_halves(x: __m256, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe {
            let lower = _mm256_set1_epi32(0xffff);
            let upper = _mm256_andnot_si256(lower, rounded(x));
            let lower = _mm256_and_si256(_mm256_loadu_si256(to.cast()), lower);
            _mm256_storeu_si256(to.cast(), _mm256_or_si256(lower, upper));
        }
    }
    #[inline(always)]
    pub unsafe fn store_bf16(x: __m256, to: *mut u16) {
        // SAFETY: the caller's promise.
        unsafe {
            let halves = _mm256_srli_epi32::<16>(rounded(x));
            // `packus` works in each half of the register: put both results together.
            let packed = _mm256_packus_epi32(halves, halves);
            let packed = _mm256_permute4x64_epi64::<0b1000>(packed);
            _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(packed));
        }
    }
    #[inline(always)]
    pub unsafe fn load_bf16(from: *const u16) -> __m256 {
        // SAFETY: the caller's promise.
        unsafe {
            let halves = _mm_loadu_si128(from.cast());
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(halves)))
        }
    }
}
