//! Maximum over axes.

use crate::autograd::{Backward, InputGrads, Tape, Var};
use crate::ops::reduce::sum::{check_axes, count_along};
use crate::tensor::{Element, MAX_RANK, Shape, Tensor};
use crate::{Error, Result};
use fer_kernels::Layout;
use fer_kernels::reduce::{self, ReduceGeometry};

/// Computes the maximum over the given axes, which stay with size 1.
///
/// **Shapes**: x any; y as x with the reduced axes of size 1.
/// **Gradient**: ∂L/∂x = ȳ at the arg-max, the first among equals in reading order; 0 elsewhere.
/// Saved: the arg-max indices.
/// **Errors**: [`Error::Shape`] if an axis does not exist or there is no element along it.
/// **Source**: `torch.max(dim, keepdim=True)`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 4.0, 3.0, 2.0], &[2, 2])?);
/// let y = ops::max(&mut tape, &x, &[1])?;
/// assert_eq!(y.value().to_vec(), [4.0, 3.0]);
/// let gradients = tape.backward_from(&y, Tensor::full(&y.shape(), 1.0))?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), [0.0, 1.0, 1.0, 0.0]);
/// # Ok::<(), fer::Error>(())
/// ```
pub fn max<T: Element>(tape: &mut Tape<T>, x: &Var<T>, axes: &[usize]) -> Result<Var<T>> {
    let shape = x.shape();
    check_axes("max", &shape, axes)?;
    // Reduced axes go last, so that each maximum is over one contiguous run.
    let rank = shape.len();
    let (mut order, mut kept) = ([0; MAX_RANK], 0);
    for reduced in [false, true] {
        for axis in (0..rank).filter(|a| axes.contains(a) == reduced) {
            order[kept] = axis;
            kept += 1;
        }
    }
    let moved = x.value().permute(&order[..rank]);
    let reduced = count_along(&shape, axes);
    if reduced == 0 {
        return Err(Error::shape("max", format!("no elements along {axes:?} of {shape:?}")));
    }
    let g = ReduceGeometry { outer: shape.elements() / reduced, reduced, inner: 1 };
    let mut out = shape;
    for axis in (0..rank).filter(|a| axes.contains(a)) {
        out.sizes[axis] = 1;
    }
    let mut argmax = vec![0; g.outer];
    let y = Tensor::build(out, Layout::Nchw, |y| reduce::max(&g, moved.as_slice(), y, &mut argmax));
    let op = MaxBackward { moved: moved.shape(), order: order[..rank].to_vec(), argmax, reduced };
    Ok(tape.record(y, &[x], op))
}

struct MaxBackward {
    moved: Shape,
    order: Vec<usize>,
    argmax: Vec<u32>,
    reduced: usize,
}

impl<T: Element> Backward<T> for MaxBackward {
    fn name(&self) -> &'static str {
        "max"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || {
            let grad_output = grad_output.to_layout(Layout::Nchw);
            let grad = Tensor::build(self.moved, Layout::Nchw, |x| {
                x.fill(T::ZERO);
                for (k, (&index, &g)) in self.argmax.iter().zip(grad_output.as_slice()).enumerate()
                {
                    x[k * self.reduced + index as usize] = g;
                }
            });
            let rank = self.order.len();
            let mut inverse = [0; MAX_RANK];
            for (i, &axis) in self.order.iter().enumerate() {
                inverse[axis] = i;
            }
            Ok(grad.permute(&inverse[..rank]))
        })
    }
}
