//! Order of the elements in memory: row-major or channels-last, strides, and the copies between
//! orders.

use crate::tensor::{Element, MAX_RANK, Shape, Tensor};
use crate::{Error, Result};
use fer_kernels::{Layout, elementwise};

impl<T: Element> Tensor<T> {
    /// Returns the same elements in another memory order. The buffer is shared where both orders
    /// agree, copied otherwise.
    pub fn to_layout(&self, layout: Layout) -> Self {
        let mut out = self.clone();
        let [_, c, h, w] = *self.shape else { return out };
        out.layout = layout;
        if layout == self.layout || c == 1 || h * w == 1 {
            return out;
        }
        let (dims, axes) = memory_order(&self.shape, layout);
        let strides = self.strides_along(&axes);
        Self::build(self.shape, layout, |y| self.gather(&dims, &strides, y))
    }

    /// Returns the same elements, in row-major order, under another shape.
    ///
    /// # Errors
    /// [`Error::Shape`] if the number of elements differs.
    pub fn reshape(&self, shape: &[usize]) -> Result<Self> {
        if Shape::try_elements(shape) != Some(self.elements()) {
            let (own, n) = (self.shape, self.elements());
            let detail = format!("{own:?} has {n} elements, {shape:?} another number");
            return Err(Error::shape("reshape", detail));
        }
        let mut out = self.to_layout(Layout::Nchw);
        out.shape = Shape::new(shape);
        Ok(out)
    }

    /// Permutes the axes into a row-major copy: axis `i` of the result is axis `axes[i]`.
    pub(crate) fn permute(&self, axes: &[usize]) -> Self {
        let mut shape = self.shape;
        for (size, &axis) in shape.sizes.iter_mut().zip(axes) {
            *size = self.shape[axis];
        }
        let strides = self.strides_along(axes);
        Self::build(shape, Layout::Nchw, |y| self.gather(&shape, &strides, y))
    }

    /// Returns the distance in memory between neighbours along each axis, in elements.
    pub(crate) fn strides(&self) -> [usize; MAX_RANK] {
        let (_, axes) = memory_order(&self.shape, self.layout);
        let mut strides = [0; MAX_RANK];
        let mut step = 1;
        for &axis in axes[..self.shape.len()].iter().rev() {
            strides[axis] = step;
            step *= self.shape[axis];
        }
        strides
    }

    /// Returns the strides of the given axes, in this order.
    fn strides_along(&self, axes: &[usize]) -> [usize; MAX_RANK] {
        let own = self.strides();
        let mut strides = [0; MAX_RANK];
        for (stride, &axis) in strides.iter_mut().zip(&axes[..self.shape.len()]) {
            *stride = own[axis];
        }
        strides
    }

    /// Reads the elements through strides into `y`, whose axes are `dims` in memory order.
    fn gather(&self, dims: &Shape, strides: &[usize; MAX_RANK], y: &mut [T]) {
        let x = self.as_slice();
        match dims.len() {
            0 => y.copy_from_slice(x),
            n => elementwise::broadcast(dims, x, &strides[..n], x, &strides[..n], y, |v, _| v),
        }
    }
}

/// Returns the sizes in the order in which the axes lie in memory, and the number of each axis.
pub(crate) fn memory_order(shape: &Shape, layout: Layout) -> (Shape, [usize; MAX_RANK]) {
    let axes = match (layout, shape.len()) {
        (Layout::Nhwc, 4) => [0, 2, 3, 1, 4, 5],
        _ => [0, 1, 2, 3, 4, 5],
    };
    let mut sizes = *shape;
    for (slot, &axis) in sizes.sizes[..shape.rank].iter_mut().zip(&axes) {
        *slot = shape.sizes[axis];
    }
    (sizes, axes)
}
