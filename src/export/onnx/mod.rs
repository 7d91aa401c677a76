//! Export to ONNX: the graph as a Protocol Buffers message, encoded by `crate::protobuf`.
//!
//! Input `pixels` `[N, 1, side, side]` in [0, 1]; outputs `logits` `[N, classes]` and
//! `probabilities`, the softmax of logits/τ with the calibrated temperature τ. The normalisation
//! (x − μ)/σ is part of the graph.
//!
//! Source: <https://onnx.ai/onnx/intro/concepts.html> and `onnx.proto` of version 1.9 (opset 13).

mod graph;
mod layers;

use crate::Result;
use crate::export::onnx::graph::Graph;
use crate::model::Network;
use crate::protobuf::Message;

/// Version of the file format.
const IR_VERSION: u64 = 7;
/// Version of the operators.
const OPSET: u64 = 13;

/// Returns the network as the bytes of an ONNX file. Equal networks give equal bytes.
///
/// `notes` are stored as metadata, key and value.
///
/// # Errors
/// [`crate::Error::Shape`] if the layers do not fit together; building the network has checked that
/// they do.
pub fn to_onnx(
    network: &Network<f32>,
    temperature: f64,
    notes: &[(&str, String)],
) -> Result<Vec<u8>> {
    let mut graph = Graph::default();
    let spec = &network.spec;
    let mean = graph.scalar("mean", spec.mean as f32);
    let inv_std = graph.scalar("inv_std", (1.0 / spec.std) as f32);
    graph.node("Sub", &["pixels", &mean], "centred", vec![]);
    graph.node("Mul", &["centred", &inv_std], "normalised", vec![]);
    let last = layers::chain(&mut graph, network.layers(), "normalised");
    graph.node("Identity", &[&last], "logits", vec![]);
    let temperature = graph.scalar("temperature", temperature as f32);
    graph.node("Div", &["logits", &temperature], "tempered", vec![]);
    let last_axis = graph::int("axis", u64::MAX); // −1
    graph.node("Softmax", &["tempered"], "probabilities", vec![last_axis]);
    let [channels, height, width] = spec.input;
    let classes = spec.classes.len();
    let graph = graph.finish(
        &spec.name,
        ("pixels", &[channels, height, width]),
        &[("logits", &[classes]), ("probabilities", &[classes])],
    );
    let opset = Message::new().bytes(1, "").varint(2, OPSET);
    let entry = |(key, value): &(&str, String)| Message::new().bytes(1, key).bytes(2, value);
    let classes = ("classes", spec.classes.join(","));
    let entries: Vec<Message> = std::iter::once(&classes).chain(notes).map(entry).collect();
    let model = Message::new()
        .varint(1, IR_VERSION)
        .bytes(2, "fer")
        .bytes(3, env!("CARGO_PKG_VERSION"))
        .message(7, &graph)
        .message(8, &opset)
        .messages(14, &entries);
    Ok(model.as_bytes().to_vec())
}
