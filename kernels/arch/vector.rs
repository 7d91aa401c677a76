//! Vectors of the width in use, for code that is not a matrix product.
//!
//! An operation implements [`Vectorized`] once, generic over the register; [`vectorized`] compiles
//! it for each level and runs the one in use.

use super::{Level, level};
use std::ops::{Add, Mul, Sub};

/// A register of f32.
pub trait Vector: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    /// Elements of the register.
    const LANES: usize;
    /// All elements `v`.
    fn splat(v: f32) -> Self;
    /// self · a + b, rounded once.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// The larger of the two; NaN where either is.
    fn max(self, other: Self) -> Self;
    /// self where `a` = `b`, else 0.
    fn where_equal(self, a: Self, b: Self) -> Self;
    /// self where `a` > 0, else 0.
    fn where_positive(self, a: Self) -> Self;
    /// The first `LANES` elements of `x`.
    ///
    /// # Panics
    /// When it has fewer.
    fn load(x: &[f32]) -> Self;
    /// Writes the first `LANES` elements of `x`.
    ///
    /// # Panics
    /// When it has fewer.
    fn store(self, x: &mut [f32]);
}

/// An operation on vectors of any width.
///
/// `run` is compiled once for each level, inside a function that has its instructions. All that it
/// does with vectors must be inlined there: mark its helpers `#[inline(always)]`, and use loops
/// instead of closures over vectors, which cannot be marked.
pub trait Vectorized {
    /// Does the work.
    fn run<V: Vector>(self);
}

/// Runs `op` on the registers of the level in use, or one by one where its rows of `n` elements
/// are shorter than a register.
pub fn vectorized<Op: Vectorized>(n: usize, op: Op) {
    match level() {
        _ if n < 16 => op.run::<f32>(),
        // SAFETY: `level` returns a level only after its CPU features were detected.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { x86::avx512(op) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { x86::avx2(op) },
        _ => op.run::<portable::Wide>(),
    }
}

/// `$t op $t` by the function `$f` on what `$t` wraps.
macro_rules! operator {
    ($t:ident, $trait:ident, $name:ident, $f:path) => {
        impl $trait for $t {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                // SAFETY: the type exists only where its feature was detected, see below.
                #[allow(unused_unsafe)]
                $t(unsafe { $f(self.0, other.0) })
            }
        }
    };
}

// The register types cannot be named outside this file: only `vectorized` chooses one, after the
// level was detected, which is what makes their safe methods sound.
#[cfg(target_arch = "x86_64")]
mod x86 {
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

    register!(
        avx512,
        "avx512f",
        __m512,
        16,
        Register512,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_add_ps,
        _mm512_sub_ps,
        _mm512_mul_ps,
        _mm512_fmadd_ps,
        compare512
    );
    register!(
        avx2,
        "avx2,fma",
        __m256,
        8,
        Register256,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_add_ps,
        _mm256_sub_ps,
        _mm256_mul_ps,
        _mm256_fmadd_ps,
        compare256
    );

