//! Sizes of a tensor's axes.

use std::fmt;
use std::ops::Deref;

/// Largest number of axes of a tensor.
pub const MAX_RANK: usize = 6;

/// Sizes of the axes, slowest first. Dereferences to a slice: `shape[1]`, `shape.len()`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub(crate) sizes: [usize; MAX_RANK],
    pub(crate) rank: usize,
}

impl Shape {
    /// Creates a shape of at most [`MAX_RANK`] axes; the empty shape is a scalar's.
    ///
    /// # Panics
    /// Above [`MAX_RANK`] axes.
    pub fn new(sizes: &[usize]) -> Self {
        let mut all = [1; MAX_RANK];
        all[..sizes.len()].copy_from_slice(sizes);
        Self { sizes: all, rank: sizes.len() }
    }

    /// Returns the number of elements of unchecked sizes: `None` if there are too many axes or the
    /// product overflows.
    pub(crate) fn try_elements(sizes: &[usize]) -> Option<usize> {
        let sizes = (sizes.len() <= MAX_RANK).then_some(sizes)?;
        sizes.iter().try_fold(1, |n: usize, &size| n.checked_mul(size))
    }

    /// Returns the number of elements: the product of the sizes.
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
