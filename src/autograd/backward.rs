//! Backpropagation: the tape is read from its end to its beginning.
//!
//! The gradient of the output with respect to itself is 1. Every node y = f(x₁, x₂, …), the last
//! first, passes its gradient on to its inputs by the chain rule,
//!
//! ```text
//! x̄ᵢ += ȳ · ∂f/∂xᵢ
//! ```
//!
//! A value is only used by later nodes, so ȳ is complete when its node is reached.
//!
//! The table of [`tape`](super::tape), y = (a·b) + a, goes on here with numbers, a = 2 and b = −3. Each line
//! is one visit, from the bottom of the tape to its top:
//!
//! ```text
//! visit     gradient arriving   hands on             ā     b̄     product
//! (start)                       ȳ = 1                –     –     –
//! 3  add    ȳ = 1               product += 1         –     –     1
//!                               a       += 1         1     –     1
//! 2  mul    product = 1         a       += 1·b = −3  −2    –     1      ← a gets a second gradient
//!                               b       += 1·a =  2  −2    2     1
//! 1  leaf   b̄ = 2               (kept)
//! 0  leaf   ā = −2              (kept)
//! ```
//!
//! Check it by hand: y at a = 2 is −4; at a = 2.001 it is −4.002. The change is −2 times 0.001.
//!
//! # Why += and not =
//!
//! a reaches y on two paths. Raise a by a little: the sum moves by 1 times that, through the right operand,
//! and by −3 times that, through the product. Both happen at once, so the effects add up: ∂y/∂a = 1 − 3. With
//! `=` the visit of mul would overwrite the 1 and answer −3, which is the derivative of another function, and
//! no test in which every value is used once would notice.
//!
//! # Why reverse mode
//!
//! The chain rule may be multiplied out from either end. From the inputs (forward mode), one pass gives the
//! derivative of everything by *one* input. From the output (reverse mode), one pass gives the derivative of
//! *one* output by everything. A network of a million weights has one loss: a million passes, or one. The
//! price is memory: what the backward pass multiplies by must be kept until it comes. Where a function has
//! few inputs and many outputs, forward mode is the right one.
//!
//! # What an adjoint is
//!
//! Every backward pass here is an adjoint. A linear map A, say from images to feature maps, has exactly one
//! partner Aᵀ that goes the other way and satisfies, for all x and u,
//!
//! ```text
//! ⟨A·x, u⟩ = ⟨x, Aᵀ·u⟩          e.g. A = (1 2), x = (3, 4), u = 5:  (3 + 8)·5 = 55 = 3·5 + 4·10
//! ```
//!
//! The left side asks how much the outputs, weighted by u, weigh in total; the right side distributes the
//! same total over the inputs. That is what a gradient is: u is ȳ, and Aᵀ·ȳ is x̄. The adjoint reverses the
//! arrows and keeps the weights. It is not the inverse, which would undo A: see
//! `kernels/conv2d/im2col.rs`, where the two differ by a matrix of counts. The identity is a test as well
//! (`tests/laws/adjoints.rs`): it needs no derivative, and no small step.

use crate::autograd::tape::Node;
use crate::autograd::{InputGrads, NodeId, Tape, Var, spare};
use crate::tensor::{Element, Tensor};
use crate::{Error, Result};
use fer_kernels::elementwise;

/// The result of a backward pass: gradients of the leaves and of retained values.
#[derive(Debug)]
pub struct Gradients<T: Element = f32> {
    tape: u64,
    grads: Vec<Option<Tensor<T>>>,
}

impl<T: Element> Gradients<T> {
    /// Returns the gradient with respect to `x`; `None` if the output does not depend on it.
    pub fn get(&self, x: &Var<T>) -> Option<&Tensor<T>> {
        self.of(x.id()?)
    }

    /// Returns the gradient with respect to the value of a node.
    pub(crate) fn of(&self, node: NodeId) -> Option<&Tensor<T>> {
        self.grads.get(node.on(self.tape)?)?.as_ref()
    }

