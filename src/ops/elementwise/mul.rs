//! y = a · b element by element, broadcast.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::ops::elementwise::broadcast::{set_binary, zip_broadcast};
use crate::tensor::Tensor;
use crate::tensor::storage::Element;

/// Product of two tensors, element by element: y = a · b.
///
/// **Shapes**: a, b any two that broadcast; y their broadcast shape.
/// **Gradient**: ∂L/∂a = unbroadcast(ȳ · b), ∂L/∂b = unbroadcast(ȳ · a). Saved: a and b.
/// **Errors**: [`crate::Error::Shape`] if the shapes do not broadcast.
/// **Source**: `torch.mul`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let a = tape.leaf(Tensor::scalar(3.0));
/// let b = tape.leaf(Tensor::scalar(5.0));
/// let y = ops::mul(&mut tape, &a, &b)?;
/// let gradients = tape.backward(&y)?;
/// assert_eq!(y.value().item(), 15.0);
/// assert_eq!(gradients.get(&a).unwrap().item(), 5.0);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn mul<T: Element>(tape: &mut Tape<T>, a: &Var<T>, b: &Var<T>) -> Result<Var<T>> {
    let y = zip_broadcast("mul", a.value(), b.value(), |a, b| a * b)?;
    Ok(tape.record(y, &[a, b], MulBackward { a: a.value().clone(), b: b.value().clone() }))
}

struct MulBackward<T: Element> {
    a: Tensor<T>,
    b: Tensor<T>,
}

impl<T: Element> Backward<T> for MulBackward<T> {
    fn name(&self) -> &'static str {
        "mul"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        set_binary(grads, 0, "mul", grad_output, &self.b, &self.a.shape(), |g, b| g * b)?;
        set_binary(grads, 1, "mul", grad_output, &self.a, &self.b.shape(), |g, a| g * a)
    }
}
