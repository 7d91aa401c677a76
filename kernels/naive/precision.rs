//! Convolutions and matrix products in a precision: of the numbers as they are, or rounded to bfloat16,
//! with sums in the element type.

use super::{conv2d, gemm};
use crate::bf16::{Precision, rounded};
use crate::{Conv2dGeometry, GemmGeometry, Scalar};
use std::borrow::Cow;

/// Returns the factors of products: `x`, or every element rounded to the nearest bfloat16, ties to even.
fn factors<T: Scalar>(precision: Precision, x: &[T]) -> Cow<'_, [T]> {
    let round = |&x: &T| T::from_f64(f64::from(rounded(x.to_f64() as f32)));
    match precision {
        Precision::F32 => Cow::Borrowed(x),
        Precision::Bf16 => Cow::Owned(x.iter().map(round).collect()),
    }
}

/// Computes C = round(op(A))·round(op(B)), or adds it to C with `accumulate`.
pub fn gemm<T: Scalar>(
    precision: Precision,
    g: &GemmGeometry,
    a: &[T],
    b: &[T],
    c: &mut [T],
    accumulate: bool,
) {
    let [a, b] = [a, b].map(|x| factors(precision, x));
    gemm::gemm(g, &a, &b, c, accumulate);
}

/// Computes y = conv(round(x), round(w)) + bias.
pub fn conv2d_forward<T: Scalar>(
    precision: Precision,
    g: &Conv2dGeometry,
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
) {
    let [x, w] = [x, w].map(|x| factors(precision, x));
    conv2d::forward(g, &x, &w, bias, y);
}

/// Computes [`conv2d_forward`], and mean and biased variance of each channel of y.
pub fn conv2d_forward_statistics<T: Scalar>(
    precision: Precision,
    g: &Conv2dGeometry,
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
    statistics: [&mut [T]; 2],
) {
    let [x, w] = [x, w].map(|x| factors(precision, x));
    conv2d::forward_statistics(g, &x, &w, bias, y, statistics);
}

/// Computes the adjoint of x ↦ conv(x, round(w)) applied to round(grad_output).
pub fn conv2d_backward_input<T: Scalar>(
    precision: Precision,
    g: &Conv2dGeometry,
    grad_output: &[T],
    w: &[T],
    grad_input: &mut [T],
) {
    let [grad_output, w] = [grad_output, w].map(|x| factors(precision, x));
    conv2d::backward_input(g, &grad_output, &w, grad_input);
}

/// Computes the adjoint of w ↦ conv(round(x), w) applied to round(grad_output).
pub fn conv2d_backward_weight<T: Scalar>(
    precision: Precision,
    g: &Conv2dGeometry,
    x: &[T],
    grad_output: &[T],
    grad_weight: &mut [T],
) {
    let [x, grad_output] = [x, grad_output].map(|x| factors(precision, x));
    conv2d::backward_weight(g, &x, &grad_output, grad_weight);
}
