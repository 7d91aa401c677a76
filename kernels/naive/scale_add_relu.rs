//! y = max(0, a + s·b), s one number a picture and channel.

use crate::{ChannelView, Scalar};

/// Number of the element's picture and channel.
fn row(v: &ChannelView, i: usize) -> usize {
    i / v.inner
}

/// y = max(0, a + s\[n, c\]·b) on `[n, c, pixels]`. NaN goes through.
pub fn forward<T: Scalar>(v: &ChannelView, a: &[T], s: &[T], b: &[T], y: &mut [T]) {
    for i in 0..v.len() {
        let sum = a[i] + s[row(v, i)] * b[i];
        y[i] = if sum < T::ZERO { T::ZERO } else { sum };
    }
}

/// Where y > 0: grad_a = g, grad_b = s·g, grad_s = Σ over pixels of g·b; else nothing.
#[allow(clippy::too_many_arguments)] // three operands and their gradients
pub fn backward<T: Scalar>(
    v: &ChannelView,
    y: &[T],
    s: &[T],
    b: &[T],
    grad_output: &[T],
    grad_a: &mut [T],
    grad_s: &mut [T],
    grad_b: &mut [T],
) {
    grad_s.fill(T::ZERO);
    for i in 0..v.len() {
        let g = if y[i] > T::ZERO { grad_output[i] } else { T::ZERO };
        grad_a[i] = g;
        grad_b[i] = s[row(v, i)] * g;
        grad_s[row(v, i)] += g * b[i];
    }
}
