//! Numbers for people (short) and for programs (CSV, NPY).

use std::fmt::Write as _;

use crate::Result;
use crate::render::image::check_len;

/// A count in at most four signs and a unit: `950`, `3.4 k`, `28.7 k`, `1.2 M`.
pub fn count(n: u64) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    for (size, unit) in units {
        let scaled = n as f64 / size;
        // From 0.9995 on, so that 999,950 is 1 M and never 1000 k.
        if scaled >= if size > 1e3 { 0.99995 } else { 1.0 } {
            let text = format!("{scaled:.1}");
            return format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text));
        }
    }
    n.to_string()
}

/// A whole number with thousands marked: `28,709`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 face`, `3,589 faces`.
pub fn counted(n: usize, one: &str) -> String {
    format!("{} {one}{}", thousands(n as u64), if n == 1 { "" } else { "s" })
}

/// A share as a percentage with one decimal: 0.1234 → `12.3 %`; what is not finite → `–`.
pub fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1} %", share * 100.0) } else { "–".into() }
}

/// Engineering notation, three significant digits, exponent a multiple of 3: `12.3e-6`, `1.50`;
/// from 0.001 on without an exponent.
///
/// ```
/// use fer::render::format::engineering;
/// assert_eq!(engineering(0.0000123), "12.3e-6");
/// assert_eq!(engineering(1.5), "1.50");
/// assert_eq!(engineering(999_999.0), "1.00e6");
/// assert_eq!(engineering(0.597), "0.597");
/// ```
pub fn engineering(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".into() } else { value.to_string() };
    }
    let magnitude = |v: f64| v.abs().log10().floor() as i32;
    // Rounded to three digits first: 999.9 becomes 1.00e3.
    let digits = 2 - magnitude(value);
    let rounded = format!("{:.*e}", 2, value).parse().unwrap_or(value);
    let exponent = magnitude(rounded).div_euclid(3) * 3;
    let decimals = (digits + exponent - (magnitude(rounded) - magnitude(value))).clamp(0, 2);
    let mantissa = rounded / 10f64.powi(exponent);
    match exponent {
        -3 => format!("{rounded:.*}", (2 - magnitude(rounded)) as usize),
        0 => format!("{mantissa:.*}", decimals as usize),
        _ => format!("{mantissa:.*}e{exponent}", decimals as usize),
    }
}

/// A number in as few digits as tell it from its neighbours: three significant ones, no
/// exponent where it can be helped.
pub fn short(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if value == 0.0 => "0".into(),
        _ if !value.is_finite() => value.to_string(),
        _ if !(0.000_999_5..99_999.5).contains(&size) => engineering(value),
        _ if size >= 99.95 => format!("{value:.0}"),
        _ if size >= 9.995 => format!("{value:.1}"),
        _ if size >= 0.9995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Raw numbers of a map as CSV, one row of pixels a line, every digit kept.
///
/// **Errors**: [`crate::Error::Shape`] where the length is not `width * height`.
pub fn map_to_csv(values: &[f32], width: usize, height: usize) -> Result<String> {
    check_len("map_to_csv", values.len(), width, height)?;
    let mut csv = String::new();
    for row in values.chunks(width.max(1)) {
        for (x, value) in row.iter().enumerate() {
            // `Display` of f32 prints the shortest text that reads back as the same bits.
            let _ = write!(csv, "{}{value}", if x > 0 { "," } else { "" });
        }
        csv.push('\n');
    }
    Ok(csv)
}

/// Raw numbers as an NPY 1.0 file (`numpy.load` reads it): little-endian f32, C order.
///
/// **Errors**: [`crate::Error::Shape`] where the length is not the product of `shape`.
/// **Source**: the format page of NumPy: magic, version, header length, a Python literal padded
/// with spaces so that the data starts at a multiple of 64.
pub fn to_npy(values: &[f32], shape: &[usize]) -> Result<Vec<u8>> {
    check_len("to_npy", values.len(), shape.iter().product(), 1)?;
    let sides: Vec<String> = shape.iter().map(|s| format!("{s},")).collect();
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", sides.join(" "));
    const PREFIX: usize = 10;
    while !(PREFIX + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_change_unit_without_a_thousand() {
        let pairs = [(0, "0"), (999, "999"), (1000, "1 k"), (3400, "3.4 k"), (28_709, "28.7 k")];
        for (n, text) in pairs.into_iter().chain([(999_960, "1 M"), (1_234_567, "1.2 M")]) {
            assert_eq!(count(n), text);
        }
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(12), "12");
    }

    #[test]
    fn engineering_keeps_three_digits() {
        let pairs = [
            (0.00123, "0.00123"),
            (0.000999, "999e-6"),
            (0.9999, "1.00"),
            (0.123, "0.123"),
            (12.34, "12.3"),
            (-123.4, "-123"),
            (999.9, "1.00e3"),
            (0.0, "0"),
            (4.56e-9, "4.56e-9"),
        ];
        for (value, text) in pairs {
            assert_eq!(engineering(value), text, "{value}");
        }
        assert_eq!(engineering(f64::NAN), "NaN");
    }

    #[test]
    fn short_numbers() {
        for (v, t) in [(0.5, "0.500"), (1234.4, "1234"), (0.00001, "10.0e-6"), (9.999, "10.0")] {
            assert_eq!(short(v), t);
        }
        assert_eq!(percent(0.1234), "12.3 %");
        assert_eq!(percent(f64::NAN), "–");
    }
}
