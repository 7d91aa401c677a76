//! Every operation that is carried out is written on a tape.
//!
//! A [`Var`] is a value together with its place on the tape. An op computes the value of its
//! result, then calls [`Tape::record`] with its inputs and with what its backward pass will need.
//! Places only ever increase, and an op can only use values that exist already, so the tape is in
//! topological order without any sorting: reading it backwards is backpropagation.
//!
//! ```text
//! line  op       inputs      y = (a·b) + a
//! 0     leaf     –           a
//! 1     leaf     –           b
//! 2     mul      0, 1        a·b
//! 3     add      2, 0        y
//! ```

use crate::autograd::Backward;
use crate::tensor::{Element, Shape, Tensor};
use std::sync::atomic::{AtomicU64, Ordering};

/// A place on a tape. No other has the same id: a tape that has been cleared is another tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    tape: u64,
    line: usize,
}

impl NodeId {
    /// Its line on the tape of that number; `None` if it is on another one.
    pub(crate) fn on(self, tape: u64) -> Option<usize> {
        (self.tape == tape).then_some(self.line)
    }
}

/// A value, and the node that computed it if anybody may ask for its gradient.
#[derive(Clone, Debug)]
pub struct Var<T: Element = f32> {
    value: Tensor<T>,
    id: Option<NodeId>,
}

impl<T: Element> Var<T> {
    /// A value whose gradient nobody needs: data, masks, labels.
    pub fn constant(value: Tensor<T>) -> Self {
        Self { value, id: None }
    }
    /// The value.
    pub fn value(&self) -> &Tensor<T> {
        &self.value
    }
    /// The value, given up by the variable.
    pub fn into_value(self) -> Tensor<T> {
        self.value
    }
    /// Sizes of the value's axes.
    pub fn shape(&self) -> Shape {
        self.value.shape()
    }
    /// Its place on the tape, if it has one.
    pub fn id(&self) -> Option<NodeId> {
        self.id
    }
    /// Whether a gradient flows into this variable.
    pub fn requires_grad(&self) -> bool {
        self.id.is_some()
    }
    /// The same value cut off from the tape: no gradient flows through the result.
    pub fn detach(&self) -> Self {
        Self::constant(self.value.clone())
    }
}

/// One line of the tape.
pub(crate) struct Node<T: Element> {
    /// Where each input was recorded; `None` for constants, which get no gradient.
    pub(crate) inputs: Inputs,
    /// The vector-Jacobian product of the op; `None` for a leaf.
    pub(crate) op: Option<Box<dyn Backward<T>>>,
    /// Shape of the value, which is also the shape of its gradient.
    pub(crate) shape: Shape,
    /// Keep the gradient after it has been passed on.
    pub(crate) retain_grad: bool,
}

/// Room that the first line makes: a training step of a network of ours.
const USUAL_LINES: usize = 96;

/// Places of the inputs of a line; up to three, as nearly all ops have, need no memory of their own.
pub(crate) enum Inputs {
    Few([Option<NodeId>; 3], usize),
    Many(Vec<Option<NodeId>>),
}

impl Inputs {
    fn of<T: Element>(inputs: &[&Var<T>]) -> Self {
        match inputs.len() {
            n @ 0..=3 => Self::Few([0, 1, 2].map(|i| inputs.get(i)?.id), n),
            _ => Self::Many(inputs.iter().map(|x| x.id).collect()),
        }
    }
    pub(crate) fn as_slice(&self) -> &[Option<NodeId>] {
        match self {
            Self::Few(ids, n) => &ids[..*n],
            Self::Many(ids) => ids,
        }
    }
}

/// The record of a computation.
pub struct Tape<T: Element = f32> {
    pub(crate) nodes: Vec<Node<T>>,
    /// A number that no other tape has.
    pub(crate) number: u64,
    recording: bool,
}

fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl<T: Element> Default for Tape<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Element> Tape<T> {
    /// An empty tape that records.
    pub fn new() -> Self {
        Self { nodes: Vec::new(), number: next_number(), recording: true }
    }

    /// A variable whose gradient is wanted: a parameter, or the pixels of a picture. While
    /// nothing is recorded (see [`Tape::no_grad`]) it is a constant.
    pub fn leaf(&mut self, value: Tensor<T>) -> Var<T> {
        let shape = value.shape();
        let node = Node { inputs: Inputs::Few([None; 3], 0), op: None, shape, retain_grad: true };
        let id = self.recording.then(|| self.push(node));
        Var { value, id }
    }

    /// Writes an op on the tape: its result, its inputs, and its backward pass with what that
    /// saved. Where no input needs a gradient nothing is written, and what was saved is freed. That
    /// an input is not on this tape is an error of the backward pass.
    pub fn record(
        &mut self,
        value: Tensor<T>,
        inputs: &[&Var<T>],
        op: impl Backward<T> + 'static,
    ) -> Var<T> {
        if !self.recording || inputs.iter().all(|x| x.id.is_none()) {
            return Var::constant(value);
        }
        let node = Node {
            inputs: Inputs::of(inputs),
            op: Some(Box::new(op)),
            shape: value.shape(),
            retain_grad: false,
        };
        Var { value, id: Some(self.push(node)) }
    }

    fn push(&mut self, node: Node<T>) -> NodeId {
        if self.nodes.is_empty() {
            self.nodes.reserve(USUAL_LINES);
        }
        self.nodes.push(node);
        NodeId { tape: self.number, line: self.nodes.len() - 1 }
    }

    /// Runs `f` without recording: its results need no memory for a backward pass.
    pub fn no_grad<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.recording, false);
        let result = f(self);
        self.recording = before;
        result
    }

    /// Keeps the gradient of an intermediate value, such as a feature map, in the result of the
    /// backward pass. Leaves keep theirs anyway.
    pub fn retain_grad(&mut self, x: &Var<T>) {
        if let Some(line) = x.id.and_then(|id| id.on(self.number)) {
            self.nodes[line].retain_grad = true;
        }
    }

    /// Forgets everything; what was recorded is no longer on this tape.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.number = next_number();
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Nothing recorded.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The recorded ops in order: name, inputs, shape of the result (for graphs and summaries).
    pub fn lines(&self) -> impl Iterator<Item = (NodeId, &'static str, &[Option<NodeId>], Shape)> {
        self.nodes.iter().enumerate().map(|(line, node)| {
            let name = node.op.as_ref().map_or("leaf", |op| op.name());
            (NodeId { tape: self.number, line }, name, node.inputs.as_slice(), node.shape)
        })
    }
}
