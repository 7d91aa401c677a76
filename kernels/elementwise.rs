//! Elementwise maps over slices, in parallel over fixed chunks.
//!
//! Each function is generic over a closure, which the compiler inlines and vectorizes. Every result
//! element depends on its own inputs alone, so results do not depend on the number of threads.

use crate::Scalar;
use crate::parallel::parallel_chunks;

/// Elements per task: 64 KB of f32, enough to hide the cost of scheduling a task.
pub const CHUNK: usize = 16 * 1024;

/// Calls `f(i, chunk)` for each chunk of `len` elements of `y` in parallel; a single chunk runs on
/// the calling thread. The closure is a trait object so that the loop over chunks is compiled once per
/// element type and not once per formula. That over the elements of a chunk is inside the closure.
fn for_each_chunk<T: Scalar>(y: &mut [T], len: usize, f: &(dyn Fn(usize, &mut [T]) + Sync)) {
    parallel_chunks(y, len, f);
}

/// Computes y\[i\] = f(x\[i\]).
pub fn unary<T: Scalar>(x: &[T], y: &mut [T], f: impl Fn(T) -> T + Sync) {
    assert_eq!(x.len(), y.len());
    for_each_chunk(y, CHUNK, &|i, y| {
        for (y, &x) in y.iter_mut().zip(&x[i * CHUNK..]) {
            *y = f(x);
        }
    });
}

/// Computes y\[i\] = f(a\[i\], b\[i\]).
pub fn binary<T: Scalar>(a: &[T], b: &[T], y: &mut [T], f: impl Fn(T, T) -> T + Sync) {
    assert!(a.len() == y.len() && b.len() == y.len());
    for_each_chunk(y, CHUNK, &|i, y| {
        for ((y, &a), &b) in y.iter_mut().zip(&a[i * CHUNK..]).zip(&b[i * CHUNK..]) {
            *y = f(a, b);
        }
    });
}

/// Computes y\[i\] = f(y\[i\], x\[i\]).
pub fn update<T: Scalar>(y: &mut [T], x: &[T], f: impl Fn(T, T) -> T + Sync) {
    assert_eq!(x.len(), y.len());
    for_each_chunk(y, CHUNK, &|i, y| {
        for (y, &x) in y.iter_mut().zip(&x[i * CHUNK..]) {
            *y = f(*y, x);
        }
    });
}

/// Largest number of axes of a broadcast.
pub const MAX_AXES: usize = 6;

/// Computes y = f(a, b) where a and b are read through strides; a stride of 0 broadcasts an axis.
///
/// `dims` are the sizes of y's axes in memory order, slowest first; `y` is dense in that order.
pub fn broadcast<T: Scalar>(
    dims: &[usize],
    a: &[T],
    a_strides: &[usize],
    b: &[T],
    b_strides: &[usize],
    y: &mut [T],
    f: impl Fn(T, T) -> T + Sync,
) {
    assert!(!dims.is_empty() && dims.len() <= MAX_AXES);
    let last = dims.len() - 1;
    let row = dims[last];
    if row == 0 || y.is_empty() {
        return;
    }
    let (sa, sb) = (a_strides[last], b_strides[last]);
    let rows_per_task = (CHUNK / row).max(1);
    for_each_chunk(y, row * rows_per_task, &|task, y| {
        for (r, y) in y.chunks_mut(row).enumerate() {
            let (mut ia, mut ib, mut rest) = (0, 0, task * rows_per_task + r);
            for axis in (0..last).rev() {
                let i = rest % dims[axis];
                rest /= dims[axis];
                ia += i * a_strides[axis];
                ib += i * b_strides[axis];
            }
            match (sa, sb) {
                // Loops over contiguous operands, which the compiler vectorizes.
                (1, 1) => {
                    for ((y, &a), &b) in y.iter_mut().zip(&a[ia..]).zip(&b[ib..]) {
                        *y = f(a, b);
                    }
                }
                (1, 0) => {
                    let b = b[ib];
                    for (y, &a) in y.iter_mut().zip(&a[ia..]) {
                        *y = f(a, b);
                    }
                }
                _ => {
                    for (k, y) in y.iter_mut().enumerate() {
                        *y = f(a[ia + k * sa], b[ib + k * sb]);
                    }
                }
            }
        }
    });
}
