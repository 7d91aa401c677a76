//! The encoding of Protocol Buffers, as far as TensorBoard and ONNX need it: a writer and a reader.
//!
//! A message is a sequence of fields in any order. A field is a key and a value. The key is
//! `field number · 8 + wire type`, and the wire type says how long the value is:
//!
//! ```text
//! wire type 0   varint        key | 7 bits a byte, lowest first, high bit = "more follow"
//! wire type 1   fixed 64      key | 8 bytes, lowest first                (double)
//! wire type 2   length given  key | varint length | that many bytes      (string, bytes, message)
//! wire type 5   fixed 32      key | 4 bytes, lowest first                (float)
//! ```
//!
//! So `Event { wall_time: 1.0, step: 300, file_version: "hi" }` is
//!
//! ```text
//!   09  00 00 00 00 00 00 f0 3f     key 1·8+1; 1.0 as a double
//!   10  ac 02                       key 2·8+0; 300 = 0b10_0101100 → 1_0101100, 0_0000010
//!   1a  02  68 69                   key 3·8+2; 2 bytes; 'h' 'i'
//! ```
//!
//! A message inside a message is a field of wire type 2 whose bytes are the inner message. The
//! encoding has no field names: reader and writer must agree on the numbers. A reader skips unknown
//! numbers, and a missing field counts as zero.
//!
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH_GIVEN: u64 = 2;
const FIXED32: u64 = 5;

/// Appends `value`, seven bits a byte, lowest first; every byte but the last has its high bit set.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A message under construction. Each method appends one field and returns the message, so that
/// nested messages read like the structure they encode.
///
/// ```
/// use fer::protobuf::Message;
/// let dim = Message::new().varint(1, 300);
/// assert_eq!(Message::new().message(2, &dim).as_bytes(), [0x12, 3, 0x08, 0xac, 0x02]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message(Vec<u8>);

impl Message {
    /// An empty message.
    pub fn new() -> Self {
        Self::default()
    }
    /// Bytes that stand in place of a message, without being one.
    pub fn verbatim(bytes: &[u8]) -> Self {
        Message(bytes.to_vec())
    }
    fn key(&mut self, field: u64, wire_type: u64) {
        put_varint(&mut self.0, field << 3 | wire_type);
    }
    /// Appends an unsigned integer, enumeration or flag. An `int64` below zero is written as its two's
    /// complement, `value as u64`: ten bytes.
    #[must_use]
    pub fn varint(mut self, field: u64, value: u64) -> Self {
        self.key(field, VARINT);
        put_varint(&mut self.0, value);
        self
    }
    /// Appends a `double`.
    #[must_use]
    pub fn double(mut self, field: u64, value: f64) -> Self {
        self.key(field, FIXED64);
        self.0.extend(value.to_le_bytes());
        self
    }
    /// Appends a `float`.
    #[must_use]
    pub fn float(mut self, field: u64, value: f32) -> Self {
        self.key(field, FIXED32);
        self.0.extend(value.to_le_bytes());
        self
    }
    /// Appends a string or other bytes.
    #[must_use]
    pub fn bytes(mut self, field: u64, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        self.key(field, LENGTH_GIVEN);
        put_varint(&mut self.0, value.len() as u64);
        self.0.extend(value);
        self
    }
    /// Appends a message.
    #[must_use]
    pub fn message(self, field: u64, value: &Message) -> Self {
        self.bytes(field, &value.0)
    }
    /// Appends a repeated message: the same field once for each.
    #[must_use]
    pub fn messages<'a>(self, field: u64, values: impl IntoIterator<Item = &'a Message>) -> Self {
        values.into_iter().fold(self, |message, value| message.message(field, value))
    }
    /// Returns the encoded message.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The value of a field that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1, as a `double`.
    Double(f64),
    /// Wire type 2.
    Bytes(&'a [u8]),
    /// Wire type 5, as a `float`.
    Float(f32),
}

/// Reads the fields of a message one by one: `(field number, value)`.
///
/// **Errors**: a message if the bytes end inside a field, a varint is longer than ten
/// bytes or a wire type is unknown. The iteration ends after an error.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields in `message`.
    pub fn new(message: &'a [u8]) -> Self {
        Fields { rest: message }
    }
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (head, tail) = self.rest.split_at_checked(count).ok_or_else(|| {
            format!("a field of {count} bytes in the last {} bytes", self.rest.len())
        })?;
        self.rest = tail;
        Ok(head)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }
    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7F).checked_shl(shift).unwrap_or(0);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a varint of more than ten bytes".into())
    }
    fn field(&mut self) -> Result<(u64, Value<'a>), String> {
        let key = self.varint()?;
        let value = match key & 7 {
            VARINT => Value::Varint(self.varint()?),
            FIXED64 => Value::Double(f64::from_le_bytes(self.array()?)),
            LENGTH_GIVEN => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                Value::Bytes(self.take(length)?)
            }
            FIXED32 => Value::Float(f32::from_le_bytes(self.array()?)),
            other => return Err(format!("unknown wire type {other}")),
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_module_is_true() {
        let event = Message::new().double(1, 1.0).varint(2, 300).bytes(3, "hi");
        let drawn = [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10, 0xac, 0x02, 0x1a, 0x02, b'h', b'i'];
        assert_eq!(event.as_bytes(), drawn);
    }

    #[test]
    fn varints_round_trip_at_every_length() {
        for bits in 0..64 {
            for value in [1_u64 << bits, (1 << bits) - 1, u64::MAX >> bits] {
                let message = Message::new().varint(15, value);
                let read: Vec<_> =
                    Fields::new(message.as_bytes()).collect::<Result<_, _>>().unwrap();
                assert_eq!(read, [(15, Value::Varint(value))]);
            }
        }
    }

    #[test]
    fn fields_of_every_wire_type_round_trip() {
        let inner = Message::new().varint(1, 7);
        let message =
            Message::new().float(16, -2.5).double(1, 0.1).message(300, &inner).varint(2, 0);
        let read: Vec<_> = Fields::new(message.as_bytes()).collect::<Result<_, _>>().unwrap();
        let expected = [
            (16, Value::Float(-2.5)),
            (1, Value::Double(0.1)),
            (300, Value::Bytes(&[8, 7])),
            (2, Value::Varint(0)),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn malformed_bytes_are_an_error_and_end() {
        for bytes in [&[0x08][..], &[0x0a, 5, 1], &[0x0b], &[0x80; 12], &[0x09, 1, 2], &[0x0d, 1]] {
            let read: Vec<_> = Fields::new(bytes).collect();
            assert_eq!(read.len(), 1, "{bytes:x?}");
            assert!(read[0].is_err(), "{bytes:x?}");
        }
    }
}
