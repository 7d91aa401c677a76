//! What the page and the program send each other: a JSON value and bytes (pixels, maps).

use crate::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Length of the two lengths before a message, in bytes.
const HEAD: usize = 8;

/// A message.
///
/// Its encoding: the length of the JSON text and the number of bytes, both as `u32` with the least
/// significant byte first; the JSON text; the bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Parameters, or an answer.
    pub json: Value,
    /// Pixels or other numbers, as the call defines them.
    pub bytes: Vec<u8>,
}

impl Message {
    /// Creates a message without bytes.
    pub fn json(json: Value) -> Self {
        Message { json, bytes: Vec::new() }
    }

    /// Creates a message with numbers, written as `f32` with the least significant byte first.
    pub fn numbers(json: Value, numbers: &[f32]) -> Self {
        Message { json, bytes: numbers.iter().flat_map(|v| v.to_le_bytes()).collect() }
    }

    /// Returns the encoding.
    pub fn encode(&self) -> Vec<u8> {
        let text = self.json.to_string();
        let mut all = Vec::with_capacity(HEAD + text.len() + self.bytes.len());
        all.extend((text.len() as u32).to_le_bytes());
        all.extend((self.bytes.len() as u32).to_le_bytes());
        all.extend(text.as_bytes());
        all.extend(&self.bytes);
        all
    }

    /// Reads one message from its encoding.
    ///
    /// # Errors
    /// [`Error::Usage`] if the lengths do not fit or the text is not JSON.
    pub fn parse(all: &[u8]) -> Result<Self> {
        let refuse = |what: &str| {
            Error::Usage(format!("{what}; expected two lengths, a JSON text and bytes"))
        };
        let lengths = all.first_chunk::<HEAD>().ok_or_else(|| refuse("found no lengths"))?;
        let [a, b, c, d, e, f, g, h] = *lengths;
        let [text, bytes] = [[a, b, c, d], [e, f, g, h]].map(|l| u32::from_le_bytes(l) as usize);
        let rest = &all[HEAD..];
        if text.checked_add(bytes) != Some(rest.len()) {
            let found = format!("found lengths {text} and {bytes} before {} bytes", rest.len());
            return Err(refuse(&found));
        }
        let json = serde_json::from_slice(&rest[..text]).map_err(|e| refuse(&e.to_string()))?;
        Ok(Message { json, bytes: rest[text..].to_vec() })
    }

    /// Returns the parameters of a call.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the parameter.
    pub fn parameters<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(&self.json).map_err(|e| Error::Usage(format!("parameters: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let message = Message::numbers(json!({ "name": "é" }), &[1.0, -0.5]);
        assert_eq!(Message::parse(&message.encode()).unwrap(), message);
        assert_eq!(message.bytes, [0, 0, 128, 63, 0, 0, 0, 191]);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let whole = Message { json: json!({}), bytes: vec![7; 9] }.encode();
        for end in 0..whole.len() {
            assert!(Message::parse(&whole[..end]).is_err(), "{end} bytes");
        }
        let endless = [&[255; 8][..], b"{}"].concat();
        let message = Message::parse(&endless).unwrap_err().to_string();
        assert!(message.contains("4294967295"), "{message}");
        assert!(Message::parse(b"\x02\0\0\0\0\0\0\0{[").is_err());
    }
}
