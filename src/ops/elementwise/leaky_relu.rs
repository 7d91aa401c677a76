//! y = x for positive x, slope · x below.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};

/// Computes the leaky rectified linear unit: y = x where x > 0, else slope · x.
///
/// **Shapes**: x any; y the same.
/// **Gradient**: ∂L/∂x = ȳ where x > 0, else slope · ȳ (also at x = 0). Saved: x.
/// **Source**: `torch.nn.functional.leaky_relu`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[-1.0, 2.0], &[2])?);
/// let y = ops::leaky_relu(&mut tape, &x, 0.5)?;
/// assert_eq!(y.value().to_vec(), [-0.5, 2.0]);
/// let gradients = tape.backward_from(&y, Tensor::full(&y.shape(), 1.0))?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), [0.5, 1.0]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn leaky_relu<T: Element>(tape: &mut Tape<T>, x: &Var<T>, slope: f64) -> Result<Var<T>> {
    let s = T::from_f64(slope);
    let y = x.value().map(|x| if x > T::ZERO { x } else { s * x });
    Ok(tape.record(y, &[x], LeakyReluBackward { x: x.value().clone(), slope }))
}

struct LeakyReluBackward<T: Element> {
    x: Tensor<T>,
    slope: f64,
}

impl<T: Element> Backward<T> for LeakyReluBackward<T> {
    fn name(&self) -> &'static str {
        "leaky_relu"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let s = T::from_f64(self.slope);
        grads.set(0, || {
            grad_output.zip("leaky_relu", &self.x, |g, x| if x > T::ZERO { g } else { s * g })
        })
    }
}
