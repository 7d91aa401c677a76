//! `TensorProto`: the value of nearly every summary.
//!
//! ```text
//! TensorProto { 1 dtype   2 shape { 2 dim { 1 size } … }   4 tensor_content   8 string_val … }
//! ```

use crate::protobuf::Message;

const DT_FLOAT: u64 = 1;
const DT_DOUBLE: u64 = 2;
const DT_STRING: u64 = 7;

fn header(dtype: u64, shape: &[usize]) -> Message {
    let dims: Vec<_> = shape.iter().map(|&n| Message::new().varint(1, n as u64)).collect();
    Message::new().varint(1, dtype).message(2, &Message::new().messages(2, &dims))
}

/// Encodes a tensor of f32; the values in row-major order, as raw bytes in `tensor_content`.
pub fn floats(shape: &[usize], values: &[f32]) -> Message {
    debug_assert_eq!(shape.iter().product::<usize>(), values.len());
    let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    header(DT_FLOAT, shape).bytes(4, raw)
}

/// Encodes a tensor of f64; the values in row-major order, as raw bytes in `tensor_content`.
pub fn doubles(shape: &[usize], values: &[f64]) -> Message {
    debug_assert_eq!(shape.iter().product::<usize>(), values.len());
    let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    header(DT_DOUBLE, shape).bytes(4, raw)
}

/// Encodes a tensor of byte strings, one `string_val` for each.
pub fn strings<S: AsRef<[u8]>>(shape: &[usize], values: impl IntoIterator<Item = S>) -> Message {
    values.into_iter().fold(header(DT_STRING, shape), |tensor, value| tensor.bytes(8, value))
}
