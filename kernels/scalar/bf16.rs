//! bfloat16: the upper half of an f32, with its exponent and 8 bits of mantissa.
//!
//! In [`Precision::Bf16`] the factors of every product are bfloat16 and the sums are f32. The product
//! of two bfloat16 fits into an f32, so only the sums are rounded. [`crate::naive::bf16`] is the
//! specification.

use crate::arch::halves_mut;
use std::fmt;
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

/// Packs a matrix `[rows, columns]` for products in pairs, `[rows/2, columns]` pairs of neighbours in a
/// column, the upper one in the lower half of 32 bits. The number of rows is even.
pub(crate) fn pack_pairs(matrix: &[f32], columns: usize, pairs: &mut [f32]) {
    let pairs = halves_mut(pairs);
    for (rows, pairs) in matrix.chunks_exact(2 * columns).zip(pairs.chunks_exact_mut(2 * columns)) {
        let (upper, lower) = rows.split_at(columns);
        for ((pair, &a), &b) in pairs.chunks_exact_mut(2).zip(upper).zip(lower) {
            pair.copy_from_slice(&[to_bf16(a), to_bf16(b)]);
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
