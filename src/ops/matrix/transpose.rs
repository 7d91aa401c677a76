//! Axes in another order.

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};
use crate::{Error, Result};

/// Permutes the axes: axis i of y is axis `axes[i]` of x.
///
/// **Shapes**: x any; y has x's sizes in the order `axes`.
/// **Gradient**: ∂L/∂x = ȳ with the inverse permutation. Nothing is saved.
/// **Errors**: [`Error::Shape`] if `axes` is not a permutation of x's axes.
/// **Source**: `torch.permute`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0], &[2, 2])?);
/// let y = ops::transpose(&mut tape, &x, &[1, 0])?;
/// assert_eq!(y.value().to_vec(), [1.0, 3.0, 2.0, 4.0]);
/// let gradients = tape.backward_from(&y, Tensor::from_slice(&[5.0, 6.0, 7.0, 8.0], &[2, 2])?)?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), [5.0, 7.0, 6.0, 8.0]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn transpose<T: Element>(tape: &mut Tape<T>, x: &Var<T>, axes: &[usize]) -> Result<Var<T>> {
    let rank = x.shape().len();
    if axes.len() != rank || !(0..rank).all(|a| axes.contains(&a)) {
        return Err(Error::shape(
            "transpose",
            format!("{axes:?} is not a permutation of the {rank} axes of {:?}", x.shape()),
        ));
    }
    let y = x.value().permute(axes);
    let inverse = (0..rank).map(|a| axes.iter().position(|&b| b == a).unwrap_or(a)).collect();
    Ok(tape.record(y, &[x], TransposeBackward { inverse }))
}

struct TransposeBackward {
    inverse: Vec<usize>,
}

impl<T: Element> Backward<T> for TransposeBackward {
    fn name(&self) -> &'static str {
        "transpose"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || Ok(grad_output.permute(&self.inverse)))
    }
}
