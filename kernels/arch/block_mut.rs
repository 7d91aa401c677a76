//! Mutable blocks of a row-major matrix, which threads can write side by side.

use crate::parallel::parallel_for;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

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
    /// Splits the block before row `i`, which may be at its end.
    ///
    /// # Panics
    /// When there are fewer rows.
    pub fn split_at_row(self, i: usize) -> (Self, Self) {
        assert!(i <= self.rows);
        let start = self.start.wrapping_add(i * self.stride);
        (Self { rows: i, ..self }, Self { start, rows: self.rows - i, ..self })
    }
    /// Splits the block before column `j`, or at its end where it has fewer columns.
    pub fn split_at_column(self, j: usize) -> (Self, Self) {
        let j = j.min(self.cols);
        let start = self.start.wrapping_add(j);
        (Self { cols: j, ..self }, Self { start, cols: self.cols - j, ..self })
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
struct Shared<T>(*mut T);

impl<T> Shared<T> {
    /// Returns the pointer. By reference, so that closures capture the wrapper and not its field.
    fn get(&self) -> *mut T {
        self.0
    }
}

// SAFETY: `for_each_block` and `for_each_chunk` pass disjoint parts to their closures, so two threads
// never reach the same element through this pointer, and T is Send.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

/// Calls `f(i, chunk)` for each chunk of `len` elements of `data`, the last one possibly shorter, in
/// parallel.
pub fn for_each_chunk<T: Send>(
    data: &mut [T],
    len: usize,
    f: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    let (start, total, len) = (Shared(data.as_mut_ptr()), data.len(), len.max(1));
    parallel_for(total.div_ceil(len), |i| {
        // SAFETY: i·len is below `total`, the chunk ends at or before `total`, and the chunks of
        // different i are disjoint parts of `data`, which this function borrows mutably.
        let chunk = unsafe {
            std::slice::from_raw_parts_mut(start.get().add(i * len), len.min(total - i * len))
        };
        f(i, chunk);
    });
}

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

/// Largest number of blocks of [`for_each_part`].
const MAX_PARTS: usize = 128;

/// Splits `whole` into `parts` rows of blocks, which begin at the rows `start(0) = 0 ≤ start(1) ≤ …`,
/// and each of these into blocks of n columns; calls `f(part, first column, block)` for each block,
/// in parallel. Blocks with the same columns follow one another.
///
/// # Panics
/// When `start` decreases or n is 0.
pub fn for_each_part(
    whole: BlockMut,
    [parts, n]: [usize; 2],
    start: &impl Fn(usize) -> usize,
    f: impl Fn(usize, usize, BlockMut) + Send + Sync,
) {
    let across = whole.cols.div_ceil(n);
    let slots: [Mutex<Option<BlockMut>>; MAX_PARTS] = [const { Mutex::new(None) }; MAX_PARTS];
    let slot = |i: usize| slots[i].lock().unwrap_or_else(PoisonError::into_inner);
    let per_round = MAX_PARTS / across.max(1);
    assert!(per_round > 0, "more than {MAX_PARTS} blocks across");
    let mut rest = whole;
    for first in (0..parts).step_by(per_round) {
        let round = per_round.min(parts - first);
        for part in 0..round {
            let end = first + part + 1;
            let rows = if end < parts { start(end) - start(end - 1) } else { rest.rows };
            let (mut these, after) = rest.split_at_row(rows);
            rest = after;
            for j in 0..across {
                let (block, right) = these.split_at_column(n);
                *slot(j * round + part) = Some(block);
                these = right;
            }
        }
        parallel_for(round * across, |i| {
            if let Some(block) = slot(i).take() {
                f(first + i % round, i / round * n, block);
            }
        });
    }
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
    fn parts_cover_the_whole_once() {
        for (rows, cols, starts, n) in
            [(5, 7, vec![0, 2, 2, 3], 3), (1, 1, vec![0], 9), (300, 2, (0..300).collect(), 1)]
        {
            let mut data = vec![0.0; rows * cols];
            let whole = BlockMut::new(&mut data, rows, cols, cols);
            let start = |part: usize| starts[part];
            for_each_part(whole, [starts.len(), n], &start, |part, column, mut block| {
                for i in 0..block.rows() {
                    let id = (start(part) + i) * cols + column + 1;
                    block
                        .row_mut(i)
                        .iter_mut()
                        .enumerate()
                        .for_each(|(j, v)| *v += (id + j) as f32);
                }
            });
            assert!(data.iter().enumerate().all(|(i, &v)| v == (i + 1) as f32), "{data:?}");
        }
    }

    #[test]
    fn chunks_cover_a_slice_once() {
        for (len, chunk) in [(0, 3), (1, 3), (7, 3), (9, 3), (5, 0)] {
            let mut data = vec![0; len];
            for_each_chunk(&mut data, chunk, |i, data| {
                data.iter_mut().enumerate().for_each(|(j, v)| *v += i * chunk.max(1) + j + 1);
            });
            assert!(data.iter().enumerate().all(|(i, &v)| v == i + 1), "{len}, {chunk}");
        }
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
