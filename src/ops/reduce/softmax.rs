//! Softmax along the last axis.

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};
use crate::{Error, Result};
use fer_kernels::{Layout, softmax};

/// Computes probabilities from scores: pⱼ = e^(xⱼ) / Σₖ e^(xₖ), along the last axis.
///
/// **Shapes**: x `[…, classes]`; p the same.
/// **Gradient**: ∂L/∂xⱼ = pⱼ · (p̄ⱼ − Σₖ p̄ₖ pₖ). Saved: p.
/// **Errors**: [`Error::Shape`] for a scalar.
/// **Source**: `torch.softmax(dim=-1)`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[0.0, 0.0], &[1, 2])?);
/// let y = ops::softmax(&mut tape, &x)?;
/// assert_eq!(y.value().to_vec(), [0.5, 0.5]);
/// let gradients = tape.backward_from(&y, Tensor::from_slice(&[1.0, 0.0], &[1, 2])?)?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), [0.25, -0.25]); // p·(1 − p), −p·p
/// # Ok::<(), fer::Error>(())
/// ```
pub fn softmax<T: Element>(tape: &mut Tape<T>, x: &Var<T>) -> Result<Var<T>> {
    let cols = last_axis("softmax", x)?;
    let input = x.value().to_layout(Layout::Nchw);
    let p = Tensor::build(x.shape(), Layout::Nchw, |y| softmax::softmax(cols, input.as_slice(), y));
    let op = SoftmaxBackward { p: p.clone() };
    Ok(tape.record(p, &[x], op))
}

/// Returns the size of the last axis.
pub(crate) fn last_axis<T: Element>(op: &'static str, x: &Var<T>) -> Result<usize> {
    x.shape().last().copied().ok_or_else(|| Error::shape(op, "a scalar has no last axis"))
}

struct SoftmaxBackward<T: Element> {
    p: Tensor<T>,
}

impl<T: Element> Backward<T> for SoftmaxBackward<T> {
    fn name(&self) -> &'static str {
        "softmax"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let cols = self.p.shape().last().copied().unwrap_or(1);
        grads.set(0, || {
            let g = grad_output.to_layout(Layout::Nchw);
            Ok(Tensor::build(self.p.shape(), Layout::Nchw, |x| {
                softmax::softmax_backward(cols, self.p.as_slice(), g.as_slice(), x);
            }))
        })
    }
}
