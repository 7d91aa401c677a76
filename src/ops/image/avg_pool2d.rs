//! Average pooling: the mean of each window.

use crate::Result;
use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::ops::image::max_pool2d::{Pool2dOptions, geometry};
use crate::tensor::{Element, Shape, Tensor};
use fer_kernels::Pool2dGeometry;

/// Computes the mean of each window. The padding counts as zeros.
///
/// **Shapes**: x `[n, c, h_in, w_in]`, y `[n, c, h_out, w_out]`,
/// h_out = ⌊(h_in + 2p − k)/s⌋ + 1.
/// **Gradient**: ȳ / (k_h · k_w) to every pixel of the window. Nothing is saved.
/// **Errors**: [`crate::Error::Shape`] if x does not have four axes or the window does not fit.
/// **Source**: `torch.nn.functional.avg_pool2d(count_include_pad=True)`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # use fer::ops::Pool2dOptions;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 4.0, 3.0, 2.0], &[1, 1, 2, 2])?);
/// let y = ops::avg_pool2d(&mut tape, &x, Pool2dOptions::square(2))?;
/// assert_eq!(y.value().to_vec(), [2.5]);
/// let gradients = tape.backward_from(&y, Tensor::full(&y.shape(), 1.0))?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), [0.25; 4]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn avg_pool2d<T: Element>(
    tape: &mut Tape<T>,
    x: &Var<T>,
    options: Pool2dOptions,
) -> Result<Var<T>> {
    let geometry = geometry("avg_pool2d", x, options)?;
    let g = &geometry;
    let input = x.value().to_layout(T::LAYOUT);
    let y = Tensor::build(Shape::new(&[g.n, g.c, g.h_out, g.w_out]), T::LAYOUT, |y| {
        T::avg_pool2d_forward(g, input.as_slice(), y);
    });
    Ok(tape.record(y, &[x], AvgPool2dBackward { geometry }))
}

struct AvgPool2dBackward {
    geometry: Pool2dGeometry,
}

impl<T: Element> Backward<T> for AvgPool2dBackward {
    fn name(&self) -> &'static str {
        "avg_pool2d"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let g = &self.geometry;
        let gy = grad_output.to_layout(T::LAYOUT);
        grads.set(0, || {
            Ok(Tensor::build(Shape::new(&[g.n, g.c, g.h_in, g.w_in]), T::LAYOUT, |gx| {
                T::avg_pool2d_backward_input(g, gy.as_slice(), gx);
            }))
        })
    }
}
