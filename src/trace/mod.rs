//! One pass of a network, node by node: what `fer tape` shows.
//!
//! [`measure`] runs the pass and reads the tape; `text` prints it, `page` makes the HTML page that plays
//! it forward and backward.

pub mod measure;
mod page;
mod text;

use crate::tensor::Shape;
use serde::Serialize;

/// A pass of a network over one picture, up to the cross-entropy, and back.
#[derive(Clone, Debug, Serialize)]
pub struct Trace {
    /// Name of the architecture.
    pub network: String,
    /// The class whose cross-entropy is the loss.
    pub class: String,
    /// Probability of each class.
    pub probabilities: Vec<(String, f32)>,
    /// The loss.
    pub loss: f32,
    /// The nodes in the order of the tape.
    pub nodes: Vec<TraceNode>,
    /// The sums over all nodes.
    pub total: Totals,
    /// The tape as a graph for Graphviz.
    #[serde(skip)]
    pub dot: String,
}

/// One node of the tape.
#[derive(Clone, Debug, Serialize)]
pub struct TraceNode {
    /// Its number.
    pub node: usize,
    /// Name of its op; `leaf` for pixels and parameters.
    pub op: &'static str,
    /// Name of the layer or parameter; empty if it has none.
    pub name: String,
    /// The nodes of its inputs; none for a constant.
    pub inputs: Vec<Option<usize>>,
    /// Shape of its value.
    #[serde(serialize_with = "as_list")]
    pub shape: Shape,
    /// Parameters that it holds.
    pub parameters: usize,
    /// Multiply-accumulates of products, forward and backward.
    pub macs: [usize; 2],
    /// Floating-point operations, forward and backward.
    pub flop: [usize; 2],
    /// Bytes that must be moved at least, forward and backward.
    pub bytes: [usize; 2],
    /// Bytes kept until the backward pass.
    pub saved_bytes: usize,
    /// Time forward and backward, in milliseconds: the median of five passes.
    pub milliseconds: [f64; 2],
    /// Norm of the gradient of the loss with respect to this value; none where none arrives.
    pub gradient: Option<f64>,
    /// A look at the value and at its gradient, for the page.
    #[serde(skip_serializing_if = "has_none")]
    pub pictures: [Option<Picture>; 2],
}

/// The sums over the nodes of a tape.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Totals {
    /// Parameters.
    pub parameters: usize,
    /// Multiply-accumulates of products, forward and backward.
    pub macs: [usize; 2],
    /// Floating-point operations, forward and backward.
    pub flop: [usize; 2],
    /// Bytes that must be moved at least, forward and backward.
    pub bytes: [usize; 2],
    /// Bytes kept until the backward pass.
    pub saved_bytes: usize,
    /// Time forward and backward, in milliseconds.
    pub milliseconds: [f64; 2],
}

/// The first channel of a tensor, made small.
#[derive(Clone, Debug, Serialize)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Smallest and largest value.
    pub range: [f32; 2],
    /// The values, row by row.
    pub values: Vec<f32>,
}

fn has_none(pictures: &[Option<Picture>; 2]) -> bool {
    pictures.iter().all(Option::is_none)
}

fn as_list<S: serde::Serializer>(shape: &Shape, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(shape.iter())
}
