//! Numbers with a shape.
//!
//! A tensor is a shared buffer and the sizes of its axes. Cloning it is cheap and shares the
//! buffer; writing to a shared one copies first, so no holder ever sees another's change.

pub(crate) mod layout;
pub mod storage;

pub use layout::{MAX_RANK, Shape};

use crate::{Error, Result};
use fer_kernels::{Layout, elementwise};
use std::fmt;
use storage::{Element, Storage};

/// A tensor of `f32` (in use) or `f64` (when gradients are checked).
///
/// Its elements are row-major. Images, shape `[N, C, H, W]`, may instead lie channels-last in
/// memory ([`Layout::Nhwc`]) because the fast kernels want them so; the shape stays `[N, C, H, W]`
/// and only [`Tensor::as_slice`] sees the difference.
#[derive(Clone)]
pub struct Tensor<T: Element = f32> {
    pub(crate) storage: Storage<T>,
    pub(crate) shape: Shape,
    pub(crate) layout: Layout,
}

impl<T: Element> Tensor<T> {
    /// A tensor from its elements in row-major order.
    ///
    /// # Errors
    /// [`Error::Shape`] if their number is not the product of the sizes.
    pub fn from_slice(values: &[T], shape: &[usize]) -> Result<Self> {
        if Shape::try_elements(shape) != Some(values.len()) {
            let n = values.len();
            let detail =
                format!("{n} values do not fill shape {shape:?} (at most {MAX_RANK} axes)");
            return Err(Error::shape("tensor", detail));
        }
        Ok(Self::build(Shape::new(shape), Layout::Nchw, |y| y.copy_from_slice(values)))
    }

    /// A new tensor whose elements `fill` writes, every one of them, in memory order; row-major
    /// where there are not four axes.
    pub fn build(shape: Shape, layout: Layout, fill: impl FnOnce(&mut [T])) -> Self {
        let mut storage = Storage::stale(shape.elements());
        fill(storage.make_mut());
        let layout = if shape.len() == 4 { layout } else { Layout::Nchw };
        Self { storage, shape, layout }
    }

    /// All elements equal to `value`.
    ///
    /// # Panics
    /// Above [`MAX_RANK`] axes.
    pub fn full(shape: &[usize], value: T) -> Self {
        Self::build(Shape::new(shape), Layout::Nchw, |y| y.fill(value))
    }

    /// All zeros.
    ///
    /// # Panics
    /// Above [`MAX_RANK`] axes.
    pub fn zeros(shape: &[usize]) -> Self {
        Self::full(shape, T::ZERO)
    }

    /// A single number, of shape `[]`.
    pub fn scalar(value: T) -> Self {
        Self::full(&[], value)
    }

    /// Element i is `f(i)`, in row-major order.
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

    /// Sizes of the axes.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.elements()
    }

    /// Order of the axes in memory.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The elements in memory order.
    pub fn as_slice(&self) -> &[T] {
        self.storage.as_slice()
    }

    /// The elements in memory order, to write; copied first if the buffer is shared.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self.storage.make_mut()
    }

    /// The elements in row-major order.
    pub fn to_vec(&self) -> Vec<T> {
        self.to_layout(Layout::Nchw).as_slice().to_vec()
    }

    /// The only element. A tensor of any other number of elements gives its first, or NaN.
    pub fn item(&self) -> T {
        self.as_slice().first().copied().unwrap_or(T::from_f64(f64::NAN))
    }

    /// f of every element.
    pub fn map(&self, f: impl Fn(T) -> T + Sync) -> Self {
        Self::build(self.shape, self.layout, |y| elementwise::unary(self.as_slice(), y, f))
    }

    /// f of every pair of elements of two tensors of one shape (`op` names the caller in errors).
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
            return Err(Error::shape(op, format!("{:?} and {:?}", self.shape, other.shape)));
        }
        let other = other.to_layout(self.layout);
        Ok(Self::build(self.shape, self.layout, |y| {
            elementwise::binary(self.as_slice(), other.as_slice(), y, f);
        }))
    }
}

impl<T: Element> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.as_slice();
        let dots = if values.len() > 8 { ", …" } else { "" };
        write!(f, "Tensor {:?} {:?}{dots}", self.shape, &values[..values.len().min(8)])
    }
}