    /// Adds `grad`, of the same shape, to the gradient that the node has received so far.
    fn accumulate(&mut self, index: usize, grad: Tensor<T>) {
        match &mut self.grads[index] {
            slot @ None => *slot = Some(grad),
            Some(sum) => {
                let grad = grad.to_layout(sum.layout());
                elementwise::update(sum.as_mut_slice(), grad.as_slice(), |a, b| a + b);
            }
        }
    }
}

impl<T: Element> Drop for Gradients<T> {
    fn drop(&mut self) {
        spare::give_list(&mut self.grads);
    }
}

/// A function that a backward pass calls with every node that it visits: the node, the name of its
/// op, and its complete gradient ȳ, which the function may change before the op gets it. The op of a
/// leaf is called `leaf`: training with several processes sends its gradient on from here, while the
/// pass goes on.
pub type BackwardHook<'a, T> = &'a mut dyn FnMut(NodeId, &'static str, &mut Tensor<T>);

impl<T: Element> Tape<T> {
    /// Computes the gradients of a single number with respect to everything it was computed from.
    /// Consumes the tape: the values that a node saved are freed as soon as it has been visited.
    ///
    /// # Errors
    /// [`Error::Shape`] if `output` is not a single number or is not on this tape.
    pub fn backward(&mut self, output: &Var<T>) -> Result<Gradients<T>> {
        if output.value().elements() != 1 {
            let detail = format!("the output is not a single number: {:?}", output.shape());
            return Err(Error::shape("backward", detail));
        }
        self.backward_from(output, Tensor::full(&output.shape(), T::ONE))
    }

    /// Computes the vector-Jacobian product of the whole computation, from any output and a
    /// gradient ȳ (`grad_output`) of its shape. Consumes the tape.
    ///
    /// # Errors
    /// [`Error::Shape`] if the shapes differ, `output` or what it was computed from is not on this
    /// tape, or an op returns a gradient of another shape than its input's.
    pub fn backward_from(
        &mut self,
        output: &Var<T>,
        grad_output: Tensor<T>,
    ) -> Result<Gradients<T>> {
        self.backward_with(output, grad_output, &mut |_, _, _| {})
    }

    /// As [`Tape::backward_from`], with a hook that sees, and may change, the gradient at every
    /// node.
    ///
    /// # Errors
    /// As [`Tape::backward_from`].
    ///
    /// # Example
    /// ```
    /// # use fer::autograd::Tape;
    /// # use fer::tensor::Tensor;
    /// # use fer::ops;
    /// # let mut tape = Tape::new();
    /// let x = tape.leaf(Tensor::scalar(3.0));
    /// let y = ops::neg(&mut tape, &x)?;
    /// let mut names = Vec::new();
    /// let gradients = tape.backward_with(&y, Tensor::scalar(1.0), &mut |_, op, grad| {
    ///     names.push(op);
    ///     *grad = grad.map(|g| 10.0 * g);
    /// })?;
    /// assert_eq!((names, gradients.get(&x).unwrap().item()), (vec!["neg", "leaf"], -100.0));
    /// # Ok::<(), fer::Error>(())
    /// ```
    pub fn backward_with(
        &mut self,
        output: &Var<T>,
        grad_output: Tensor<T>,
        hook: BackwardHook<'_, T>,
    ) -> Result<Gradients<T>> {
        let mut pass = BackwardPass::start(self, output, grad_output)?;
        let mut nodes = std::mem::take(&mut self.nodes);
        let tape = self.id;
        self.clear(); // also after an error
        while let Some(node) = nodes.pop() {
            pass.visit_once(NodeId::new(tape, nodes.len()), node, &nodes, hook)?;
        }
        spare::give_list(&mut nodes);
        Ok(pass.gradients)
    }

    /// As [`Tape::backward_from`], but keeps the tape, so that it can be read again with another
    /// gradient.
    ///
    /// # Errors
    /// As [`Tape::backward_from`].
    pub fn vjp(&self, output: &Var<T>, grad_output: Tensor<T>) -> Result<Gradients<T>> {
        let mut pass = BackwardPass::start(self, output, grad_output)?;
        for (i, node) in self.nodes.iter().enumerate().rev() {
            pass.visit(NodeId::new(self.id, i), node, &self.nodes[..i], &mut |_, _, _| {})?;
        }
        Ok(pass.gradients)
    }
}

/// One backward pass.
struct BackwardPass<T: Element> {
    gradients: Gradients<T>,
    inputs: InputGrads<T>,
}

impl<T: Element> BackwardPass<T> {
    fn start(tape: &Tape<T>, output: &Var<T>, grad_output: Tensor<T>) -> Result<Self> {
        let Some(index) = output.id().and_then(|id| id.on(tape.id)) else {
            return Err(Error::shape("backward", "the output is not on this tape"));
        };
        let (y, u) = (output.shape(), grad_output.shape());
        if y != u {
            return Err(Error::shape(
                "backward",
                format!("output {y:?} and its gradient {u:?} differ in shape"),
            ));
        }
        let mut grads = spare::take_list(tape.nodes.len());
        grads.resize_with(tape.nodes.len(), || None);
        let mut gradients = Gradients { tape: tape.id, grads };
        gradients.accumulate(index, grad_output);
        Ok(Self { gradients, inputs: InputGrads::new() })
    }

    /// Passes the gradient of a node on to its inputs, which are among the nodes before it.
    fn visit(
        &mut self,
        id: NodeId,
        node: &Node<T>,
        before: &[Node<T>],
        hook: BackwardHook<'_, T>,
    ) -> Result<()> {
        let Some(op) = &node.op else { return Ok(()) }; // a leaf keeps its gradient
        let backward = |grad: Tensor<T>, grads: &mut _| op.backward(&grad, grads);
        self.pass_on((id, op.name()), node, before, hook, backward)
    }

    /// As [`Self::visit`], of a node that is not visited again.
    fn visit_once(
        &mut self,
        id: NodeId,
        mut node: Node<T>,
        before: &[Node<T>],
        hook: BackwardHook<'_, T>,
    ) -> Result<()> {
        let Some(op) = node.op.take() else {
            // All uses of a leaf come after it on the tape, so its gradient is complete, and kept.
            if let Some(gradient) = &mut self.gradients.grads[before.len()] {
                hook(id, "leaf", gradient);
            }
            return Ok(());
        };
        let name = op.name();
        let backward = |grad: Tensor<T>, grads: &mut _| op.backward_once(grad, grads);
        self.pass_on((id, name), &node, before, hook, backward)
    }

    fn pass_on(
        &mut self,
        (id, name): (NodeId, &'static str),
        node: &Node<T>,
        before: &[Node<T>],
        hook: BackwardHook<'_, T>,
        backward: impl FnOnce(Tensor<T>, &mut InputGrads<T>) -> Result<()>,
    ) -> Result<()> {
        let Some(mut grad_output) = self.gradients.grads[before.len()].take() else {
            return Ok(()); // the output does not depend on this node
        };
        hook(id, name, &mut grad_output);
        let retained = node.retain_grad.then(|| grad_output.clone());
        let inputs = node.inputs.as_slice();
        self.inputs.reset(inputs.iter().map(Option::is_some));
        backward(grad_output, &mut self.inputs)?;
        for (input, grad) in inputs.iter().zip(self.inputs.grads.drain(..)) {
            let (Some(id), Some(grad)) = (input, grad) else { continue };
            let Some(index) = id.on(self.gradients.tape) else {
                let detail = "an input is not on this tape: it was recorded before the tape was \
                              cleared, or on another one";
                return Err(Error::shape(name, detail));
            };
            let (found, own) = (grad.shape(), before[index].shape);
            if found != own {
                let detail = format!("its backward pass gives {found:?} to an input {own:?}");
                return Err(Error::shape(name, detail));
            }
            self.gradients.accumulate(index, grad);
        }
        self.gradients.grads[before.len()] = retained;
        Ok(())
    }
}
