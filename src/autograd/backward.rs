//! The tape is read from its end to its beginning; that is backpropagation.
//!
//! Let L be the output and v̄ = ∂L/∂v the gradient of L with respect to a value v on the tape. Every
//! line y = f(x₁, x₂, …) passes its gradient on to its inputs by the chain rule,
//!
//! ```text
//! x̄ᵢ += ȳ · ∂f/∂xᵢ          the vector-Jacobian product of f
//! ```
//!
//! and since a line only uses values above it, going from the last line to the first means that ȳ is
//! complete when its line is reached. It is `+=` because a value used twice receives two gradients.

use crate::autograd::tape::Node;
use crate::autograd::{Tape, Var};
use crate::tensor::{Element, Tensor};
use crate::{Error, Result};
use fer_kernels::elementwise;

/// What an op knows about its derivative.
pub trait Backward<T: Element>: Send {
    /// The op's name, as in the table of ops.
    fn name(&self) -> &'static str;

    /// The vector-Jacobian product: given ȳ (`grad_output`), sets x̄ᵢ for each input that wants it.
    ///
    /// # Errors
    /// Only if shapes disagree, which the forward pass has excluded.
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()>;
}

/// How rectifiers pass gradients on. Everything but pictures uses `Standard`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackwardRule {
    /// The derivative.
    #[default]
    Standard,
    /// Guided backpropagation (Springenberg et al. 2014): a ReLU also blocks negative gradients.
    Guided,
}

/// The places where an op leaves the gradients of its inputs.
pub struct InputGrads<T: Element> {
    wanted: Vec<bool>,
    slots: Vec<Option<Tensor<T>>>,
    rule: BackwardRule,
}

impl<T: Element> InputGrads<T> {
    /// Whether anybody needs the gradient of input `i`; nobody does if there is no such input.
    pub fn wants(&self, i: usize) -> bool {
        self.wanted.get(i) == Some(&true)
    }
    /// Sets the gradient of input `i`, computing it only if somebody needs it.
    ///
    /// # Errors
    /// Those of `compute`.
    pub fn set(&mut self, i: usize, compute: impl FnOnce() -> Result<Tensor<T>>) -> Result<()> {
        if self.wants(i) {
            self.slots[i] = Some(compute()?);
        }
        Ok(())
    }
    /// How rectifiers pass gradients on in this backward pass.
    pub fn rule(&self) -> BackwardRule {
        self.rule
    }
}

/// The result of a backward pass: gradients of the leaves and of retained values.
#[derive(Debug)]
pub struct Gradients<T: Element = f32> {
    tape: u64,
    grads: Vec<Option<Tensor<T>>>,
}

impl<T: Element> Gradients<T> {
    /// The gradient with respect to `x`; `None` if the output does not depend on it.
    pub fn get(&self, x: &Var<T>) -> Option<&Tensor<T>> {
        self.grads.get(x.id()?.on(self.tape)?)?.as_ref()
    }

    /// Adds `grad`, of the same shape, to what the line has received so far.
    fn accumulate(&mut self, line: usize, grad: Tensor<T>) {
        match &mut self.grads[line] {
            slot @ None => *slot = Some(grad),
            Some(sum) => {
                let grad = grad.to_layout(sum.layout());
                elementwise::update(sum.as_mut_slice(), grad.as_slice(), |a, b| a + b);
            }
        }
    }
}

impl<T: Element> Tape<T> {
    /// Gradients of a scalar with respect to everything it was computed from. The tape is
    /// consumed: what a line saved is freed as soon as the line has been read.
    ///
    /// # Errors
    /// [`Error::Shape`] if `output` is not a single number or is not on this tape.
    pub fn backward(&mut self, output: &Var<T>) -> Result<Gradients<T>> {
        if output.value().elements() != 1 {
            let detail = format!("starts from one number, found shape {:?}", output.shape());
            return Err(Error::shape("backward", detail));
        }
        let one = Tensor::full(&output.shape(), T::ONE);
        self.backward_from(output, one, BackwardRule::Standard)
    }

