//! y = −x, element by element.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};

/// Negates each element: y = −x.
///
/// **Shapes**: x any; y the same.
/// **Gradient**: ∂L/∂x = −ȳ. Nothing is saved.
/// **Source**: `torch.neg`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::scalar(2.0));
/// let y = ops::neg(&mut tape, &x)?;
/// assert_eq!(y.value().item(), -2.0);
/// assert_eq!(tape.backward(&y)?.get(&x).unwrap().item(), -1.0);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn neg<T: Element>(tape: &mut Tape<T>, x: &Var<T>) -> Result<Var<T>> {
    let y = x.value().map(|x| -x);
    Ok(tape.record(y, &[x], NegBackward))
}

struct NegBackward;

impl<T: Element> Backward<T> for NegBackward {
    fn name(&self) -> &'static str {
        "neg"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || Ok(grad_output.map(|g| -g)))
    }
}
