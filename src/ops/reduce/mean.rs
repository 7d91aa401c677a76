//! Mean over axes.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::ops::reduce::sum::{check_axes, count_along, repeat};
use crate::tensor::{Element, Shape, Tensor};

/// Computes the mean over the given axes, which stay with size 1: y = Σₐ x\[…,a,…\] / m, where m
/// elements are averaged.
///
/// **Shapes**: x any; y as x with the reduced axes of size 1.
/// **Gradient**: ∂L/∂x = ȳ / m repeated along the reduced axes. Nothing is saved.
/// **Errors**: [`crate::Error::Shape`] if an axis does not exist. If m = 0, the mean is NaN.
/// **Source**: `torch.mean(keepdim=True)`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0], &[2, 2])?);
/// let y = ops::mean(&mut tape, &x, &[0, 1])?;
/// assert_eq!(y.value().item(), 2.5);
/// assert_eq!(tape.backward(&y)?.get(&x).unwrap().to_vec(), [0.25; 4]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn mean<T: Element>(tape: &mut Tape<T>, x: &Var<T>, axes: &[usize]) -> Result<Var<T>> {
    check_axes("mean", &x.shape(), axes)?;
    let count = count_along(&x.shape(), axes);
    let scale = 1.0 / count as f64;
    let y = if count == 0 {
        x.value().sum_axes(axes).map(|_| T::from_f64(f64::NAN))
    } else {
        x.value().sum_axes(axes).map(|v| v * T::from_f64(scale))
    };
    Ok(tape.record(y, &[x], MeanBackward { shape: x.shape(), scale }))
}

struct MeanBackward {
    shape: Shape,
    scale: f64,
}

impl<T: Element> Backward<T> for MeanBackward {
    fn name(&self) -> &'static str {
        "mean"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || repeat(grad_output, &self.shape, T::from_f64(self.scale)))
    }
}
