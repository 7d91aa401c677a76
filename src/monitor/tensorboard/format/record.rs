//! Records: how messages follow one another in an event file.
//!
//! The format is TensorFlow's `TFRecord`. All numbers have their lowest byte first:
//!
//! ```text
//!  offset  size
//!       0     8   length of the data, n
//!       8     4   masked CRC-32C of those 8 bytes
//!      12     n   the data: one encoded Event
//!    12+n     4   masked CRC-32C of the data
//! ```
//!
//! The length has its own checksum: after a damaged length a reader could not find the next record.

use std::io::{ErrorKind, Read};

/// The checksum of event files: rotr₁₅(CRC-32C) + 0xA282EAD8, modulo 2³².
///
/// The CRC of a string that contains its own CRC is a constant. The mask breaks that pattern, so that
/// a record may hold other records and still be checked.
pub fn masked_crc32c(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8)
}

/// Bytes in front of a record's data.
const HEAD: usize = 12;

/// Bytes behind a record's data.
const TAIL: usize = 4;

/// The longest record that is read; the largest picture that is written is far below it.
pub const MAX_LENGTH: u64 = 1 << 28;

/// Appends the record that holds `data`.
pub fn put_record(out: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    out.reserve(HEAD + data.len() + TAIL);
    out.extend(length);
    out.extend(masked_crc32c(&length).to_le_bytes());
    out.extend(data);
    out.extend(masked_crc32c(data).to_le_bytes());
}

/// The next part of an event file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A whole record with two correct checksums; its data.
    Record(Vec<u8>),
    /// A whole record with damaged data. The record behind it can still be read.
    Damaged,
    /// The file ends behind a whole record.
    End,
    /// The file ends inside a record: its writer was stopped, or has not finished yet.
    Truncated,
    /// The length is damaged: no record behind this point can be found.
    DamagedLength,
}

/// Reads records and checks both checksums of each.
#[derive(Debug)]
pub struct RecordReader<R> {
    input: R,
    offset: u64,
}

impl<R: Read> RecordReader<R> {
    /// Reads from `input`, which should be buffered and stand at the start of a record.
    pub fn new(input: R) -> Self {
        RecordReader { input, offset: 0 }
    }

    /// Returns the bytes of whole records read so far. A reader that follows a growing file starts here
    /// again after [`Next::Truncated`].
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads the next record. Memory grows with the bytes that exist, not with the length that the file
    /// states.
    ///
    /// **Errors**: those of `input`.
    pub fn read(&mut self) -> std::io::Result<Next> {
        let mut head = [0; HEAD];
        match self.fill(&mut head)? {
            0 => return Ok(Next::End),
            HEAD => {}
            _ => return Ok(Next::Truncated),
        }
        let (length, crc) = head.split_at(8);
        if masked_crc32c(length) != number(crc) as u32 {
            return Ok(Next::DamagedLength);
        }
        let length = number(length);
        if length > MAX_LENGTH {
            return Ok(Next::DamagedLength);
        }
        let mut data = Vec::new();
        self.input.by_ref().take(length).read_to_end(&mut data)?;
        let mut crc = [0; TAIL];
        if (data.len() as u64) < length || self.fill(&mut crc)? < TAIL {
            return Ok(Next::Truncated);
        }
        self.offset += HEAD as u64 + length + TAIL as u64;
        Ok(if masked_crc32c(&data) == u32::from_le_bytes(crc) {
            Next::Record(data)
        } else {
            Next::Damaged
        })
    }

    /// Fills `buffer` as far as the input goes. Returns the number of bytes filled.
    fn fill(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.input.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// Decodes up to eight bytes as a number, lowest byte first.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::masked_crc32c;

    #[test]
    fn known_masked_checksums() {
        assert_eq!(masked_crc32c(b""), 0xA282_EAD8);
        // TensorBoard's own masked_crc32c (compat/tensorflow_stub/pywrap_tensorflow.py).
        assert_eq!(masked_crc32c(b"123456789"), 0xC78A_B0E5);
    }
}
