//! y = a · b element by element, broadcast.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var, unbroadcast};
use crate::tensor::{Element, Tensor};

/// Multiplies two tensors, element by element: y = a · b.
///
/// **Shapes**: a and b any two shapes that broadcast; y their broadcast shape.
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
    let y = a.value().zip_broadcast("mul", b.value(), |a, b| a * b)?;
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
        grads.set(0, || {
            let grad = grad_output.zip_broadcast("mul", &self.b, |g, b| g * b)?;
            unbroadcast(grad, &self.a.shape())
        })?;
        grads.set(1, || {
            let grad = grad_output.zip_broadcast("mul", &self.a, |g, a| g * a)?;
            unbroadcast(grad, &self.b.shape())
        })
    }
}
