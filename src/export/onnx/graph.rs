//! Builds the nodes, constants and values of an ONNX graph.
//!
//! Field numbers are those of `onnx.proto`: NodeProto, AttributeProto, TensorProto, GraphProto.

use crate::protobuf::Message;

/// TensorProto.DataType.FLOAT.
const FLOAT: u64 = 1;
/// AttributeProto.AttributeType.
const TYPE_FLOAT: u64 = 1;
const TYPE_INT: u64 = 2;
const TYPE_INTS: u64 = 7;

/// A graph under construction.
#[derive(Default)]
pub(crate) struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
}

/// Returns an integer attribute; a negative number is given as its two's complement.
pub(crate) fn int(name: &str, value: u64) -> Message {
    Message::new().bytes(1, name).varint(3, value).varint(20, TYPE_INT)
}

/// Returns a float attribute.
pub(crate) fn float(name: &str, value: f64) -> Message {
    Message::new().bytes(1, name).float(2, value as f32).varint(20, TYPE_FLOAT)
}

/// Returns an attribute that is a list of integers.
pub(crate) fn ints(name: &str, values: &[usize]) -> Message {
    let list = Message::new().bytes(1, name);
    let list = values.iter().fold(list, |list, &v| list.varint(8, v as u64));
    list.varint(20, TYPE_INTS)
}

impl Graph {
    /// Adds a node whose only output is `output`, which also names it.
    pub(crate) fn node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: Vec<Message>,
    ) {
        let node = inputs.iter().fold(Message::new(), |node, input| node.bytes(1, input));
        let node = node.bytes(2, output).bytes(3, output).bytes(4, operator);
        self.nodes.push(node.messages(5, &attributes));
    }

    /// Adds a constant and returns its name.
    pub(crate) fn constant(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        let tensor = shape.iter().fold(Message::new(), |t, &d| t.varint(1, d as u64));
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.constants.push(tensor.varint(2, FLOAT).bytes(8, name).bytes(9, raw));
        name.to_owned()
    }

    /// Adds a scalar constant and returns its name.
    pub(crate) fn scalar(&mut self, name: &str, value: f32) -> String {
        self.constant(name, &[], &[value])
    }

    /// Returns the whole graph. Shapes are given without the batch axis, which is called `N`.
    pub(crate) fn finish(
        self,
        name: &str,
        input: (&str, &[usize]),
        outputs: &[(&str, &[usize])],
    ) -> Message {
        let outputs: Vec<Message> = outputs.iter().map(|&output| value(output)).collect();
        Message::new()
            .messages(1, &self.nodes)
            .bytes(2, name)
            .messages(5, &self.constants)
            .message(11, &value(input))
            .messages(12, &outputs)
    }
}

/// Returns the ValueInfoProto of a float tensor `[N, …]`.
fn value((name, shape): (&str, &[usize])) -> Message {
    let batch = Message::new().bytes(2, "N");
    let axes = shape.iter().map(|&d| Message::new().varint(1, d as u64));
    let axes: Vec<Message> = std::iter::once(batch).chain(axes).collect();
    let shape = Message::new().messages(1, &axes);
    let tensor = Message::new().varint(1, FLOAT).message(2, &shape);
    Message::new().bytes(1, name).message(2, &Message::new().message(1, &tensor))
}
