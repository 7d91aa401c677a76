//! y = xᵖ for a fixed exponent.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};

/// Raises each element to a constant power: y = xᵖ.
///
/// **Shapes**: x any; y the same.
/// **Gradient**: ∂L/∂x = ȳ · p · xᵖ⁻¹, which is 0 for p = 0 also at x = 0. Saved: x.
/// **Errors**: none; a negative x with a fractional p gives NaN.
/// **Source**: `torch.pow` with a scalar exponent.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::scalar(3.0));
/// let y = ops::pow(&mut tape, &x, 2.0)?;
/// assert_eq!(y.value().item(), 9.0);
/// assert_eq!(tape.backward(&y)?.get(&x).unwrap().item(), 6.0);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn pow<T: Element>(tape: &mut Tape<T>, x: &Var<T>, p: f64) -> Result<Var<T>> {
    let exponent = T::from_f64(p);
    let y = x.value().map(|x| x.powf(exponent));
    Ok(tape.record(y, &[x], PowBackward { x: x.value().clone(), p }))
}

struct PowBackward<T: Element> {
    x: Tensor<T>,
    p: f64,
}

impl<T: Element> Backward<T> for PowBackward<T> {
    fn name(&self) -> &'static str {
        "pow"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let (p, less) = (T::from_f64(self.p), T::from_f64(self.p - 1.0));
        if self.p == 0.0 {
            // The formula would be 0 · ∞ at x = 0.
            return grads.set(0, || Ok(Tensor::zeros(&self.x.shape())));
        }
        grads.set(0, || grad_output.zip("pow", &self.x, |g, x| g * p * x.powf(less)))
    }
}
