//! The tape: a record of every operation in the order in which it ran.
//!
//! A [`Var`] is a value and the id of the node that computed it. An op computes the value of its
//! result, then calls [`Tape::record`] with its inputs and its backward pass. An op can only use
//! values that exist already, so every node stands behind its inputs: the tape is in topological
//! order without any sorting, and reading it backwards is backpropagation.
//!
//! ```text
//! node  op       inputs      y = (a·b) + a
//! 0     leaf     –           a
//! 1     leaf     –           b
//! 2     mul      0, 1        a·b
//! 3     add      2, 0        y
//! ```
//!
//! [`backward`](super::backward) reads this table from below and fills in the gradients.
//! [`Tape::to_table`] prints it for any computation, `fer tape` for a whole network.
//!
//! # Why this order needs no sorting
//!
//! A gradient may be passed on only when it is complete: when every user of the value has sent its share.
//! All users of node 0 stand behind node 0, because nobody can use a value before it exists. So "from the
//! last node to the first" visits every user of a value before the value itself, for any computation. A
//! graph of pointers, which has no such order, must be sorted first.

use crate::Result;
use crate::autograd::Backward;
use crate::autograd::spare::{self, Recorded};
use crate::tensor::{Element, Shape, Tensor};
use fer_kernels::Precision;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Identifies a node, across all tapes. Clearing a tape invalidates the ids recorded on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    tape: u64,
    index: usize,
}

impl NodeId {
    pub(crate) fn new(tape: u64, index: usize) -> Self {
        Self { tape, index }
    }
    /// Returns the number of the node on its tape, from 0.
    pub fn index(self) -> usize {
        self.index
    }
    /// Returns the node's index on the tape with this id; `None` if it is on another tape.
    pub(crate) fn on(self, tape: u64) -> Option<usize> {
        (self.tape == tape).then_some(self.index)
    }
}

/// A value, and the node that computed it if a gradient may flow to it.
#[derive(Clone, Debug)]
pub struct Var<T: Element = f32> {
    value: Tensor<T>,
    id: Option<NodeId>,
}

impl<T: Element> Var<T> {
    /// Creates a value without a gradient: data, masks, labels.
    pub fn constant(value: Tensor<T>) -> Self {
        Self { value, id: None }
    }
    /// Returns the value.
    pub fn value(&self) -> &Tensor<T> {
        &self.value
    }
    /// Consumes the variable and returns its value.
    pub fn into_value(self) -> Tensor<T> {
        self.value
    }
    /// Returns the shape of the value.
    pub fn shape(&self) -> Shape {
        self.value.shape()
    }
    /// Returns its node; `None` for a constant.
    pub fn id(&self) -> Option<NodeId> {
        self.id
    }
    /// Returns whether a gradient flows to this variable.
    pub fn requires_grad(&self) -> bool {
        self.id.is_some()
    }
    /// Returns a value of a node that is on a tape already.
    pub(crate) fn of_node(value: Tensor<T>, id: Option<NodeId>) -> Self {
        Self { value, id }
    }
    /// Returns the same value as a constant: no gradient flows through the result.
    pub fn detach(&self) -> Self {
        Self::constant(self.value.clone())
    }
}

/// One operation on the tape.
pub(crate) struct Node<T: Element> {
    /// The node of each input; `None` for a constant, which gets no gradient.
    pub(crate) inputs: Inputs,
    /// The backward pass of the op; `None` for a leaf.
    pub(crate) op: Option<Box<dyn Recorded<T>>>,
    /// Shape of the value, which is also the shape of its gradient.
    pub(crate) shape: Shape,
    /// Whether the gradient is kept in the result of the backward pass.
    pub(crate) retain_grad: bool,
}

/// Capacity reserved for the first node: about the nodes of a training step of a built-in network.
const USUAL_NODES: usize = 96;

/// The inputs of a node. Nearly all ops have at most three, which need no allocation.
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

/// The other parts of a batch that is computed on several tapes at the same time, by threads or
/// processes. An op that depends on the whole batch, such as batch norm, gathers what it needs.
pub trait Peers<T: Element>: Send + Sync {
    /// Returns what every part passed, in the order of the parts. All parts must call this equally
    /// often, in the same order, with equally many values.
    ///
    /// # Errors
    /// [`crate::Error::Failed`] if another part has failed, so that it will never call this.
    fn gather(&self, own: &[T]) -> Result<Vec<T>>;
}

/// The record of a computation.
pub struct Tape<T: Element = f32> {
    pub(crate) nodes: Vec<Node<T>>,
    /// An id that no other tape has.
    pub(crate) id: u64,
    recording: bool,
    /// Precision of the factors of convolutions and fully connected layers.
    precision: Precision,
    peers: Option<Arc<dyn Peers<T>>>,
    /// Names for people, of those nodes that were given one.
    names: BTreeMap<usize, String>,
    /// Start of the clock, and when each node since was recorded; none unless asked for.
    clock: Option<(Instant, Vec<Instant>)>,
}

