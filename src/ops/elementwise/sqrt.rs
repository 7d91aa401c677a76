//! y = √x, element by element.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};

/// Computes the square root of each element: y = √x.
///
/// **Shapes**: x any; y the same.
/// **Gradient**: ∂L/∂x = ȳ / (2y). Saved: y.
/// **Source**: `torch.sqrt`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::scalar(4.0));
/// let y = ops::sqrt(&mut tape, &x)?;
/// assert_eq!(y.value().item(), 2.0);
/// assert_eq!(tape.backward(&y)?.get(&x).unwrap().item(), 0.25);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn sqrt<T: Element>(tape: &mut Tape<T>, x: &Var<T>) -> Result<Var<T>> {
    let y = x.value().map(|x| x.sqrt());
    let op = SqrtBackward { y: y.clone() };
    Ok(tape.record(y, &[x], op))
}

struct SqrtBackward<T: Element> {
    y: Tensor<T>,
}

impl<T: Element> Backward<T> for SqrtBackward<T> {
    fn name(&self) -> &'static str {
        "sqrt"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || grad_output.zip("sqrt", &self.y, |g, y| g / (y + y)))
    }
}
