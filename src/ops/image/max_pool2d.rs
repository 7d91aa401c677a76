//! Max pooling: the maximum of each window.
//!
//! # Why ties go to one place
//!
//! Two pixels of a window are both 5 and both the maximum. y = max(a, b) has no derivative at a = b: raise a, and y
//! follows; lower a, and y stays. Any split ā = s·ȳ, b̄ = (1 − s)·ȳ with 0 ≤ s ≤ 1 is a subgradient, and none is
//! better on paper. All of ȳ to *both* is not one of them: then a step of −0.1 against the gradient would count
//! twice, and the gradients of a window would no longer sum to ȳ. Here the first in reading order gets all of it: one
//! index per window to keep, the same answer for any number of threads, and the choice of PyTorch. Ties are
//! not rare: after a ReLU whole windows are 0.

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::tensor::storage::Storage;
use crate::tensor::{Element, Shape, Tensor};
use crate::{Error, Result};
use fer_kernels::Pool2dGeometry;

/// Sizes of a pooling, each (height, width).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dOptions {
    /// Size of the window.
    pub kernel: [usize; 2],
    /// Step between windows.
    pub stride: [usize; 2],
    /// Padding on each side, at most half the window.
    pub padding: [usize; 2],
}

impl Pool2dOptions {
    /// Creates square windows of side `k` that touch and do not overlap.
    pub fn square(k: usize) -> Self {
        Self { kernel: [k, k], stride: [k, k], padding: [0, 0] }
    }
}

/// Computes the maximum of each window. A pixel of the padding is never the maximum.
///
/// **Shapes**: x `[n, c, h_in, w_in]`, y `[n, c, h_out, w_out]`,
/// h_out = ⌊(h_in + 2p − k)/s⌋ + 1.
/// **Gradient**: ȳ to the arg-max of its window, the first among equals in reading order; 0 to the
/// others. Where windows overlap, the gradients add up. Saved: the arg-max indices.
/// **Errors**: [`Error::Shape`] if x does not have four axes, has no pixel, or the window does not
/// fit.
/// **Source**: `torch.nn.functional.max_pool2d`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # use fer::ops::Pool2dOptions;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 4.0, 3.0, 2.0], &[1, 1, 2, 2])?);
/// let y = ops::max_pool2d(&mut tape, &x, Pool2dOptions::square(2))?;
/// assert_eq!(y.value().to_vec(), [4.0]);
/// assert_eq!(tape.backward(&y)?.get(&x).unwrap().to_vec(), [0.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn max_pool2d<T: Element>(
    tape: &mut Tape<T>,
    x: &Var<T>,
    options: Pool2dOptions,
) -> Result<Var<T>> {
    let geometry = geometry("max_pool2d", x, options)?;
    let g = &geometry;
    if g.h_in * g.w_in == 0 {
        return Err(Error::shape("max_pool2d", format!("x {:?} has no pixel", x.shape())));
    }
    let input = x.value().to_layout(T::LAYOUT);
    let mut argmax = Storage::unfilled(g.output_len());
    let y = Tensor::build(Shape::new(&[g.n, g.c, g.h_out, g.w_out]), T::LAYOUT, |y| {
        T::max_pool2d_forward(g, input.as_slice(), y, argmax.make_mut());
    });
    Ok(tape.record(y, &[x], MaxPool2dBackward { geometry, argmax }))
}

/// Returns the sizes of a pooling of `x`.
pub(crate) fn geometry<T: Element>(
    op: &'static str,
    x: &Var<T>,
    o: Pool2dOptions,
) -> Result<Pool2dGeometry> {
    let Ok(input) = (*x.shape()).try_into() else {
        return Err(Error::shape(op, format!("x {:?}, expected [n, c, h, w]", x.shape())));
    };
    Pool2dGeometry::new(input, o.kernel, o.stride, o.padding)
        .map_err(|e| Error::shape(op, e.to_string()))
}

struct MaxPool2dBackward {
    geometry: Pool2dGeometry,
    argmax: Storage<u32>,
}

impl<T: Element> Backward<T> for MaxPool2dBackward {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let g = &self.geometry;
        let gy = grad_output.to_layout(T::LAYOUT);
        grads.set(0, || {
            Ok(Tensor::build(Shape::new(&[g.n, g.c, g.h_in, g.w_in]), T::LAYOUT, |gx| {
                T::max_pool2d_backward_input(g, gy.as_slice(), self.argmax.as_slice(), gx);
            }))
        })
    }
}
