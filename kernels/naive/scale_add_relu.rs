//! y = max(0, a + s·b), with one s per image and channel.

use crate::{ChannelView, Scalar};

/// Returns the index of the element's image and channel.
fn row(v: &ChannelView, i: usize) -> usize {
    i / v.inner
}

/// Computes y = max(0, a + s\[n, c\]·b) on `[n, c, pixels]`. NaN is propagated.
pub fn forward<T: Scalar>(v: &ChannelView, a: &[T], s: &[T], b: &[T], y: &mut [T]) {
    for i in 0..v.len() {
        let sum = a[i] + s[row(v, i)] * b[i];
        y[i] = if sum < T::ZERO { T::ZERO } else { sum };
    }
}

/// Computes grad_a = g, grad_b = s·g and grad_s = Σ over pixels of g·b, where y > 0; elsewhere the
/// terms are 0.
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
