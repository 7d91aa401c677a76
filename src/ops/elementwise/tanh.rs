//! y = tanh x, element by element.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};

/// Computes the hyperbolic tangent of each element: y = tanh x.
///
/// **Shapes**: x any; y the same.
/// **Gradient**: ∂L/∂x = ȳ · (1 − y²). Saved: y.
/// **Source**: `torch.tanh`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::scalar(0.0));
/// let y = ops::tanh(&mut tape, &x)?;
/// assert_eq!(y.value().item(), 0.0);
/// assert_eq!(tape.backward(&y)?.get(&x).unwrap().item(), 1.0);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn tanh<T: Element>(tape: &mut Tape<T>, x: &Var<T>) -> Result<Var<T>> {
    let y = x.value().map(|x| x.tanh());
    let op = TanhBackward { y: y.clone() };
    Ok(tape.record(y, &[x], op))
}

struct TanhBackward<T: Element> {
    y: Tensor<T>,
}

impl<T: Element> Backward<T> for TanhBackward<T> {
    fn name(&self) -> &'static str {
        "tanh"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || grad_output.zip("tanh", &self.y, |g, y| g * (T::ONE - y * y)))
    }
}
