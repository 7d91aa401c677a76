//! y = a / b element by element, broadcast.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var, unbroadcast};
use crate::tensor::{Element, Tensor};

/// Divides two tensors, element by element: y = a / b.
///
/// **Shapes**: a and b any two shapes that broadcast; y their broadcast shape.
/// **Gradient**: ∂L/∂a = unbroadcast(ȳ / b), ∂L/∂b = unbroadcast(−ȳ · y / b). Saved: a, b and y.
/// **Errors**: [`crate::Error::Shape`] if the shapes do not broadcast.
/// **Source**: `torch.div`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let a = tape.leaf(Tensor::scalar(6.0));
/// let b = tape.leaf(Tensor::scalar(2.0));
/// let y = ops::div(&mut tape, &a, &b)?;
/// let gradients = tape.backward(&y)?;
/// assert_eq!(gradients.get(&b).unwrap().item(), -1.5); // −a/b²
/// # Ok::<(), fer::Error>(())
/// ```
pub fn div<T: Element>(tape: &mut Tape<T>, a: &Var<T>, b: &Var<T>) -> Result<Var<T>> {
    let y = a.value().zip_broadcast("div", b.value(), |a, b| a / b)?;
    let op = DivBackward { a: a.value().clone(), b: b.value().clone(), y: y.clone() };
    Ok(tape.record(y, &[a, b], op))
}

struct DivBackward<T: Element> {
    a: Tensor<T>,
    b: Tensor<T>,
    y: Tensor<T>,
}

impl<T: Element> Backward<T> for DivBackward<T> {
    fn name(&self) -> &'static str {
        "div"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || {
            let grad = grad_output.zip_broadcast("div", &self.b, |g, b| g / b)?;
            unbroadcast(grad, &self.a.shape())
        })?;
        grads.set(1, || {
            let gy = grad_output.zip("div", &self.y, |g, y| -g * y)?;
            unbroadcast(gy.zip_broadcast("div", &self.b, |gy, b| gy / b)?, &self.b.shape())
        })
    }
}
