//! The gradient of a value that was repeated by broadcasting.
//!
//! Broadcasting repeats a value along an axis: `[3, 1] + [1, 4]` reads each number of the left
//! operand four times. A value read four times receives four gradients, and they add up. So the
//! gradient of a broadcast is a sum over the repeated axes.

use crate::tensor::{Element, MAX_RANK, Shape, Tensor};
use crate::{Error, Result};

/// Sums a gradient over the axes along which a value of shape `shape` was repeated.
///
/// # Errors
/// [`Error::Shape`] if `grad` cannot have come from `shape`.
pub fn unbroadcast<T: Element>(grad: Tensor<T>, shape: &Shape) -> Result<Tensor<T>> {
    if grad.shape() == *shape {
        return Ok(grad);
    }
    let Some(missing) = grad.shape().len().checked_sub(shape.len()) else {
        let detail = format!("{:?} is no gradient of a broadcast {shape:?}", grad.shape());
        return Err(Error::shape("unbroadcast", detail));
    };
    let mut repeated = [0; MAX_RANK];
    let mut count = 0;
    for axis in 0..grad.shape().len() {
        let kept = axis >= missing && shape[axis - missing] == grad.shape()[axis];
        if !kept {
            repeated[count] = axis;
            count += 1;
        }
    }
    grad.sum_axes(&repeated[..count]).reshape(shape)
}
