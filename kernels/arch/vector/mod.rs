//! SIMD registers as a trait, for code that is not a matrix product.
//!
//! An operation implements [`Vectorized`] once, generic over the register. [`vectorized`] compiles
//! it for each SIMD level and runs the one that the caller asks for.

use super::SimdLevel;
#[cfg(target_arch = "x86_64")]
use super::simd_level::Isa;
use super::simd_level::PORTABLE_IS_FUSED;
use crate::bf16::{from_bf16, to_bf16, with_lower_half, with_upper_half};
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
    /// Stores into the first `LANES` elements of `x`, rounded to bfloat16 as
    /// [`to_bf16`](crate::bf16::to_bf16) does.
    ///
    /// # Panics
    /// When `x` is shorter.
    fn store_bf16(self, x: &mut [u16]);
    /// Stores into the lower halves of the first `LANES` words of `x`, rounded to bfloat16, and zeros
    /// into the upper halves.
    ///
    /// # Panics
    /// When `x` is shorter.
    fn store_lower_halves(self, x: &mut [f32]);
    /// Stores into the upper halves of the first `LANES` words of `x`, rounded to bfloat16.
    ///
    /// # Panics
    /// When `x` is shorter.
    fn store_upper_halves(self, x: &mut [f32]);
    /// Loads the first `LANES` bfloat16 of `x`.
    ///
    /// # Panics
    /// When `x` is shorter.
    fn load_bf16(x: &[u16]) -> Self;
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
        Isa::Amx | Isa::Avx512 | Isa::Avx2 if n < 16 => unsafe { x86::one_lane(op) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Amx | Isa::Avx512 => unsafe { x86::avx512(op) },
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

// The register types cannot be named outside this folder. Only `vectorized` chooses one, for a level
// that was detected, so their safe methods are sound.
#[cfg(target_arch = "x86_64")]
mod x86;

mod portable {
    use super::*;
    use crate::arch::multiply_add::multiply_add;
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
            Self(multiply_add(self.0, a.0, b.0))
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
        #[inline(always)]
        fn store_bf16(self, x: &mut [u16]) {
            x[..8].copy_from_slice(&self.0.to_array().map(to_bf16));
        }
        #[inline(always)]
        fn store_lower_halves(self, x: &mut [f32]) {
            for (x, half) in x[..8].iter_mut().zip(self.0.to_array()) {
                *x = with_lower_half(half);
            }
        }
        #[inline(always)]
        fn store_upper_halves(self, x: &mut [f32]) {
            for (x, half) in x[..8].iter_mut().zip(self.0.to_array()) {
                *x = with_upper_half(*x, half);
            }
        }
        #[inline(always)]
        fn load_bf16(x: &[u16]) -> Self {
            let x = &x[..8];
            Self(f32x8::new(std::array::from_fn(|i| from_bf16(x[i]))))
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
    #[inline(always)]
    fn store_bf16(self, x: &mut [u16]) {
        x[0] = to_bf16(self.0);
    }
    #[inline(always)]
    fn store_lower_halves(self, x: &mut [f32]) {
        x[0] = with_lower_half(self.0);
    }
    #[inline(always)]
    fn store_upper_halves(self, x: &mut [f32]) {
        x[0] = with_upper_half(x[0], self.0);
    }
    #[inline(always)]
    fn load_bf16(x: &[u16]) -> Self {
        Self(from_bf16(x[0]))
    }
}

/// Returns the offsets of the registers that cover `0..n`: side by side, the last one moved back to
/// end at n. The elements that it covers a second time must get the same result again.
#[inline(always)]
pub fn vector_offsets<V: Vector>(n: usize) -> impl Iterator<Item = usize> {
    (0..n).step_by(V::LANES).map(move |at| at.min(n.saturating_sub(V::LANES)))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Halves<'a> {
        x: &'a [f32],
        halves: &'a mut [u16],
        back: &'a mut [f32],
        words: &'a mut [f32],
    }

    impl Vectorized for Halves<'_> {
        #[inline(always)]
        fn run<V: Vector>(self) {
            for at in vector_offsets::<V>(self.x.len()) {
                V::load(&self.x[at..]).store_bf16(&mut self.halves[at..]);
                V::load_bf16(&self.halves[at..]).store(&mut self.back[at..]);
                V::load(&self.x[at..]).store_lower_halves(&mut self.words[at..]);
                V::load(&self.x[at..]).store_upper_halves(&mut self.words[at..]);
            }
        }
    }

    #[test]
    fn every_level_rounds_to_bf16_alike() {
        // Ties, carries into the exponent, denormals, infinities and NaN, of both signs.
        let special = [0, 1, 0x7fff, 0x8000, 0x18000, 0x3f7f_8000, 0x7f7f_ffff, 0x7f80_0000];
        let nan = [0x7f80_0001, 0x7fff_ffff, 0x7fc0_0000];
        let positive = special.into_iter().chain(nan).chain((0..3000).map(|i| i * 715_827));
        let x: Vec<f32> =
            positive.flat_map(|bits| [bits, bits | 1 << 31].map(f32::from_bits)).collect();
        let want: Vec<u16> = x.iter().map(|&x| to_bf16(x)).collect();
        for (level, len) in SimdLevel::available().flat_map(|l| [(l, 9), (l, 17), (l, x.len())]) {
            let (mut halves, mut back, mut words) = (vec![7; len], vec![7.0; len], vec![7.0; len]);
            let op =
                Halves { x: &x[..len], halves: &mut halves, back: &mut back, words: &mut words };
            vectorized(level, len, op);
            assert!(halves == want[..len], "{level}");
            let same = back.iter().zip(&want).all(|(x, &w)| x.to_bits() == from_bf16(w).to_bits());
            assert!(same, "{level}");
            let twice = |half: u16| u32::from(half) << 16 | u32::from(half);
            assert!(words.iter().zip(&want).all(|(w, &half)| w.to_bits() == twice(half)));
        }
    }
}
