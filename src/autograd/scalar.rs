//! Chapter zero: the whole engine on plain numbers.
//!
//! Everything here has the same name in the real engine, which puts tensors where this file has `f64`.
//! Start with numbers: a = 2, b = −3, y = a·b + a = −4. The tape after the forward pass:
//!
//! ```text
//! node  op    inputs  value   ∂y/∂input of this op
//! 0     leaf  –        2
//! 1     leaf  –       −3
//! 2     mul   0, 1    −6      b = −3, a = 2
//! 3     add   2, 0    −4      1, 1
//! ```
//!
//! How fast does y grow if a grows? Two paths lead from a to y: through the product (−3) and straight into
//! the sum (1). Together −2. The backward pass finds this without looking for paths: it reads the tape from
//! its end, and every node hands its gradient to its inputs, times the derivative.
//!
//! ```
//! use fer::autograd::scalar::{Tape, add, mul};
//!
//! let mut tape = Tape::new();
//! let (a, b) = (tape.leaf(2.0), tape.leaf(-3.0));
//! let product = mul(&mut tape, a, b);
//! let y = add(&mut tape, product, a); // a·b + a
//! let gradients = tape.backward(y);
//! assert_eq!(y.value, -4.0);
//! assert_eq!(gradients.get(a), -2.0); // b + 1: two paths, added
//! assert_eq!(gradients.get(b), 2.0); // a
//! ```
//!
//! # From here to the real engine
//!
//! | here | there | what changes |
//! |---|---|---|
//! | a node keeps the derivatives ∂y/∂xᵢ | a node keeps a [`Backward`](super::Backward) | the derivative of a tensor by a tensor is a matrix too large to keep, so the op keeps what it needs to multiply by it |
//! | `f64` | [`Tensor`](crate::tensor::Tensor) | shapes, and with them broadcasting and [`unbroadcast`](super::unbroadcast()) |
//! | every number is on the tape | constants are not | no time is spent on gradients that nobody asks for |

/// A value, and the node that computed it.
#[derive(Clone, Copy, Debug)]
pub struct Var {
    /// The value.
    pub value: f64,
    node: usize,
}

/// One operation: for each input its node, and the derivative of the result by that input.
struct Node {
    inputs: Vec<(usize, f64)>,
}

/// The record of a computation, in the order in which it ran.
#[derive(Default)]
pub struct Tape {
    nodes: Vec<Node>,
}

/// The derivatives of one output by every node, in the order of the tape.
pub struct Gradients(Vec<f64>);

impl Gradients {
    /// Returns the derivative of the output by `x`.
    pub fn get(&self, x: Var) -> f64 {
        self.0[x.node]
    }
}

impl Tape {
    /// Creates an empty tape.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a variable that nothing computed: a weight, or a pixel.
    pub fn leaf(&mut self, value: f64) -> Var {
        self.record(value, &[])
    }

    /// Records an op: its result, and for each input the derivative ∂y/∂xᵢ.
    pub fn record(&mut self, value: f64, inputs: &[(Var, f64)]) -> Var {
        let inputs = inputs.iter().map(|(x, derivative)| (x.node, *derivative)).collect();
        self.nodes.push(Node { inputs });
        Var { value, node: self.nodes.len() - 1 }
    }

    /// Computes ∂y/∂x for every x on the tape, from its end to its beginning.
    pub fn backward(&self, y: Var) -> Gradients {
        let mut grads = vec![0.0; self.nodes.len()];
        grads[y.node] = 1.0;
        for (index, node) in self.nodes.iter().enumerate().rev() {
            let grad_output = grads[index]; // complete: only later nodes use this one
            for &(input, derivative) in &node.inputs {
                grads[input] += grad_output * derivative;
            }
        }
        Gradients(grads)
    }
}

/// Computes a + b. ∂y/∂a = 1, ∂y/∂b = 1.
pub fn add(tape: &mut Tape, a: Var, b: Var) -> Var {
    tape.record(a.value + b.value, &[(a, 1.0), (b, 1.0)])
}

/// Computes a · b. ∂y/∂a = b, ∂y/∂b = a.
pub fn mul(tape: &mut Tape, a: Var, b: Var) -> Var {
    tape.record(a.value * b.value, &[(a, b.value), (b, a.value)])
}

/// Computes max(x, 0). ∂y/∂x = 1 where x > 0, else 0.
pub fn relu(tape: &mut Tape, x: Var) -> Var {
    let derivative = if x.value > 0.0 { 1.0 } else { 0.0 };
    tape.record(x.value.max(0.0), &[(x, derivative)])
}

/// Computes tanh x. ∂y/∂x = 1 − y².
pub fn tanh(tape: &mut Tape, x: Var) -> Var {
    let y = x.value.tanh();
    tape.record(y, &[(x, 1.0 - y * y)])
}
