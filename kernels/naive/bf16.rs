//! Products of numbers rounded to bfloat16, with sums in the element type.

use super::{conv2d, gemm};
use crate::bf16::rounded;
use crate::{Conv2dGeometry, GemmGeometry, Scalar};

/// Rounds every element to the nearest bfloat16, ties to even.
pub fn round<T: Scalar>(x: &[T]) -> Vec<T> {
    x.iter().map(|&x| T::from_f64(f64::from(rounded(x.to_f64() as f32)))).collect()
}

/// Computes C\[i,j\] = Σ_p round(A\[i,p\]) · round(B\[p,j\]).
pub fn gemm<T: Scalar>(g: &GemmGeometry, a: &[T], b: &[T], c: &mut [T]) {
    gemm::gemm(g, &round(a), &round(b), c, false);
}

/// Computes y = conv(round(x), round(w)) + bias.
pub fn conv2d_forward<T: Scalar>(
    g: &Conv2dGeometry,
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
) {
    conv2d::forward(g, &round(x), &round(w), bias, y);
}
