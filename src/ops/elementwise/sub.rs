//! y = a − b, broadcast.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var, unbroadcast};
use crate::tensor::{Element, Shape, Tensor};

/// Subtracts two tensors, element by element: y = a − b.
///
/// **Shapes**: a and b any two shapes that broadcast; y their broadcast shape.
/// **Gradient**: ∂L/∂a = unbroadcast(ȳ), ∂L/∂b = −unbroadcast(ȳ). Nothing is saved.
/// **Errors**: [`crate::Error::Shape`] if the shapes do not broadcast.
/// **Source**: `torch.sub`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let a = tape.leaf(Tensor::scalar(3.0));
/// let b = tape.leaf(Tensor::scalar(5.0));
/// let y = ops::sub(&mut tape, &a, &b)?;
/// assert_eq!(y.value().item(), -2.0);
/// assert_eq!(tape.backward(&y)?.get(&b).unwrap().to_vec(), [-1.0]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn sub<T: Element>(tape: &mut Tape<T>, a: &Var<T>, b: &Var<T>) -> Result<Var<T>> {
    let y = a.value().zip_broadcast("sub", b.value(), |a, b| a - b)?;
    Ok(tape.record(y, &[a, b], SubBackward { a: a.shape(), b: b.shape() }))
}

struct SubBackward {
    a: Shape,
    b: Shape,
}

impl<T: Element> Backward<T> for SubBackward {
    fn name(&self) -> &'static str {
        "sub"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || unbroadcast(grad_output.clone(), &self.a))?;
        grads.set(1, || unbroadcast(grad_output.map(|g| -g), &self.b))
    }
}
