//! Numbers as text for people, and as CSV and NPY for programs.

pub use crate::console::{counted, thousands};

use crate::Result;
use crate::render::image::check_len;

/// Returns a count with at most one decimal and a unit: `950`, `3.4 k`, `28.7 k`, `1.2 M`.
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

/// Returns a share as a percentage with one decimal, `12.3 %`; `–` if it is not finite.
pub fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1} %", share * 100.0) } else { "–".into() }
}

/// Formats a number with three significant digits; in scientific notation below 0.0001 and from
/// 100,000 on.
///
/// ```
/// use fer::render::format::short;
/// assert_eq!(short(0.000768), "0.000768");
/// assert_eq!(short(0.0000123), "1.23e-5");
/// assert_eq!(short(1.5), "1.50");
/// assert_eq!(short(1234.4), "1234");
/// ```
pub fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".into() } else { value.to_string() };
    }
    let scientific = format!("{value:.2e}");
    // The exponent after rounding: 9.999 is 1.00e1.
    let exponent: i32 = scientific.split_once('e').and_then(|p| p.1.parse().ok()).unwrap_or(0);
    match exponent {
        -4..=4 => format!("{value:.*}", (2 - exponent).max(0) as usize),
        _ => scientific,
    }
}

/// Returns values as an NPY 1.0 file for `numpy.load`: little-endian f32, C order.
///
/// # Errors
/// [`crate::Error::Shape`] if the length is not the product of `shape`.
///
/// **Source**: `numpy.lib.format`: magic, version, header length, a Python literal padded with spaces so
/// that the data starts at a multiple of 64.
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
    fn short_numbers_have_three_digits() {
        for (value, text) in [
            (0.5, "0.500"),
            (0.00123, "0.00123"),
            (0.000999, "0.000999"),
            (0.9999, "1.00"),
            (9.999, "10.0"),
            (-123.4, "-123"),
            (1234.4, "1234"),
            (999_999.0, "1.00e6"),
            (4.56e-9, "4.56e-9"),
            (0.0, "0"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(short(value), text, "{value}");
        }
        assert_eq!(percent(0.1234), "12.3 %");
        assert_eq!(percent(f64::NAN), "–");
    }
}
