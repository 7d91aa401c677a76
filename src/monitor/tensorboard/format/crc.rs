//! The checksum of event files: CRC-32C, then a mask.
//!
//! A cyclic redundancy check reads the bytes as one long polynomial over {0, 1} and keeps the
//! remainder of its division by a fixed polynomial. Any burst of errors up to 32 bits changes the
//! remainder. CRC-32C is the polynomial of Castagnoli, 0x1EDC6F41; bits enter lowest first, so
//! the code below uses its mirror image, 0x82F63B78.

/// The polynomial of Castagnoli with its bits reversed; x³² is implied.
const POLYNOMIAL: u32 = 0x82F6_3B78;

/// Remainders of the 256 possible bytes, so that a byte costs one look-up and not eight divisions.
const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            // One step of long division: shift one bit out; if it was set, subtract (xor) the
            // polynomial.
            remainder = (remainder >> 1) ^ if remainder & 1 == 1 { POLYNOMIAL } else { 0 };
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
}

/// CRC-32C of `bytes` (RFC 3720, section 12.1).
///
/// The register starts as all ones, so that leading zeros count, and is inverted at the end.
///
/// ```
/// assert_eq!(fer::monitor::tensorboard::format::crc::crc32c(b"123456789"), 0xE306_9283);
/// ```
pub fn crc32c(bytes: &[u8]) -> u32 {
    let register = bytes.iter().fold(!0, |register: u32, byte| {
        TABLE[usize::from(register as u8 ^ byte)] ^ (register >> 8)
    });
    !register
}

/// The checksum as it stands in an event file: rotr₁₅(crc) + 0xA282EAD8, modulo 2³².
///
/// The CRC of a string that contains its own CRC is a constant. The mask breaks that pattern, so
/// that a record may hold other records and still be checked.
pub fn masked_crc32c(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_checksums() {
        assert_eq!(crc32c(b""), 0);
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        // RFC 3720, appendix B.4.
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
        let rising: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&rising), 0x46DD_794E);
    }

    #[test]
    fn known_masked_checksums() {
        assert_eq!(masked_crc32c(b""), 0xA282_EAD8);
        // TensorBoard's own masked_crc32c (compat/tensorflow_stub/pywrap_tensorflow.py).
        assert_eq!(masked_crc32c(b"123456789"), 0xC78A_B0E5);
    }
}
