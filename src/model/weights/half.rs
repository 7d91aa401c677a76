//! Half precision (IEEE 754 binary16) for weights that travel.

/// The nearest half to a number, ties to even; beyond 65,504 infinity.
pub fn to_half(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    let magnitude = value.abs();
    if magnitude.is_nan() {
        return sign | 0x7e00;
    }
    if magnitude < SMALLEST_NORMAL {
        return sign | (magnitude * UNITS).round_ties_even() as u16; // in units of 2⁻²⁴
    }
    if magnitude >= 65_520.0 {
        return sign | 0x7c00;
    }
    let exponent = (bits >> 23 & 0xff) as u16 + 15 - 127;
    let mantissa = bits & 0x7f_ffff;
    let truncated = exponent << 10 | (mantissa >> 13) as u16;
    let rest = mantissa & 0x1fff;
    let up = rest > 0x1000 || rest == 0x1000 && truncated & 1 == 1;
    sign | (truncated + u16::from(up)) // a carry moves the exponent, as it should
}

/// The number that a half stands for, exactly.
pub fn from_half(half: u16) -> f32 {
    let (exponent, mantissa) = (half >> 10 & 31, f32::from(half & 0x3ff));
    let magnitude = match exponent {
        0 => mantissa / UNITS,
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        e => (1.0 + mantissa / 1024.0) * f32::exp2(f32::from(e) - 15.0),
    };
    if half & 0x8000 == 0 { magnitude } else { -magnitude }
}

/// 2⁻¹⁴.
const SMALLEST_NORMAL: f32 = 6.103_515_6e-5;
/// Steps of the smallest halves in 1: 2²⁴.
const UNITS: f32 = 16_777_216.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_survives_and_every_other_number_goes_to_the_nearest() {
        let finite = |h: &u16| h >> 10 & 31 != 31;
        for h in (0..=u16::MAX).filter(finite) {
            assert_eq!(to_half(from_half(h)), h, "{h:#x}");
        }
        // Halfway between two neighbours: the even one; a little beside it: the nearer one.
        for h in (0..0x7bff).filter(finite) {
            let (low, high) = (from_half(h), from_half(h + 1));
            let middle = (low + high) / 2.0;
            assert_eq!(to_half(middle), h + (h & 1), "{h:#x}");
            assert_eq!(to_half(middle.next_down()), h);
            assert_eq!(to_half(-middle.next_up()), 0x8000 | (h + 1));
        }
        assert_eq!([1.0, -2.0, 0.5, 65_504.0].map(to_half), [0x3c00, 0xc000, 0x3800, 0x7bff]);
        assert_eq!([65_519.9, 65_520.0, f32::INFINITY].map(to_half), [0x7bff, 0x7c00, 0x7c00]);
        assert!(from_half(to_half(f32::NAN)).is_nan() && from_half(0xfc00) == f32::NEG_INFINITY);
    }
}
