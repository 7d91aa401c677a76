//! What the binary elementwise ops share: broadcasting two tensors against each other.

use crate::autograd::InputGrads;
use crate::autograd::unbroadcast::unbroadcast;
use crate::tensor::Tensor;
use crate::tensor::layout::memory_order;
use crate::tensor::storage::Element;
use crate::tensor::{MAX_RANK, Shape};
use crate::{Error, Result};
use fer_kernels::elementwise;

/// f(a, b) element by element, sizes of 1 repeated.
pub(crate) fn zip_broadcast<T: Element>(
    op: &'static str,
    a: &Tensor<T>,
    b: &Tensor<T>,
    f: impl Fn(T, T) -> T + Sync,
) -> Result<Tensor<T>> {
    if a.shape() == b.shape() {
        return a.zip(op, b, f);
    }
    let shape = broadcast_shape(op, &a.shape(), &b.shape())?;
    let layout = if a.elements() >= b.elements() { a.layout() } else { b.layout() };
    let (dims, axes) = memory_order(&shape, layout);
    let (sa, sb) = (repeated_strides(a, &shape, &axes), repeated_strides(b, &shape, &axes));
    let n = dims.len();
    Ok(Tensor::build(shape, layout, |y| {
        elementwise::broadcast(&dims, a.as_slice(), &sa[..n], b.as_slice(), &sb[..n], y, f);
    }))
}

/// Strides of `x` along the axes of the wider `shape`, listed in the order `axes`; 0 where an
/// element is repeated.
fn repeated_strides<T: Element>(
    x: &Tensor<T>,
    shape: &Shape,
    axes: &[usize; MAX_RANK],
) -> [usize; MAX_RANK] {
    let own = x.strides();
    let missing = shape.len() - x.shape().len();
    let mut listed = [0; MAX_RANK];
    for (slot, &axis) in listed.iter_mut().zip(&axes[..shape.len()]) {
        if axis >= missing && x.shape()[axis - missing] != 1 {
            *slot = own[axis - missing];
        }
    }
    listed
}

/// Sets the gradient of input `i` to f(grad_output, other), summed back to `shape`.
pub(crate) fn set_binary<T: Element>(
    grads: &mut InputGrads<T>,
    i: usize,
    op: &'static str,
    grad_output: &Tensor<T>,
    other: &Tensor<T>,
    shape: &Shape,
    f: impl Fn(T, T) -> T + Sync,
) -> Result<()> {
    grads.set(i, || unbroadcast(zip_broadcast(op, grad_output, other, f)?, shape))
}

/// The shape of the result of an elementwise op: axes are aligned at the end, and an axis of size 1
/// (or a missing one) is repeated.
///
/// # Errors
/// [`Error::Shape`] if two sizes differ and neither is 1.
fn broadcast_shape(op: &'static str, a: &Shape, b: &Shape) -> Result<Shape> {
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
