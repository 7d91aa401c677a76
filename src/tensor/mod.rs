//! Numbers with a shape.
//!
//! A [`Tensor`] is a shared buffer and the sizes of its axes. Cloning it is cheap and shares the
//! buffer; writing to a shared buffer copies it first, so no holder ever sees another's change.
//!
//! Its methods, by file, to be read in this order:
//!
//! 1. [`shape`]: the sizes of the axes.
//! 2. this file: constructors, access to the elements, `map`, `zip`, `cast`.
//! 3. `layout`: order in memory: `to_layout`, `reshape`, `permute`, `strides`.
//! 4. `broadcast`: `zip_broadcast`, `sum_axes`.
//! 5. [`storage`]: the buffer, and the pool from which it comes.

mod broadcast;
mod layout;
pub mod shape;
pub mod storage;

pub use shape::{MAX_RANK, Shape};
pub use storage::Element;

use crate::{Error, Result};
use fer_kernels::{Layout, elementwise};
use std::fmt;
use storage::Storage;

/// A tensor of `f32`, or of `f64` where gradients are checked.
///
/// The elements are row-major in memory. Those of images, shape `[N, C, H, W]`, may instead be
/// channels-last ([`Layout::Nhwc`]), which the fast kernels need; the shape stays `[N, C, H, W]`,
/// and only [`Tensor::as_slice`] shows the difference.
#[derive(Clone)]
pub struct Tensor<T: Element = f32> {
    pub(crate) storage: Storage<T>,
    pub(crate) shape: Shape,
    pub(crate) layout: Layout,
}

impl<T: Element> Tensor<T> {
    /// Creates a tensor from its elements in row-major order.
    ///
    /// # Errors
    /// [`Error::Shape`] if the number of elements is not the product of the sizes.
    pub fn from_slice(values: &[T], shape: &[usize]) -> Result<Self> {
        if Shape::try_elements(shape) != Some(values.len()) {
            let n = values.len();
            let detail =
                format!("{n} values do not fill shape {shape:?} (at most {MAX_RANK} axes)");
            return Err(Error::shape("tensor", detail));
        }
        Ok(Self::build(Shape::new(shape), Layout::Nchw, |y| y.copy_from_slice(values)))
    }

    /// Creates a tensor whose elements `fill` writes, every one of them, in memory order. Only a
    /// tensor of four axes can be channels-last; any other is row-major.
    pub fn build(shape: Shape, layout: Layout, fill: impl FnOnce(&mut [T])) -> Self {
        let mut storage = Storage::unfilled(shape.elements());
        fill(storage.make_mut());
        let layout = if shape.len() == 4 { layout } else { Layout::Nchw };
        Self { storage, shape, layout }
    }

    /// Creates a tensor with all elements equal to `value`.
    ///
    /// # Panics
    /// Above [`MAX_RANK`] axes.
    pub fn full(shape: &[usize], value: T) -> Self {
        Self::build(Shape::new(shape), Layout::Nchw, |y| y.fill(value))
    }

    /// Creates a tensor of zeros.
    ///
    /// # Panics
    /// Above [`MAX_RANK`] axes.
    pub fn zeros(shape: &[usize]) -> Self {
        Self::full(shape, T::ZERO)
    }

    /// Creates a tensor of one number, of shape `[]`.
    pub fn scalar(value: T) -> Self {
        Self::full(&[], value)
    }

    /// Creates a tensor whose element i, in row-major order, is `f(i)`.
    ///
    /// # Panics
    /// Above [`MAX_RANK`] axes.
    pub fn from_fn(shape: &[usize], mut f: impl FnMut(usize) -> T) -> Self {
        Self::build(Shape::new(shape), Layout::Nchw, |y| {
            for (i, y) in y.iter_mut().enumerate() {
                *y = f(i);
            }
        })
    }

    /// Returns the sizes of the axes.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Returns the number of elements.
    pub fn elements(&self) -> usize {
        self.shape.elements()
    }

    /// Returns the order of the axes in memory.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns the elements in memory order.
    pub fn as_slice(&self) -> &[T] {
        self.storage.as_slice()
    }

    /// Returns the elements in memory order, writable; copies them first if the buffer is shared.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self.storage.make_mut()
    }

    /// Returns the elements in row-major order.
    pub fn to_vec(&self) -> Vec<T> {
        self.to_layout(Layout::Nchw).as_slice().to_vec()
    }

    /// Returns the only element. If there are several, the first; if there is none, NaN.
    pub fn item(&self) -> T {
        self.as_slice().first().copied().unwrap_or(T::from_f64(f64::NAN))
    }

    /// Returns f(x) for every element x.
    pub fn map(&self, f: impl Fn(T) -> T + Sync) -> Self {
        Self::build(self.shape, self.layout, |y| elementwise::unary(self.as_slice(), y, f))
    }

    /// Returns f(a, b) for every pair of elements of two tensors of one shape. `op` names the
    /// caller in errors.
    ///
    /// # Errors
    /// [`Error::Shape`] if the shapes differ.
    pub fn zip(
        &self,
        op: &'static str,
        other: &Self,
        f: impl Fn(T, T) -> T + Sync,
    ) -> Result<Self> {
        if self.shape != other.shape {
            return Err(Error::shape(
                op,
                format!("shapes {:?} and {:?} differ", self.shape, other.shape),
            ));
        }
        let other = other.to_layout(self.layout);
        Ok(Self::build(self.shape, self.layout, |y| {
            elementwise::binary(self.as_slice(), other.as_slice(), y, f);
        }))
    }

    /// Returns the same values in another precision, row-major.
    pub fn cast<U: Element>(&self) -> Tensor<U> {
        let values = self.to_layout(Layout::Nchw);
        Tensor::from_fn(&self.shape, |i| U::from_f64(values.as_slice()[i].to_f64()))
    }
}

impl<T: Element> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.as_slice();
        let dots = if values.len() > 8 { ", …" } else { "" };
        write!(f, "Tensor {:?} {:?}{dots}", self.shape, &values[..values.len().min(8)])
    }
}
