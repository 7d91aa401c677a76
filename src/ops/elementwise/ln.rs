//! y = ln x, element by element.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};

/// Computes the natural logarithm of each element: y = ln x.
///
/// **Shapes**: x any; y the same.
/// **Gradient**: ∂L/∂x = ȳ / x. Saved: x.
/// **Source**: `torch.log`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::scalar(1.0));
/// let y = ops::ln(&mut tape, &x)?;
/// assert_eq!(y.value().item(), 0.0);
/// assert_eq!(tape.backward(&y)?.get(&x).unwrap().item(), 1.0);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn ln<T: Element>(tape: &mut Tape<T>, x: &Var<T>) -> Result<Var<T>> {
    let y = x.value().map(|x| x.ln());
    Ok(tape.record(y, &[x], LnBackward { x: x.value().clone() }))
}

struct LnBackward<T: Element> {
    x: Tensor<T>,
}

impl<T: Element> Backward<T> for LnBackward<T> {
    fn name(&self) -> &'static str {
        "ln"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || grad_output.zip("ln", &self.x, |g, x| g / x))
    }
}
