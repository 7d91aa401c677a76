//! bfloat16: the upper half of an f32, with its exponent and 8 bits of mantissa.
//!
//! In [`Precision::Bf16`] the factors of every product are bfloat16 and the sums are f32. The product
//! of two bfloat16 fits into an f32, so only the sums are rounded. [`crate::naive::precision`] is the
//! specification.

use crate::arch::{SimdLevel, Vector, Vectorized, halves_mut, vector_offsets, vectorized};
use crate::elementwise;
use crate::scratch::{self, Scratch};
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

/// The numbers that products are computed from. Sums are f32 in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// f32.
    #[default]
    F32,
    /// bfloat16, rounded to nearest, ties to even.
    Bf16,
}

impl Precision {
    /// Both.
    pub const ALL: [Precision; 2] = [Self::F32, Self::Bf16];

    /// Returns the name as the option `--precision` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|p| p.name() == s);
        found.ok_or_else(|| format!("unknown precision {s:?}: expected f32 or bf16"))
    }
}

/// Returns the bfloat16 nearest to `x`, ties to even. NaN stays NaN, and numbers beyond the largest
/// bfloat16 become infinite.
#[inline(always)]
pub fn to_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    if x.is_nan() {
        return (bits >> 16) as u16 | 0x40; // stays NaN although the lower half is lost
    }
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// Returns the number that a bfloat16 stands for, exactly.
#[inline(always)]
pub fn from_bf16(half: u16) -> f32 {
    f32::from_bits(u32::from(half) << 16)
}

/// Returns `x` rounded to bfloat16.
#[inline(always)]
pub fn rounded(x: f32) -> f32 {
    from_bf16(to_bf16(x))
}

/// Returns a word whose lower half is `x` rounded to bfloat16 and whose upper half is 0.
#[inline(always)]
pub(crate) fn with_lower_half(x: f32) -> f32 {
    f32::from_bits(u32::from(to_bf16(x)))
}

/// Returns the word with `x` rounded to bfloat16 as its upper half.
#[inline(always)]
pub(crate) fn with_upper_half(word: f32, x: f32) -> f32 {
    f32::from_bits(word.to_bits() & 0xffff | u32::from(to_bf16(x)) << 16)
}

/// Packs a matrix `[rows, columns]` for products in pairs: `[⌈rows/2⌉, columns]` words of neighbours in
/// a column, the upper one in the lower half. A row of zeros is added where the number of rows is odd.
pub(crate) fn pack_pairs(simd: SimdLevel, matrix: &[f32], columns: usize, words: &mut [f32]) {
    vectorized(simd, columns, PackPairs { matrix, columns, words });
}

struct PackPairs<'a> {
    matrix: &'a [f32],
    columns: usize,
    words: &'a mut [f32],
}

impl Vectorized for PackPairs<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let n = self.columns;
        for (rows, words) in self.matrix.chunks(2 * n).zip(self.words.chunks_mut(n)) {
            for at in vector_offsets::<V>(n) {
                V::load(&rows[at..]).store_lower_halves(&mut words[at..]);
                if rows.len() > n {
                    V::load(&rows[n + at..]).store_upper_halves(&mut words[at..]);
                }
            }
        }
    }
}

/// Numbers as they are, or rounded to bfloat16 in a copy.
pub(crate) enum Factors<'a> {
    /// As they are.
    Given(&'a [f32]),
    /// The copy.
    Rounded(Scratch),
}

impl Deref for Factors<'_> {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        match self {
            Self::Given(x) => x,
            Self::Rounded(x) => x,
        }
    }
}

/// Returns the factors of products in this precision.
pub(crate) fn in_precision(precision: Precision, x: &[f32]) -> Factors<'_> {
    match precision {
        Precision::F32 => Factors::Given(x),
        Precision::Bf16 => rounded_copy(x),
    }
}

/// Returns the numbers rounded to bfloat16.
pub(crate) fn rounded_copy<'a>(x: &[f32]) -> Factors<'a> {
    let mut copy = scratch::take(x.len());
    elementwise::unary(x, &mut copy, rounded);
    Factors::Rounded(copy)
}

/// Returns whether so many terms make whole pairs.
pub(crate) fn is_paired(terms: usize) -> bool {
    terms.is_multiple_of(2)
}

/// Writes a word for each number: itself in the lower half and the one `distance` after it in the upper
/// half, 0 beyond the end.
pub(crate) fn pair_at_distance(simd: SimdLevel, x: &[f32], distance: usize, words: &mut [f32]) {
    vectorized(simd, x.len(), LowerHalves { x, words });
    let upper = x.get(distance..).unwrap_or(&[]);
    vectorized(simd, upper.len(), UpperHalves { x: upper, words });
}

struct LowerHalves<'a> {
    x: &'a [f32],
    words: &'a mut [f32],
}

impl Vectorized for LowerHalves<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        for at in vector_offsets::<V>(self.x.len()) {
            V::load(&self.x[at..]).store_lower_halves(&mut self.words[at..]);
        }
    }
}

struct UpperHalves<'a> {
    x: &'a [f32],
    words: &'a mut [f32],
}

impl Vectorized for UpperHalves<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        for at in vector_offsets::<V>(self.x.len()) {
            V::load(&self.x[at..]).store_upper_halves(&mut self.words[at..]);
        }
    }
}

/// Rounds `x` to bfloat16, two neighbours to a word. Its length is even.
pub(crate) fn narrow(simd: SimdLevel, x: &[f32], words: &mut [f32]) {
    let halves = &mut halves_mut(words)[..x.len()];
    vectorized(simd, x.len(), Narrow { x, halves });
}

struct Narrow<'a> {
    x: &'a [f32],
    halves: &'a mut [u16],
}

impl Vectorized for Narrow<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        for at in vector_offsets::<V>(self.x.len()) {
            V::load(&self.x[at..]).store_bf16(&mut self.halves[at..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bf16_survives_and_other_numbers_go_to_the_nearest() {
        for half in 0..=u16::MAX {
            let x = from_bf16(half);
            assert!(
                to_bf16(x) == half || x.is_nan() && from_bf16(to_bf16(x)).is_nan(),
                "{half:#x}"
            );
        }
        // Halfway between two neighbours: the even one; a little beside it: the nearer one.
        for half in 0..0x7f7f_u16 {
            let middle = f32::from_bits((u32::from(half) << 16) + 0x8000);
            assert_eq!(to_bf16(middle), half + (half & 1), "{half:#x}");
            assert_eq!(to_bf16(middle.next_down()), half);
            assert_eq!(to_bf16(-middle.next_up()), 0x8000 | (half + 1));
        }
        assert_eq!([1.0, -2.0, 3.4e38, f32::MAX].map(to_bf16), [0x3f80, 0xc000, 0x7f80, 0x7f80]);
        assert!(rounded(f32::from_bits(0x7f80_0001)).is_nan());
    }

    #[test]
    fn precisions_are_read_as_they_are_written() {
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(precision));
        }
        assert!("f16".parse::<Precision>().unwrap_err().contains("expected f32 or bf16"));
    }
}
