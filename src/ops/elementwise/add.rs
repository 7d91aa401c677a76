//! y = a + b, broadcast.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var, unbroadcast};
use crate::tensor::{Element, Shape, Tensor};

/// Adds two tensors, element by element: y = a + b.
///
/// **Shapes**: a and b any two shapes that broadcast; y their broadcast shape.
/// **Gradient**: ∂L/∂a = unbroadcast(ȳ), ∂L/∂b = unbroadcast(ȳ). Nothing is saved.
/// **Errors**: [`crate::Error::Shape`] if the shapes do not broadcast.
/// **Source**: `torch.add`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let a = tape.leaf(Tensor::scalar(1.0));
/// let b = tape.leaf(Tensor::from_slice(&[10.0, 20.0], &[2])?);
/// let y = ops::add(&mut tape, &a, &b)?;
/// assert_eq!(y.value().to_vec(), [11.0, 21.0]);
/// let gradients = tape.backward_from(&y, Tensor::full(&y.shape(), 1.0))?;
/// assert_eq!(gradients.get(&a).unwrap().to_vec(), [2.0]); // a was read twice
/// # Ok::<(), fer::Error>(())
/// ```
pub fn add<T: Element>(tape: &mut Tape<T>, a: &Var<T>, b: &Var<T>) -> Result<Var<T>> {
    let y = a.value().zip_broadcast("add", b.value(), |a, b| a + b)?;
    Ok(tape.record(y, &[a, b], AddBackward { a: a.shape(), b: b.shape() }))
}

struct AddBackward {
    a: Shape,
    b: Shape,
}

impl<T: Element> Backward<T> for AddBackward {
    fn name(&self) -> &'static str {
        "add"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || unbroadcast(grad_output.clone(), &self.a))?;
        grads.set(1, || unbroadcast(grad_output.clone(), &self.b))
    }
}
