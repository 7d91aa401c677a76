//! Logarithm of the softmax along the last axis.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::ops::reduce::softmax::last_axis;
use crate::tensor::{Element, Tensor};
use fer_kernels::{Layout, softmax};

/// Computes log-probabilities from scores: yⱼ = xⱼ − ln Σₖ e^(xₖ), along the last axis.
///
/// **Shapes**: x `[…, classes]`; y the same.
/// **Gradient**: ∂L/∂xⱼ = ȳⱼ − e^(yⱼ) · Σₖ ȳₖ. Saved: y.
/// **Errors**: [`crate::Error::Shape`] for a scalar.
/// **Source**: `torch.log_softmax(dim=-1)`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1000.0, 1000.0], &[1, 2])?);
/// let y = ops::log_softmax(&mut tape, &x)?;
/// assert!((y.value().item() - 0.5_f64.ln()).abs() < 1e-12); // no overflow
/// let gradients = tape.backward_from(&y, Tensor::from_slice(&[1.0, 0.0], &[1, 2])?)?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), [0.5, -0.5]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn log_softmax<T: Element>(tape: &mut Tape<T>, x: &Var<T>) -> Result<Var<T>> {
    let cols = last_axis("log_softmax", x)?;
    let input = x.value().to_layout(Layout::Nchw);
    let y = Tensor::build(x.shape(), Layout::Nchw, |y| {
        softmax::log_softmax(cols, input.as_slice(), y);
    });
    let op = LogSoftmaxBackward { y: y.clone() };
    Ok(tape.record(y, &[x], op))
}

struct LogSoftmaxBackward<T: Element> {
    y: Tensor<T>,
}

impl<T: Element> Backward<T> for LogSoftmaxBackward<T> {
    fn name(&self) -> &'static str {
        "log_softmax"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let cols = self.y.shape().last().copied().unwrap_or(1);
        grads.set(0, || {
            let g = grad_output.to_layout(Layout::Nchw);
            Ok(Tensor::build(self.y.shape(), Layout::Nchw, |x| {
                softmax::log_softmax_backward(cols, self.y.as_slice(), g.as_slice(), x);
            }))
        })
    }
}
