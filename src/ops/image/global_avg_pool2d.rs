//! Global average pooling: the mean of each channel.

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::ops::reduce::sum::repeat;
use crate::tensor::{Element, Shape, Tensor};
use crate::{Error, Result};

/// Computes the mean over rows and columns: y\[n,c\] = Σ_{i,j} x\[n,c,i,j\] / (h·w).
///
/// **Shapes**: x `[n, c, h, w]`, y `[n, c]`.
/// **Gradient**: ȳ / (h·w) to every pixel of the channel. Nothing is saved.
/// **Errors**: [`Error::Shape`] if x does not have four axes or has no pixel.
/// **Source**: Lin et al. 2014; `torch.nn.functional.adaptive_avg_pool2d(x, 1)`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 4.0, 3.0, 2.0], &[1, 1, 2, 2])?);
/// let y = ops::global_avg_pool2d(&mut tape, &x)?;
/// assert_eq!(y.value().to_vec(), [2.5]);
/// let gradients = tape.backward_from(&y, Tensor::full(&y.shape(), 1.0))?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), [0.25; 4]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn global_avg_pool2d<T: Element>(tape: &mut Tape<T>, x: &Var<T>) -> Result<Var<T>> {
    let shape = x.shape();
    if shape.len() != 4 || shape[2] * shape[3] == 0 {
        let detail = format!("x {shape:?}, expected [n, c, h, w] with at least one pixel");
        return Err(Error::shape("global_avg_pool2d", detail));
    }
    let scale = T::from_f64(1.0 / (shape[2] * shape[3]) as f64);
    let y = x.value().sum_axes(&[2, 3]).map(|v| v * scale).reshape(&shape[..2])?;
    Ok(tape.record(y, &[x], GlobalAvgPool2dBackward { shape }))
}

struct GlobalAvgPool2dBackward {
    shape: Shape,
}

impl<T: Element> Backward<T> for GlobalAvgPool2dBackward {
    fn name(&self) -> &'static str {
        "global_avg_pool2d"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let [n, c, h, w] = [0, 1, 2, 3].map(|a| self.shape[a]);
        let scale = T::from_f64(1.0 / (h * w) as f64);
        grads.set(0, || {
            let pixel = grad_output.reshape(&[n, c, 1, 1])?.to_layout(T::LAYOUT);
            repeat(&pixel, &self.shape, scale)
        })
    }
}
