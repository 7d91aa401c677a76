//! Sizes of a tensor's axes, their orders in memory, the copies between these, and sums over axes.

use crate::tensor::Tensor;
use crate::tensor::storage::Element;
use crate::{Error, Result};
use fer_kernels::reduce::{self, Runs};
use fer_kernels::{Layout, elementwise};
use std::fmt;
use std::ops::Deref;

/// Most axes a tensor may have.
pub const MAX_RANK: usize = 6;

/// Sizes of the axes, slowest first. Reads as a slice: `shape[1]`, `shape.len()`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub(crate) sizes: [usize; MAX_RANK],
    pub(crate) rank: usize,
}

impl Shape {
    /// A shape of at most [`MAX_RANK`] axes; the empty shape is a scalar's.
    ///
    /// # Panics
    /// Above [`MAX_RANK`] axes.
    pub fn new(sizes: &[usize]) -> Self {
        let mut all = [1; MAX_RANK];
        all[..sizes.len()].copy_from_slice(sizes);
        Self { sizes: all, rank: sizes.len() }
    }
    /// Number of elements of a shape that comes from outside: `None` if it has too many axes or
    /// more elements than can be counted.
    pub(crate) fn try_elements(sizes: &[usize]) -> Option<usize> {
        let sizes = (sizes.len() <= MAX_RANK).then_some(sizes)?;
        sizes.iter().try_fold(1, |n: usize, &size| n.checked_mul(size))
    }
    /// Number of elements: the product of the sizes.
    pub fn elements(&self) -> usize {
        self.iter().product()
    }
}

impl Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.sizes[..self.rank]
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &**self)
    }
}

impl<T: Element> Tensor<T> {
    /// The same elements in the wanted order of memory; free where both orders agree.
    pub fn to_layout(&self, layout: Layout) -> Self {
        let mut out = self.clone();
        if self.shape.len() != 4 {
            return out;
        }
        out.layout = layout;
        let [_, c, h, w] = [self.shape[0], self.shape[1], self.shape[2], self.shape[3]];
        if layout == self.layout || c == 1 || h * w == 1 {
            return out;
        }
        let (dims, _) = memory_order(&self.shape, layout);
        let strides = self.strides_in(layout);
        Self::build(self.shape, layout, |y| self.gather(&dims, &strides, y))
    }

    /// The same elements under another shape, in row-major order.
    ///
    /// # Errors
    /// [`Error::Shape`] if the number of elements differs.
    pub fn reshape(&self, shape: &[usize]) -> Result<Self> {
        if Shape::try_elements(shape) != Some(self.elements()) {
            let (own, n) = (self.shape, self.elements());
            let detail = format!("{own:?} has {n} elements, {shape:?} does not");
            return Err(Error::shape("reshape", detail));
        }
        let mut out = self.to_layout(Layout::Nchw);
        out.shape = Shape::new(shape);
        Ok(out)
    }

    /// Elements between neighbours along each axis.
    pub(crate) fn strides(&self) -> [usize; MAX_RANK] {
        strides(&self.shape, self.layout)
    }

    /// Strides of this tensor's axes, listed in the memory order of `layout`.
    pub(crate) fn strides_in(&self, layout: Layout) -> [usize; MAX_RANK] {
        let own = strides(&self.shape, self.layout);
        let (_, axes) = memory_order(&self.shape, layout);
        let mut listed = [0; MAX_RANK];
        for (slot, &axis) in listed.iter_mut().zip(&axes[..self.shape.len()]) {
            *slot = own[axis];
        }
        listed
    }

    /// The axes in another order, as a row-major copy: axis `i` of the result is axis `axes[i]`.
    pub(crate) fn permute(&self, axes: &[usize]) -> Self {
        let own = strides(&self.shape, self.layout);
        let mut shape = self.shape;
        let mut listed = [0; MAX_RANK];
        for (i, &axis) in axes.iter().enumerate() {
            shape.sizes[i] = self.shape[axis];
            listed[i] = own[axis];
        }
        Self::build(shape, Layout::Nchw, |y| self.gather(&shape, &listed, y))
    }

    /// Reads the elements through strides into `y`, whose axes are `dims` in memory order.
    fn gather(&self, dims: &Shape, strides: &[usize; MAX_RANK], y: &mut [T]) {
        let x = self.as_slice();
        match dims.len() {
            0 => y.copy_from_slice(x),
            n => elementwise::broadcast(dims, x, &strides[..n], x, &strides[..n], y, |v, _| v),
        }
    }

    /// The sum over the given axes, which stay with size 1.
    ///
    /// Neighbouring axes are summed together, in the order in which they lie in memory: images that
    /// lie channels-last are summed over rows and columns in one sweep.
    pub(crate) fn sum_axes(&self, axes: &[usize]) -> Self {
        let mut x = self.clone();
        loop {
            let (dims, order) = memory_order(&x.shape, x.layout);
            let pending = |i: usize| axes.contains(&order[i]) && dims[i] != 1;
            let Some(last) = (0..dims.len()).rev().find(|&i| pending(i)) else { return x };
            let first = (0..=last).rev().take_while(|&i| pending(i)).last().unwrap_or(last);
            let runs = Runs {
                outer: dims[..first].iter().product(),
                reduced: dims[first..=last].iter().product(),
                inner: dims[last + 1..].iter().product(),
            };
            let mut shape = x.shape;
            for i in first..=last {
                shape.sizes[order[i]] = 1;
            }
            x = Self::build(shape, x.layout, |y| reduce::sum(&runs, x.as_slice(), y));
        }
    }

    /// The same values in another precision.
    pub fn cast<U: Element>(&self) -> Tensor<U> {
        let values = self.to_layout(Layout::Nchw);
        Tensor::from_fn(&self.shape, |i| U::from_f64(values.as_slice()[i].to_f64()))
    }
}

/// The sizes in the order in which the axes lie in memory, and which axis each is.
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

/// Elements between neighbours along each axis.
fn strides(shape: &Shape, layout: Layout) -> [usize; MAX_RANK] {
    let (_, axes) = memory_order(shape, layout);
    let mut strides = [0; MAX_RANK];
    let mut step = 1;
    for &axis in axes[..shape.len()].iter().rev() {
        strides[axis] = step;
        step *= shape[axis];
    }
    strides
}
