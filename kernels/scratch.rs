//! A pool of reusable buffers, so that kernels need not allocate for every call.
//!
//! The pool is process-wide like an allocator, and no result depends on it.

use crate::arch::AlignedBuffer;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// Buffers that are not in use, in any order.
static FREE: Mutex<Vec<AlignedBuffer>> = Mutex::new(Vec::new());

/// Largest number of free buffers; beyond it the smallest are freed.
const MAX_FREE: usize = 64;

/// Whether every buffer has the requested length and is used once. AddressSanitizer
/// (`tests/address_sanitizer.sh`) would not notice an overrun into the spare room of a larger
/// buffer.
const EXACT: bool = cfg!(exact_buffers);

/// A buffer from the pool, returned when dropped. Its content is unspecified (finite or not): write
/// it before reading.
pub struct Scratch {
    buffer: Option<AlignedBuffer>,
    len: usize,
}

/// Returns a buffer of `len` floats that starts on a cache line.
pub fn take(len: usize) -> Scratch {
    if EXACT {
        return Scratch { buffer: Some(AlignedBuffer::zeroed(len)), len };
    }
    // A large buffer does not serve a small request: the next large request would need another.
    let fits = len..=4 * len + (1 << 14);
    let mut free = FREE.lock().unwrap_or_else(|e| e.into_inner());
    let fit =
        (0..free.len()).filter(|&i| fits.contains(&free[i].len())).min_by_key(|&i| free[i].len());
    let found = fit.map(|i| free.swap_remove(i));
    drop(free);
    let buffer = found.unwrap_or_else(|| AlignedBuffer::zeroed(len + (len / 8).min(1 << 14)));
    Scratch { buffer: Some(buffer), len }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Some(buffer) = self.buffer.take().filter(|_| !EXACT) else { return };
        let mut free = FREE.lock().unwrap_or_else(|e| e.into_inner());
        free.push(buffer);
        if free.len() > MAX_FREE
            && let Some(i) = (0..free.len()).min_by_key(|&i| free[i].len())
        {
            free.swap_remove(i);
        }
    }
}

impl Deref for Scratch {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        self.buffer.as_deref().map_or(&[], |b| &b[..self.len])
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        let len = self.len;
        self.buffer.as_deref_mut().map_or(&mut [], |b| &mut b[..len])
    }
}
