//! Buffers that start on a cache line.

use std::ops::{Deref, DerefMut};

/// One cache line of floats.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A buffer of f32 aligned to 64 bytes: no full-width load of a packed panel crosses a cache line.
pub struct AlignedBuffer {
    lines: Vec<Line>,
}

impl AlignedBuffer {
    /// Allocates at least `len` zeros.
    pub fn zeroed(len: usize) -> Self {
        Self { lines: vec![Line([0.0; 16]); len.div_ceil(16)] }
    }
}

/// Returns the memory of f32 as that of twice as many bfloat16.
pub fn halves(x: &[f32]) -> &[u16] {
    // SAFETY: an f32 has the size of two u16 and at least their alignment, and any bits are a u16. The
    // result borrows `x`.
    unsafe { std::slice::from_raw_parts(x.as_ptr().cast(), 2 * x.len()) }
}

/// Returns the memory of f32 as that of twice as many bfloat16, writable.
pub fn halves_mut(x: &mut [f32]) -> &mut [u16] {
    // SAFETY: as in `halves`; any bits are an f32, too, and the borrow is unique.
    unsafe { std::slice::from_raw_parts_mut(x.as_mut_ptr().cast(), 2 * x.len()) }
}

impl Deref for AlignedBuffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        // SAFETY: `Line` is repr(C) with exactly 16 initialised f32 and no padding (64 bytes), so
        // the vector's elements are 16·len consecutive f32, borrowed as long as `self`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * 16) }
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`; `&mut self` makes the borrow unique.
        unsafe {
            std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * 16)
        }
    }
}
