//! SIMD registers as a trait, for code that is not a matrix product.
//!
//! An operation implements [`Vectorized`] once, generic over the register. [`vectorized`] compiles
//! it for each SIMD level and runs the one that the caller asks for.

use super::SimdLevel;
use super::simd_level::{Isa, PORTABLE_IS_FUSED};
use std::ops::{Add, Mul, Sub};

/// A register of f32.
pub trait Vector: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    /// Elements of the register.
    const LANES: usize;
    /// A register of one element that rounds as this one does, for what is left of a row.
    type OneLane: Vector;
    /// Returns a register with `v` in every element.
    fn splat(v: f32) -> Self;
    /// Returns self · a + b, rounded once where [`SimdLevel::is_fused`], else twice.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// Returns the larger elements; NaN where either is NaN.
    fn max(self, other: Self) -> Self;
    /// Returns self where `a` = `b`, else 0.
    fn where_equal(self, a: Self, b: Self) -> Self;
    /// Returns self where `a` > 0, else 0.
    fn where_positive(self, a: Self) -> Self;
    /// Loads the first `LANES` elements of `x`.
    ///
    /// # Panics
    /// When `x` is shorter.
    fn load(x: &[f32]) -> Self;
    /// Stores into the first `LANES` elements of `x`.
    ///
    /// # Panics
    /// When `x` is shorter.
    fn store(self, x: &mut [f32]);
}

/// An operation on registers of any width.
///
/// `run` is compiled once for each level, inside a function with that level's instructions. Every
/// use of a register must be inlined there: mark helpers `#[inline(always)]`, and use loops instead
/// of closures over registers, because closures cannot be marked.
pub trait Vectorized {
    /// Runs the operation on registers of type `V`.
    fn run<V: Vector>(self);
}

/// Runs `op` on the registers of `simd`, or element by element where its rows of `n` elements are
/// shorter than the widest register.
pub fn vectorized<Op: Vectorized>(simd: SimdLevel, n: usize, op: Op) {
    match simd.isa() {
        // SAFETY: a `SimdLevel` is proof that the CPU has its instructions; AVX-512 includes FMA.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx2 if n < 16 => unsafe { x86::one_lane(op) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { x86::avx512(op) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { x86::avx2(op) },
        _ if n < 16 => op.run::<OneLane<PORTABLE_IS_FUSED>>(),
        _ => op.run::<portable::Wide>(),
    }
}

/// Implements an operator of `$t` by the function `$f` on the wrapped value.
macro_rules! operator {
    ($t:ident $(< $fused:ident >)?, $trait:ident, $name:ident, $f:path) => {
        impl $(<const $fused: bool>)? $trait for $t $(<$fused>)? {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                // SAFETY: the type exists only where its feature was detected, see below.
                #[allow(unused_unsafe)]
                Self(unsafe { $f(self.0, other.0) })
            }
        }
    };
}

// The register types cannot be named outside this file. Only `vectorized` chooses one, for a level
// that was detected, so their safe methods are sound.
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
        avx512, "avx512f", __m512, 16, Register512, _mm512_set1_ps, _mm512_loadu_ps,
        _mm512_storeu_ps, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_fmadd_ps, compare512
    );
    register!(
        avx2, "avx2,fma", __m256, 8, Register256, _mm256_set1_ps, _mm256_loadu_ps,
        _mm256_storeu_ps, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_fmadd_ps, compare256
    );

    /// Comparisons of AVX-512, whose result is a mask register.
    ///
    /// # Safety
    /// Of every function: the CPU has AVX-512F.
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
    }

    /// Comparisons of AVX, whose result is all ones or all zeros in each element.
    ///
    /// # Safety
    /// Of every function: the CPU has AVX.
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
        type OneLane = OneLane<PORTABLE_IS_FUSED>;
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
            let larger = self.0.max(other.0); // the number where one of the two is NaN
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

/// A register of one element, for rows that are shorter than a real one. FUSED: as the other
/// registers of the level round.
#[derive(Clone, Copy)]
pub struct OneLane<const FUSED: bool>(f32);

operator!(OneLane<FUSED>, Add, add, Add::add);
operator!(OneLane<FUSED>, Sub, sub, Sub::sub);
operator!(OneLane<FUSED>, Mul, mul, Mul::mul);

impl<const FUSED: bool> Vector for OneLane<FUSED> {
    const LANES: usize = 1;
    type OneLane = Self;
    #[inline(always)]
    fn splat(v: f32) -> Self {
        Self(v)
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        // Without the instruction, `f32::mul_add` is a slow function.
        Self(if FUSED { self.0.mul_add(a.0, b.0) } else { self.0 * a.0 + b.0 })
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self.0 > other.0 || self.0.is_nan() { self } else { other }
    }
    #[inline(always)]
    fn where_equal(self, a: Self, b: Self) -> Self {
        Self(if a.0 == b.0 { self.0 } else { 0.0 })
    }
    #[inline(always)]
    fn where_positive(self, a: Self) -> Self {
        Self(if a.0 > 0.0 { self.0 } else { 0.0 })
    }
    #[inline(always)]
    fn load(x: &[f32]) -> Self {
        Self(x[0])
    }
    #[inline(always)]
    fn store(self, x: &mut [f32]) {
        x[0] = self.0;
    }
}

/// Returns the offsets of the registers that cover `0..n`: side by side, the last one moved back to
/// end at n. The elements that it covers a second time must get the same result again.
#[inline(always)]
pub fn vector_offsets<V: Vector>(n: usize) -> impl Iterator<Item = usize> {
    (0..n).step_by(V::LANES).map(move |at| at.min(n.saturating_sub(V::LANES)))
}
