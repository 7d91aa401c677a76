//! What an op must know to take part in backpropagation: its derivative.
//!
//! Let L be the number to be differentiated, for example a loss, and write v̄ = ∂L/∂v for the
//! gradient of L with respect to a value v. An op y = f(x₁, x₂, …) receives ȳ and returns
//!
//! ```text
//! x̄ᵢ = ȳ · ∂f/∂xᵢ          the vector-Jacobian product of f
//! ```
//!
//! For y = a·b these are ā = ȳ·b and b̄ = ȳ·a.

use crate::Result;
use crate::autograd::spare;
use crate::tensor::{Element, Tensor};

/// The backward pass of an op, with the values that it saved in the forward pass.
pub trait Backward<T: Element>: Send {
    /// Returns the op's name, as in [`OPS`](crate::ops::OPS).
    fn name(&self) -> &'static str;

    /// Computes the vector-Jacobian product: from ȳ (`grad_output`), x̄ᵢ for each input that needs
    /// it.
    ///
    /// # Errors
    /// Only if shapes disagree, which the forward pass has excluded.
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()>;

    /// As [`backward`](Self::backward), called instead where the op is not needed again: it may change
    /// the values that it saved, and so reuse their memory.
    ///
    /// # Errors
    /// As `backward`.
    fn backward_once(self, grad_output: Tensor<T>, grads: &mut InputGrads<T>) -> Result<()>
    where
        Self: Sized,
    {
        self.backward(&grad_output, grads)
    }
}

/// The gradients of an op's inputs, as its backward pass sets them.
pub struct InputGrads<T: Element> {
    needed: Vec<bool>,
    /// `None` where the op has set none.
    pub(crate) grads: Vec<Option<Tensor<T>>>,
}

impl<T: Element> InputGrads<T> {
    pub(crate) fn new() -> Self {
        Self { needed: spare::take_list(8), grads: spare::take_list(8) }
    }

    /// Prepares for an op whose inputs need a gradient where `needed` says so.
    pub(crate) fn reset(&mut self, needed: impl Iterator<Item = bool>) {
        self.needed.clear();
        self.needed.extend(needed);
        self.grads.clear();
        self.grads.resize_with(self.needed.len(), || None);
    }

    /// Returns whether the gradient of input `i` is needed. An input that does not exist needs
    /// none.
    pub fn needs(&self, i: usize) -> bool {
        self.needed.get(i) == Some(&true)
    }

    /// Sets the gradient of input `i`, and computes it only if it is needed.
    ///
    /// # Errors
    /// Those of `compute`.
    pub fn set(&mut self, i: usize, compute: impl FnOnce() -> Result<Tensor<T>>) -> Result<()> {
        if self.needs(i) {
            self.grads[i] = Some(compute()?);
        }
        Ok(())
    }
}

impl<T: Element> Drop for InputGrads<T> {
    fn drop(&mut self) {
        spare::give_list(&mut self.needed);
        spare::give_list(&mut self.grads);
    }
}
