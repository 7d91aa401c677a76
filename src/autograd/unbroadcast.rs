//! What the gradient of a repeated value is.
//!
//! Broadcasting repeats a value along an axis: `[3, 1] + [1, 4]` reads each number of the left four
//! times. A value read four times has four gradients, and they add up. So the gradient of a
//! broadcast is a sum over the axes that were repeated.

use super::tensor::{MAX_RANK, Shape, Tensor};
use crate::error::{Error, Result};
use crate::memory::Element;
use crate::ops::sum::sum_axes;

/// The shape of the result of an elementwise op: axes are aligned at the end, and an axis of size 1
/// (or a missing one) is repeated.
///
/// # Errors
/// [`Error::Shape`] if two sizes differ and neither is 1.
pub fn broadcast_shape(op: &'static str, a: &Shape, b: &Shape) -> Result<Shape> {
    let rank = a.len().max(b.len());
    let mut sizes = [1; MAX_RANK];
    for i in 0..rank {
        let of = |s: &Shape| (i + s.len()).checked_sub(rank).map_or(1, |k| s[k]);
        sizes[i] = match (of(a), of(b)) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => return Err(Error::shape(op, format!("{a:?} and {b:?} do not broadcast"))),
        };
    }
    Ok(Shape::new(&sizes[..rank]))
}

/// Sums a gradient over the axes along which a value of shape `shape` was repeated.
///
/// # Errors
/// [`Error::Shape`] if `grad` cannot have come from `shape`.
pub fn unbroadcast<T: Element>(grad: Tensor<T>, shape: &Shape) -> Result<Tensor<T>> {
    if grad.shape() == *shape {
        return Ok(grad);
    }
    let missing = grad.shape().len() - shape.len();
    let mut repeated = [0; MAX_RANK];
    let mut count = 0;
    for axis in 0..grad.shape().len() {
        let kept = axis >= missing && shape[axis - missing] == grad.shape()[axis];
        if !kept {
            repeated[count] = axis;
            count += 1;
        }
    }
    sum_axes(&grad, &repeated[..count])?.reshape(shape)
}