    /// Comparisons differ in kind: AVX-512 answers with a mask register.
    ///
    /// # Safety
    /// Of every function: the CPU has AVX-512F.
    mod compare512 {
        use super::*;
        #[inline(always)]
        pub unsafe fn max(a: __m512, b: __m512) -> __m512 {
            // SAFETY: the caller's. `max` answers b where either is NaN, so only a's NaN is missing.
            unsafe {
                let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a);
                _mm512_mask_mov_ps(_mm512_max_ps(a, b), nan, a)
            }
        }
        #[inline(always)]
        pub unsafe fn where_equal(x: __m512, a: __m512, b: __m512) -> __m512 {
            // SAFETY: the caller's.
            unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b), x) }
        }
        #[inline(always)]
        pub unsafe fn where_positive(x: __m512, a: __m512) -> __m512 {
            // SAFETY: the caller's.
            unsafe {
                let zero = _mm512_setzero_ps();
                _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, zero), x)
            }
        }
    }

    /// The same where a comparison answers with all bits of an element.
    ///
    /// # Safety
    /// Of every function: the CPU has AVX.
    mod compare256 {
        use super::*;
        #[inline(always)]
        pub unsafe fn max(a: __m256, b: __m256) -> __m256 {
            // SAFETY: the caller's. `max` answers b where either is NaN, so only a's NaN is missing.
            unsafe {
                let nan = _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a);
                _mm256_blendv_ps(_mm256_max_ps(a, b), a, nan)
            }
        }
        #[inline(always)]
        pub unsafe fn where_equal(x: __m256, a: __m256, b: __m256) -> __m256 {
            // SAFETY: the caller's.
            unsafe { _mm256_and_ps(x, _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b)) }
        }
        #[inline(always)]
        pub unsafe fn where_positive(x: __m256, a: __m256) -> __m256 {
            // SAFETY: the caller's.
            unsafe { _mm256_and_ps(x, _mm256_cmp_ps::<_CMP_GT_OQ>(a, _mm256_setzero_ps())) }
        }
    }
}

mod portable {
    use super::*;
    use wide::f32x8;

    #[derive(Clone, Copy)]
    pub struct Wide(f32x8);
    operator!(Wide, Add, add, Add::add);
    operator!(Wide, Sub, sub, Sub::sub);
    operator!(Wide, Mul, mul, Mul::mul);

    impl Vector for Wide {
        const LANES: usize = 8;
        #[inline(always)]
        fn splat(v: f32) -> Self {
            Self(f32x8::splat(v))
        }
        #[inline(always)]
        fn mul_add(self, a: Self, b: Self) -> Self {
            Self(self.0.mul_add(a.0, b.0))
        }
        #[inline(always)]
        fn max(self, other: Self) -> Self {
            let larger = self.0.max(other.0); // the number, where one is NaN
            let larger = other.0.is_nan().select(other.0, larger);
            Self(self.0.is_nan().select(self.0, larger))
        }
        #[inline(always)]
        fn where_equal(self, a: Self, b: Self) -> Self {
            Self(self.0 & a.0.simd_eq(b.0))
        }
        #[inline(always)]
        fn where_positive(self, a: Self) -> Self {
            Self(self.0 & a.0.simd_gt(f32x8::ZERO))
        }
        #[inline(always)]
        fn load(x: &[f32]) -> Self {
            let mut lanes = [0.0; 8];
            lanes.copy_from_slice(&x[..8]);
            Self(f32x8::new(lanes))
        }
        #[inline(always)]
        fn store(self, x: &mut [f32]) {
            x[..8].copy_from_slice(&self.0.to_array());
        }
    }
}

/// One element: what is left where a row is shorter than a register.
impl Vector for f32 {
    const LANES: usize = 1;
    #[inline(always)]
    fn splat(v: f32) -> Self {
        v
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        f32::mul_add(self, a, b)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other || self.is_nan() { self } else { other }
    }
    #[inline(always)]
    fn where_equal(self, a: Self, b: Self) -> Self {
        if a == b { self } else { 0.0 }
    }
    #[inline(always)]
    fn where_positive(self, a: Self) -> Self {
        if a > 0.0 { self } else { 0.0 }
    }
    #[inline(always)]
    fn load(x: &[f32]) -> Self {
        x[0]
    }
    #[inline(always)]
    fn store(self, x: &mut [f32]) {
        x[0] = self;
    }
}

/// Where the vectors that cover `0..n` start: side by side, the last moved back so that it ends at
/// n (what it covers twice must come out the same twice).
#[inline(always)]
pub fn starts<V: Vector>(n: usize) -> impl Iterator<Item = usize> {
    (0..n).step_by(V::LANES).map(move |at| at.min(n.saturating_sub(V::LANES)))
}
