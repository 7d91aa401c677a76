//! Mutable blocks of a row-major matrix, which threads can write side by side.

use crate::parallel::parallel_for;
use std::marker::PhantomData;

/// A mutable block of rows × cols elements of a row-major matrix whose rows lie `stride` apart.
pub struct BlockMut<'a> {
    start: *mut f32,
    stride: usize,
    rows: usize,
    cols: usize,
    life: PhantomData<&'a mut [f32]>,
}

// SAFETY: a block is a unique borrow of its elements, like `&mut [f32]`, which is Send.
unsafe impl Send for BlockMut<'_> {}

impl<'a> BlockMut<'a> {
    /// Views `data` as `rows` rows of `cols` elements that lie `stride` apart.
    ///
    /// # Panics
    /// When `data` is too short, or rows would overlap.
    pub fn new(data: &'a mut [f32], rows: usize, cols: usize, stride: usize) -> Self {
        assert!(stride >= cols || rows <= 1, "rows would overlap");
        // Saturating: a product that wrapped around would let any size pass.
        let end = rows.saturating_sub(1).saturating_mul(stride).saturating_add(cols);
        assert!(rows == 0 || end <= data.len(), "matrix too short");
        Self { start: data.as_mut_ptr(), stride, rows, cols, life: PhantomData }
    }
    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// Returns the number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }
    /// Returns the distance between rows.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }
    /// Returns a pointer to the first element.
    pub(super) fn as_mut_ptr(&mut self) -> *mut f32 {
        self.start
    }
    /// Borrows row `i`.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row_mut(&mut self, i: usize) -> &mut [f32] {
        assert!(i < self.rows);
        // SAFETY: i < rows, so by `new` (or `tile`) these `cols` elements belong to the block; the
        // result borrows `self` mutably, so no second reference to them exists.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(i * self.stride), self.cols) }
    }
    /// Borrows the m × n elements from (i, j) on, fewer at the block's edge.
    ///
    /// # Panics
    /// When (i, j) lies outside the block.
    pub fn tile(&mut self, i: usize, j: usize, m: usize, n: usize) -> BlockMut<'_> {
        assert!(i < self.rows && j < self.cols);
        BlockMut {
            // SAFETY: (i, j) is an element of the block by the assertion.
            start: unsafe { self.start.add(i * self.stride + j) },
            stride: self.stride,
            rows: m.min(self.rows - i),
            cols: n.min(self.cols - j),
            life: PhantomData,
        }
    }
}

/// A pointer that may be sent to another thread.
#[derive(Clone, Copy)]
struct Shared(*mut f32);

impl Shared {
    /// Returns the pointer. By value, so that closures capture the wrapper and not its field.
    fn get(self) -> *mut f32 {
        self.0
    }
}

// SAFETY: `for_each_block` passes disjoint blocks to its closure, so two threads never reach the
// same element through this pointer.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// Splits `whole` into blocks of m × n and calls `f(first row, first column, block)` for each, in
/// parallel.
///
/// # Panics
/// When m or n is 0.
pub fn for_each_block(
    whole: BlockMut,
    [m, n]: [usize; 2],
    f: impl Fn(usize, usize, BlockMut) + Send + Sync,
) {
    let (across, down) = (whole.cols.div_ceil(n), whole.rows.div_ceil(m));
    let (start, stride, rows, cols) = (Shared(whole.start), whole.stride, whole.rows, whole.cols);
    parallel_for(across * down, |block| {
        let (i, j) = (block / across * m, block % across * n);
        let block = BlockMut {
            // SAFETY: i < rows and j < cols, so (i, j) is inside `whole`, which this function owns.
            // Each (i, j) is visited once, and the blocks from these corners are disjoint.
            start: unsafe { start.get().add(i * stride + j) },
            stride,
            rows: m.min(rows - i),
            cols: n.min(cols - j),
            life: PhantomData,
        };
        f(i, j, block);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    fn fits([len, rows, cols, stride]: [usize; 4]) -> bool {
        let make = || BlockMut::new(&mut vec![0.0; len], rows, cols, stride).rows();
        catch_unwind(make).is_ok()
    }

    #[test]
    fn a_block_ends_inside_its_memory() {
        for good in [[0, 0, 5, 5], [5, 1, 5, 0], [13, 3, 3, 5], [0, 9, 0, 0]] {
            assert!(fits(good), "{good:?}");
        }
        let half = 1 << 63; // twice this is 0
        for bad in [[4, 1, 5, 5], [12, 3, 3, 5], [20, 2, 5, 4], [9, 3, 5, half], [9, 2, 5, !0]] {
            assert!(!fits(bad), "{bad:?}");
        }
    }
}