    /// The same from any output and a cotangent ȳ of its shape: the vector-Jacobian product of the
    /// whole computation.
    ///
    /// # Errors
    /// [`Error::Shape`] if the shapes differ, `output` or what it was computed from is not on this
    /// tape, or an op gives a gradient of another shape than its input's.
    pub fn backward_from(
        &mut self,
        output: &Var<T>,
        cotangent: Tensor<T>,
        rule: BackwardRule,
    ) -> Result<Gradients<T>> {
        let mut pass = Pass::start(self, output, cotangent, rule)?;
        let mut nodes = std::mem::take(&mut self.nodes);
        self.clear(); // also after an error
        while let Some(node) = nodes.pop() {
            pass.visit(&node, &nodes)?;
        }
        Ok(pass.gradients)
    }

    /// As [`Tape::backward_from`], but keeps the tape, so that it can be read again with another
    /// cotangent.
    ///
    /// # Errors
    /// As there.
    pub fn vjp(&self, output: &Var<T>, cotangent: Tensor<T>) -> Result<Gradients<T>> {
        let mut pass = Pass::start(self, output, cotangent, BackwardRule::Standard)?;
        for (i, node) in self.nodes.iter().enumerate().rev() {
            pass.visit(node, &self.nodes[..i])?;
        }
        Ok(pass.gradients)
    }
}

/// One walk from the end of the tape to its beginning.
struct Pass<T: Element> {
    gradients: Gradients<T>,
    inputs: InputGrads<T>,
}

impl<T: Element> Pass<T> {
    fn start(
        tape: &Tape<T>,
        output: &Var<T>,
        cotangent: Tensor<T>,
        rule: BackwardRule,
    ) -> Result<Self> {
        let Some(line) = output.id().and_then(|id| id.on(tape.number)) else {
            return Err(Error::shape("backward", "the output is not on this tape"));
        };
        let (y, u) = (output.shape(), cotangent.shape());
        if y != u {
            return Err(Error::shape("backward", format!("output {y:?} and cotangent {u:?}")));
        }
        let grads = (0..tape.nodes.len()).map(|_| None).collect();
        let mut gradients = Gradients { tape: tape.number, grads };
        gradients.accumulate(line, cotangent);
        Ok(Self { gradients, inputs: InputGrads { wanted: Vec::new(), slots: Vec::new(), rule } })
    }

    /// The line below `above`: its gradient is complete, pass it on.
    fn visit(&mut self, node: &Node<T>, above: &[Node<T>]) -> Result<()> {
        let Some(op) = &node.op else { return Ok(()) }; // a leaf: its gradient stays
        let Some(grad_output) = self.gradients.grads[above.len()].take() else { return Ok(()) };
        let inputs = node.inputs.as_slice();
        self.inputs.wanted.clear();
        self.inputs.wanted.extend(inputs.iter().map(Option::is_some));
        self.inputs.slots.clear();
        self.inputs.slots.resize_with(inputs.len(), || None);
        op.backward(&grad_output, &mut self.inputs)?;
        for (input, grad) in inputs.iter().zip(self.inputs.slots.drain(..)) {
            let (Some(id), Some(grad)) = (input, grad) else { continue };
            let Some(line) = id.on(self.gradients.tape) else {
                let detail = "an input is not on this tape: it was recorded before the tape was \
                              cleared, or on another one";
                return Err(Error::shape(op.name(), detail));
            };
            let (found, own) = (grad.shape(), above[line].shape);
            if found != own {
                let detail = format!("its backward pass gives {found:?} to an input {own:?}");
                return Err(Error::shape(op.name(), detail));
            }
            self.gradients.accumulate(line, grad);
        }
        if node.retain_grad {
            self.gradients.grads[above.len()] = Some(grad_output);
        }
        Ok(())
    }
}
