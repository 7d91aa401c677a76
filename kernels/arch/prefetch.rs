//! A hint to the memory system.

/// Asks for the cache lines of `x` to be brought into L2, without waiting for them.
#[inline]
pub fn prefetch(x: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in x.chunks(16) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a prefetch reads no value and cannot fault; SSE is part of x86-64.
        unsafe { _mm_prefetch(line.as_ptr().cast(), _MM_HINT_T1) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = x;
}

/// Asks for the cache line at `x` to be brought into L1. Any address will do.
#[inline(always)]
pub fn prefetch_line(x: *const f32) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads no value and cannot fault; SSE is part of x86-64.
        unsafe { _mm_prefetch(x.cast(), _MM_HINT_T0) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = x;
}

/// Floats between what is read and what is asked for.
const AHEAD: usize = 4096;

/// Asks for `len` floats of `x` some way behind `at`, as far as x reaches: where several streams are
/// read in turns the hardware foresees none of them.
#[inline(always)]
pub fn prefetch_ahead(x: &[f32], at: usize, len: usize) {
    let from = (at + AHEAD).min(x.len());
    prefetch(&x[from..(from + len).min(x.len())]);
}
