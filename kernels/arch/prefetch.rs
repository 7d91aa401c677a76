//! Prefetch hints: requests for memory before it is read.

#[cfg(target_arch = "aarch64")]
use std::arch::asm;

/// Floats of a cache line.
pub(super) const LINE: usize = 16;

/// Prefetches `x` into L2 without waiting.
#[inline]
pub fn prefetch(x: &[f32]) {
    for line in x.chunks(LINE) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
            // SAFETY: a prefetch reads no value and cannot fault; SSE is part of x86-64.
            unsafe { _mm_prefetch(line.as_ptr().cast(), _MM_HINT_T1) }
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: a prefetch reads no value and cannot fault.
        unsafe {
            asm!("prfm pldl2keep, [{}]", in(reg) line.as_ptr(), options(nostack, preserves_flags))
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let _ = line;
    }
}

/// Prefetches the cache line at `x` into L1. The address need not be valid.
#[inline(always)]
fn prefetch_line(x: *const f32) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads no value and cannot fault; SSE is part of x86-64.
        unsafe { _mm_prefetch(x.cast(), _MM_HINT_T0) }
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a prefetch reads no value and cannot fault.
    unsafe {
        asm!("prfm pldl1keep, [{}]", in(reg) x, options(nostack, preserves_flags))
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = x;
}

/// Floats between the element that is read and the element that is prefetched.
const DISTANCE: usize = 4096;

/// Prefetches `len` floats of `x`, a fixed distance behind `at`, as far as `x` reaches. Used where
/// several streams are read in turns: the hardware prefetcher recognises none of them.
#[inline(always)]
pub fn prefetch_ahead(x: &[f32], at: usize, len: usize) {
    let from = (at + DISTANCE).min(x.len());
    prefetch(&x[from..(from + len).min(x.len())]);
}

/// Memory to prefetch: `rows` rows of `width` floats, `stride` apart.
///
/// A micro-kernel prefetches its cache lines one by one while it computes. The hardware prefetcher
/// follows rows that are further apart than a page (4 KiB) badly or not at all.
#[derive(Clone, Copy, Default)]
pub struct Prefetch<'a> {
    /// Memory that holds the rows. Rows beyond its end do no harm and no good.
    pub data: &'a [f32],
    /// Offset of the first row.
    pub start: usize,
    /// Distance between rows.
    pub stride: usize,
    /// Number of rows.
    pub rows: usize,
    /// Floats of a row.
    pub width: usize,
}

/// The cache lines of a [`Prefetch`], one after the other. The addresses are never read.
#[derive(Clone, Copy)]
pub(super) struct CacheLines {
    row: *const f32,
    at: usize,
    width: usize,
    stride: usize,
    left: usize,
    /// Calls until the next line is prefetched, and between two lines.
    wait: usize,
    every: usize,
}

impl CacheLines {
    /// Spreads the lines evenly over `calls`: the CPU drops prefetches beyond some dozens at a
    /// time.
    #[inline]
    pub fn new(x: Prefetch, calls: usize) -> Self {
        let left = x.rows * x.width.div_ceil(LINE);
        let every = calls.checked_div(left).unwrap_or(1).max(1);
        let row = x.data.as_ptr().wrapping_add(x.start);
        Self { row, at: 0, width: x.width, stride: x.stride, left, wait: every, every }
    }

    /// Counts one call, and prefetches the next line when it is due.
    #[inline(always)]
    pub fn prefetch_next(&mut self) {
        self.wait = self.wait.wrapping_sub(1);
        if self.wait == 0 && self.left > 0 {
            prefetch_line(self.row.wrapping_add(self.at));
            (self.left, self.wait) = (self.left - 1, self.every);
            self.at += LINE;
            if self.at >= self.width {
                (self.at, self.row) = (0, self.row.wrapping_add(self.stride));
            }
        }
    }
}
