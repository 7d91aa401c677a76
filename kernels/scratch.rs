//! Buffers that are used again instead of being allocated for every call.

use crate::arch::AlignedBuffer;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// Buffers that nobody uses now, any order.
static FREE: Mutex<Vec<AlignedBuffer>> = Mutex::new(Vec::new());

/// Free buffers kept at most; the smallest give way.
const KEEP: usize = 64;

/// Under AddressSanitizer (`tests/address_sanitizer.sh`) buffers are as long as the wish and used
/// once: it sees no overrun into the spare room of a larger one.
const EXACT: bool = cfg!(exact_buffers);

/// A buffer on loan from the process-wide list; goes back when dropped. Its content is
/// unspecified (finite or not): write before reading.
pub struct Scratch {
    buffer: Option<AlignedBuffer>,
    len: usize,
}

/// Lends a buffer of `len` floats that starts on a cache line.
pub fn take(len: usize) -> Scratch {
    if EXACT {
        return Scratch { buffer: Some(AlignedBuffer::zeroed(len)), len };
    }
    // A large buffer is not spent on a small wish: the next large wish would need another.
    let fits = len..=4 * len + (1 << 14);
    let mut free = FREE.lock().unwrap_or_else(|e| e.into_inner());
    let fit =
        (0..free.len()).filter(|&i| fits.contains(&free[i].len())).min_by_key(|&i| free[i].len());
    let found = fit.map(|i| free.swap_remove(i));
    drop(free);
    let buffer = found.unwrap_or_else(|| AlignedBuffer::zeroed(len + len / 8));
    Scratch { buffer: Some(buffer), len }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Some(buffer) = self.buffer.take().filter(|_| !EXACT) else { return };
        let mut free = FREE.lock().unwrap_or_else(|e| e.into_inner());
        free.push(buffer);
        if free.len() > KEEP
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
