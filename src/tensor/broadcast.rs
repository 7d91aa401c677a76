//! Broadcasting: axes of size 1 repeat to fit a larger shape. And its adjoint, the sum over axes.

use crate::tensor::layout::memory_order;
use crate::tensor::{Element, MAX_RANK, Shape, Tensor};
use crate::{Error, Result};
use fer_kernels::elementwise;
use fer_kernels::reduce::{self, ReduceGeometry};

impl<T: Element> Tensor<T> {
    /// Returns f(a, b) for every pair of elements, axes of size 1 repeated. `op` names the caller
    /// in errors.
    ///
    /// # Errors
    /// [`Error::Shape`] if the shapes do not broadcast.
    pub(crate) fn zip_broadcast(
        &self,
        op: &'static str,
        other: &Self,
        f: impl Fn(T, T) -> T + Sync,
    ) -> Result<Self> {
        if self.shape == other.shape {
            return self.zip(op, other, f);
        }
        let shape = broadcast_shape(op, &self.shape, &other.shape)?;
        let layout = if self.elements() >= other.elements() { self.layout } else { other.layout };
        let (dims, axes) = memory_order(&shape, layout);
        let [sa, sb] = [self, other].map(|x| x.repeated_strides(&shape, &axes));
        let (a, b, n) = (self.as_slice(), other.as_slice(), dims.len());
        Ok(Self::build(shape, layout, |y| {
            elementwise::broadcast(&dims, a, &sa[..n], b, &sb[..n], y, f);
        }))
    }

    /// Returns the strides along the axes of the wider `shape`, listed in the order `axes`; 0 where
    /// an element is repeated.
    fn repeated_strides(&self, shape: &Shape, axes: &[usize; MAX_RANK]) -> [usize; MAX_RANK] {
        let own = self.strides();
        let missing = shape.len() - self.shape.len();
        let mut strides = [0; MAX_RANK];
        for (stride, &axis) in strides.iter_mut().zip(&axes[..shape.len()]) {
            if axis >= missing && self.shape[axis - missing] != 1 {
                *stride = own[axis - missing];
            }
        }
        strides
    }

    /// Returns the sum over the given axes, which stay with size 1.
    ///
    /// Axes that are neighbours in memory are summed together: a channels-last image is summed over
    /// rows and columns in one sweep.
    pub(crate) fn sum_axes(&self, axes: &[usize]) -> Self {
        let mut x = self.clone();
        loop {
            let (dims, order) = memory_order(&x.shape, x.layout);
            let pending = |i: usize| axes.contains(&order[i]) && dims[i] != 1;
            let Some(last) = (0..dims.len()).rev().find(|&i| pending(i)) else { return x };
            let first = (0..=last).rev().take_while(|&i| pending(i)).last().unwrap_or(last);
            let g = ReduceGeometry {
                outer: dims[..first].iter().product(),
                reduced: dims[first..=last].iter().product(),
                inner: dims[last + 1..].iter().product(),
            };
            let mut shape = x.shape;
            for i in first..=last {
                shape.sizes[order[i]] = 1;
            }
            x = Self::build(shape, x.layout, |y| reduce::sum(&g, x.as_slice(), y));
        }
    }
}

/// Returns the shape to which two shapes broadcast: axes are aligned at the end, and an axis of
/// size 1 (or a missing one) is repeated.
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
