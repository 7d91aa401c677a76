//! Sum over axes.

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Shape, Tensor};
use crate::{Error, Result};

/// Computes the sum over the given axes, which stay with size 1: y\[…,0,…\] = Σₐ x\[…,a,…\].
///
/// **Shapes**: x any; y as x with the summed axes of size 1.
/// **Gradient**: ∂L/∂x = ȳ repeated along the summed axes. Nothing is saved.
/// **Errors**: [`Error::Shape`] if an axis does not exist.
/// **Source**: `torch.sum(keepdim=True)`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0], &[2, 2])?);
/// let y = ops::sum(&mut tape, &x, &[1])?;
/// assert_eq!(y.value().to_vec(), [3.0, 7.0]);
/// let gradients = tape.backward_from(&y, Tensor::full(&y.shape(), 1.0))?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), [1.0; 4]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn sum<T: Element>(tape: &mut Tape<T>, x: &Var<T>, axes: &[usize]) -> Result<Var<T>> {
    check_axes("sum", &x.shape(), axes)?;
    let y = x.value().sum_axes(axes);
    Ok(tape.record(y, &[x], SumBackward { shape: x.shape() }))
}

/// Returns an error if the shape does not have one of the axes.
pub(crate) fn check_axes(op: &'static str, shape: &Shape, axes: &[usize]) -> Result<()> {
    match axes.iter().find(|&&a| a >= shape.len()) {
        Some(a) => Err(Error::shape(op, format!("shape {shape:?} has no axis {a}"))),
        None => Ok(()),
    }
}

/// Returns the number of elements along the given axes.
pub(crate) fn count_along(shape: &Shape, axes: &[usize]) -> usize {
    (0..shape.len()).filter(|a| axes.contains(a)).map(|a| shape[a]).product()
}

/// Returns ȳ, repeated to `shape`, times `factor`.
pub(crate) fn repeat<T: Element>(
    grad_output: &Tensor<T>,
    shape: &Shape,
    factor: T,
) -> Result<Tensor<T>> {
    let layout = grad_output.layout();
    let ones = Tensor::build(*shape, layout, |y| y.fill(factor));
    ones.zip_broadcast("sum", grad_output, |one, g| one * g)
}

struct SumBackward {
    shape: Shape,
}

impl<T: Element> Backward<T> for SumBackward {
    fn name(&self) -> &'static str {
        "sum"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || repeat(grad_output, &self.shape, T::ONE))
    }
}
