//! The same elements under another shape.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Shape, Tensor};

/// Reshapes a tensor: the elements, in row-major order, get another shape.
///
/// **Shapes**: x any; y `shape`, with the same number of elements.
/// **Gradient**: ∂L/∂x = ȳ in x's shape. Nothing is saved.
/// **Errors**: [`crate::Error::Shape`] if the number of elements differs.
/// **Source**: `torch.reshape`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::<f32>::new();
/// let x = tape.leaf(Tensor::zeros(&[2, 3]));
/// let y = ops::reshape(&mut tape, &x, &[6])?;
/// assert_eq!(*y.shape(), [6]);
/// let gradients = tape.backward_from(&y, Tensor::full(&[6], 1.0))?;
/// assert_eq!(*gradients.get(&x).unwrap().shape(), [2, 3]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn reshape<T: Element>(tape: &mut Tape<T>, x: &Var<T>, shape: &[usize]) -> Result<Var<T>> {
    let y = x.value().reshape(shape)?;
    Ok(tape.record(y, &[x], ReshapeBackward { shape: x.shape() }))
}

struct ReshapeBackward {
    shape: Shape,
}

impl<T: Element> Backward<T> for ReshapeBackward {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || grad_output.reshape(&self.shape))
    }
}
