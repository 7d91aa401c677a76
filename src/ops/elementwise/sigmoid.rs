//! y = 1/(1 + e⁻ˣ), element by element.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};

/// Computes the logistic function of each element: y = 1/(1 + e⁻ˣ).
///
/// **Shapes**: x any; y the same.
/// **Gradient**: ∂L/∂x = ȳ · y · (1 − y). Saved: y.
/// **Source**: `torch.sigmoid`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::scalar(0.0));
/// let y = ops::sigmoid(&mut tape, &x)?;
/// assert_eq!(y.value().item(), 0.5);
/// assert_eq!(tape.backward(&y)?.get(&x).unwrap().item(), 0.25);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn sigmoid<T: Element>(tape: &mut Tape<T>, x: &Var<T>) -> Result<Var<T>> {
    let y = x.value().map(|x| {
        // e^−|x| never overflows.
        let e = (-x.abs()).exp();
        if x >= T::ZERO { T::ONE / (T::ONE + e) } else { e / (T::ONE + e) }
    });
    let op = SigmoidBackward { y: y.clone() };
    Ok(tape.record(y, &[x], op))
}

struct SigmoidBackward<T: Element> {
    y: Tensor<T>,
}

impl<T: Element> Backward<T> for SigmoidBackward<T> {
    fn name(&self) -> &'static str {
        "sigmoid"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || grad_output.zip("sigmoid", &self.y, |g, y| g * y * (T::ONE - y)))
    }
}
