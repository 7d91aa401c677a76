//! Dropout: random zeros against overfitting.

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::random::Rng;
use crate::tensor::{Element, Tensor};
use crate::{Error, Result};

/// Replaces each element by 0 with probability p, else by x/(1 − p), so that the expectation is x.
///
/// This is dropout in training mode. In evaluation mode dropout is the identity: do not call it.
///
/// **Shapes**: x any; y the same.
/// **Gradient**: ∂L/∂x = ȳ · mask, where the mask holds 0 or 1/(1 − p). Saved: the mask.
/// **Errors**: [`Error::Shape`] unless 0 ≤ p < 1.
/// **Source**: Srivastava et al. 2014 (inverted form); `torch.nn.functional.dropout`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # use fer::random::{Purpose, Rng};
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::full(&[4], 1.0));
/// let y = ops::dropout(&mut tape, &x, 0.5, Rng::new(0, Purpose::Dropout, 0, 0))?;
/// assert!(y.value().to_vec().iter().all(|&v| v == 0.0 || v == 2.0));
/// let gradients = tape.backward_from(&y, Tensor::full(&[4], 1.0))?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), y.value().to_vec()); // the same mask
/// # Ok::<(), fer::Error>(())
/// ```
pub fn dropout<T: Element>(tape: &mut Tape<T>, x: &Var<T>, p: f64, mut rng: Rng) -> Result<Var<T>> {
    if !(0.0..1.0).contains(&p) {
        return Err(Error::shape("dropout", format!("probability {p}, expected 0 ≤ p < 1")));
    }
    let keep = T::from_f64(1.0 / (1.0 - p));
    let mask = Tensor::from_fn(&x.shape(), |_| if rng.bernoulli(p) { T::ZERO } else { keep });
    let y = x.value().zip("dropout", &mask, |x, m| x * m)?;
    Ok(tape.record(y, &[x], DropoutBackward { mask }))
}

struct DropoutBackward<T: Element> {
    mask: Tensor<T>,
}

impl<T: Element> Backward<T> for DropoutBackward<T> {
    fn name(&self) -> &'static str {
        "dropout"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || grad_output.zip("dropout", &self.mask, |g, m| g * m))
    }
}
