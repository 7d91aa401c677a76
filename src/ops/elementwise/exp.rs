//! y = eˣ, element by element.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};

/// Computes the exponential of each element: y = eˣ.
///
/// **Shapes**: x any; y the same.
/// **Gradient**: ∂L/∂x = ȳ · y. Saved: y.
/// **Source**: `torch.exp`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::scalar(0.0));
/// let y = ops::exp(&mut tape, &x)?;
/// assert_eq!(y.value().item(), 1.0);
/// assert_eq!(tape.backward(&y)?.get(&x).unwrap().item(), 1.0);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn exp<T: Element>(tape: &mut Tape<T>, x: &Var<T>) -> Result<Var<T>> {
    let y = x.value().map(|x| x.exp());
    let op = ExpBackward { y: y.clone() };
    Ok(tape.record(y, &[x], op))
}

struct ExpBackward<T: Element> {
    y: Tensor<T>,
}

impl<T: Element> Backward<T> for ExpBackward<T> {
    fn name(&self) -> &'static str {
        "exp"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || grad_output.zip("exp", &self.y, |g, y| g * y))
    }
}