impl<T: Element> Drop for Tape<T> {
    fn drop(&mut self) {
        spare::give_list(&mut self.nodes);
    }
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl<T: Element> Default for Tape<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Element> Tape<T> {
    /// Creates an empty tape that records.
    pub fn new() -> Self {
        Self {
            nodes: Vec::new(),
            id: next_id(),
            recording: true,
            precision: Precision::F32,
            peers: None,
            names: BTreeMap::new(),
            clock: None,
        }
    }

    /// Sets the precision in which convolutions and fully connected layers multiply from now on, in
    /// their backward passes as well.
    pub fn set_precision(&mut self, precision: Precision) {
        self.precision = precision;
    }

    /// Returns the precision in which convolutions and fully connected layers multiply. In
    /// [`Precision::F32`] they multiply the numbers as they are, also in `f64`.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Makes the computation one part of a larger batch.
    pub fn join(&mut self, peers: Arc<dyn Peers<T>>) {
        self.peers = Some(peers);
    }

    /// Returns the other parts of the batch, if there are any.
    pub fn peers(&self) -> Option<Arc<dyn Peers<T>>> {
        self.peers.clone()
    }

    /// Creates a variable whose gradient is needed: a parameter, or the pixels of an image. Inside
    /// [`Tape::no_grad`] it is a constant.
    pub fn leaf(&mut self, value: Tensor<T>) -> Var<T> {
        let shape = value.shape();
        let node = Node { inputs: Inputs::Few([None; 3], 0), op: None, shape, retain_grad: true };
        let id = self.recording.then(|| self.push(node));
        Var { value, id }
    }

    /// Records an op: its result, its inputs, and its backward pass with the values that it saved.
    /// If no input needs a gradient, nothing is recorded and the saved values are freed. An input
    /// of another tape is an error of the backward pass, not of this function.
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
            op: Some(spare::boxed(op)),
            shape: value.shape(),
            retain_grad: false,
        };
        Var { value, id: Some(self.push(node)) }
    }

    fn push(&mut self, node: Node<T>) -> NodeId {
        if self.nodes.capacity() == 0 {
            self.nodes = spare::take_list(USUAL_NODES);
        }
        self.nodes.push(node);
        if let Some((_, recorded)) = &mut self.clock {
            recorded.push(Instant::now());
        }
        NodeId::new(self.id, self.nodes.len() - 1)
    }

    /// Runs `f` without recording: its results need no memory for a backward pass.
    pub fn no_grad<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.recording, false);
        let result = f(self);
        self.recording = before;
        result
    }

    /// Keeps the gradient of an intermediate value, such as a feature map, in the result of the
    /// backward pass. The gradients of leaves are always kept.
    pub fn retain_grad(&mut self, x: &Var<T>) {
        if let Some(index) = x.id.and_then(|id| id.on(self.id)) {
            self.nodes[index].retain_grad = true;
        }
    }

    /// Removes all nodes. Variables recorded so far no longer belong to this tape.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.names.clear();
        self.id = next_id();
    }

    /// Gives a value a name, which tables and graphs of the tape show. A constant has no node, and
    /// gets none.
    pub fn set_name(&mut self, x: &Var<T>, name: &str) {
        if let Some(index) = x.id.and_then(|id| id.on(self.id)) {
            self.names.insert(index, name.to_owned());
        }
    }

    /// Returns the name of a node; empty if it has none.
    pub fn name(&self, id: NodeId) -> &str {
        let index = id.on(self.id);
        index.and_then(|index| self.names.get(&index)).map_or("", String::as_str)
    }

    /// Measures from now on how long each op takes until it is recorded. Called on an empty tape.
    pub fn start_clock(&mut self) {
        self.clock = Some((Instant::now(), Vec::new()));
    }

    /// Returns for each node the time since the node before it: that of the op, and of whatever else
    /// the program did in between. Empty without [`Tape::start_clock`].
    pub fn durations(&self) -> Vec<Duration> {
        let Some((start, recorded)) = &self.clock else { return Vec::new() };
        let before = std::iter::once(start).chain(recorded);
        recorded.iter().zip(before).map(|(now, before)| now.duration_since(*before)).collect()
    }

    /// Returns the number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Iterates over the nodes in order: id, name of the op (`leaf` for a leaf), inputs, shape of
    /// the result.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &'static str, &[Option<NodeId>], Shape)> {
        self.nodes.iter().enumerate().map(|(index, node)| {
            let name = node.op.as_ref().map_or("leaf", |op| op.name());
            (NodeId::new(self.id, index), name, node.inputs.as_slice(), node.shape)
        })
    }
}
