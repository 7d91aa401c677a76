//! y = max(x, 0).

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::{Element, Tensor};

/// Computes the rectified linear unit of each element: y = max(x, 0).
///
/// **Shapes**: x any; y the same.
/// **Gradient**: ∂L/∂x = ȳ where x > 0, else 0 (also at x = 0). Saved: y, which is positive
/// exactly where x is.
/// **Source**: `torch.relu`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[-1.0, 0.0, 2.0], &[3])?);
/// let y = ops::relu(&mut tape, &x)?;
/// assert_eq!(y.value().to_vec(), [0.0, 0.0, 2.0]);
/// let gradients = tape.backward_from(&y, Tensor::full(&y.shape(), 1.0))?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), [0.0, 0.0, 1.0]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn relu<T: Element>(tape: &mut Tape<T>, x: &Var<T>) -> Result<Var<T>> {
    // NaN stays NaN: max(NaN, 0) = 0 would hide a training that has diverged.
    let y = x.value().map(|x| if x < T::ZERO { T::ZERO } else { x });
    let op = ReluBackward { y: y.clone() };
    Ok(tape.record(y, &[x], op))
}

struct ReluBackward<T: Element> {
    y: Tensor<T>,
}

impl<T: Element> Backward<T> for ReluBackward<T> {
    fn name(&self) -> &'static str {
        "relu"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || {
            grad_output.zip("relu", &self.y, |g, y| if y > T::ZERO { g } else { T::ZERO })
        })
    }
}
