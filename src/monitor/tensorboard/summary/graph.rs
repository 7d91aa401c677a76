//! The run graph: every operation of the network, the shapes on its edges.
//!
//! ```text
//! GraphDef { 1 node { 1 name   2 op   3 input …   5 attr { 1 key   2 value } … } …
//!            4 versions { 1 producer } }
//! attr "_output_shapes" = { 1 list { 7 shape { 2 dim { 1 size } … } } }
//! ```
//!
//! A slash in a name opens a scope that TensorBoard draws as a box to be expanded.

use crate::protobuf::Message;

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Unique name: `block_1/conv2d_1/kernel`.
    pub name: String,
    /// Kind of operation: `Conv2d`.
    pub op: String,
    /// Names of the nodes that it reads.
    pub inputs: Vec<String>,
    /// Shape of the output; `None` for the batch size.
    pub output_shape: Vec<Option<usize>>,
}

impl Node {
    fn encode(&self) -> Message {
        let node = Message::new().bytes(1, &self.name).bytes(2, &self.op);
        let node = self.inputs.iter().fold(node, |node, input| node.bytes(3, input));
        let unknown = -1_i64 as u64;
        let dims: Vec<_> = self
            .output_shape
            .iter()
            .map(|size| Message::new().varint(1, size.map_or(unknown, |n| n as u64)))
            .collect();
        let shapes = Message::new().message(7, &Message::new().messages(2, &dims));
        let value = Message::new().message(1, &shapes);
        node.message(5, &Message::new().bytes(1, "_output_shapes").message(2, &value))
    }
}

/// Encodes the graph as `GraphDef`.
pub fn graph_def(nodes: &[Node]) -> Message {
    const PRODUCER: u64 = 22; // the version of GraphDef that TensorBoard's own tests write
    let nodes: Vec<_> = nodes.iter().map(Node::encode).collect();
    Message::new().messages(1, &nodes).message(4, &Message::new().varint(1, PRODUCER))
}
