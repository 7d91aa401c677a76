//! Convolution of NHWC images: forward and its two adjoints.
//!
//! A convolution is a matrix product whose left operand, the im2col matrix, repeats every pixel
//! once per tap of the filter:
//!
//! ```text
//! y[pixel, o] = Σ_{tap, c} x[pixel + tap, c] · w[tap, c, o]
//! ```
//!
//! [`crate::im2col`] writes that matrix out. The kernels here never do: where images are stored
//! channels-last, with a border of zeros around them, its element (pixel, tap, c) lies at
//! `offset(pixel) + offset(tap) + c`, which is exactly the address that a micro-kernel reads.
//!
//! * `direct`: forward, and the gradient of the input where the stride is 1 (then it is again a
//!   convolution, with mirrored weights);
//! * `backward_input`: that case, and the general one by a product and the adjoint of im2col;
//! * `backward_weight`: the product with pixels as the inner index.

mod backward_input;
mod backward_weight;
mod direct;
mod plan;
mod rows;
mod weights;

use crate::Conv2dGeometry;
use crate::winograd;
pub use backward_input::backward_input;
pub(crate) use direct::no_input;
pub use plan::{Algorithm, Pass, plan, set_algorithm};
pub(crate) use weights::Filters;

/// y = conv(x, w) + bias; the formula is on [`Conv2dGeometry`].
///
/// **Shapes**: x `[n, h_in, w_in, c_in]`, w `[c_out, c_in/groups, k_h, k_w]`, bias `[c_out]`,
/// y `[n, h_out, w_out, c_out]`.
///
/// # Panics
/// When a slice does not have the length of its shape.
pub fn forward(g: &Conv2dGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    assert!(w.len() == g.weight_len() && bias.is_none_or(|b| b.len() == g.c_out));
    match plan(g, Pass::Forward) {
        Algorithm::Winograd => winograd::correlate(g, x, &Filters::forward(g, w, 0), bias, y),
        _ => direct::correlate(g, x, |group| Filters::forward(g, w, group), bias, y),
    }
}

/// grad_weight = the adjoint of w ↦ conv(x, w) applied to `grad_output`.
///
/// **Shapes**: x `[n, h_in, w_in, c_in]`, grad_output `[n, h_out, w_out, c_out]`,
/// grad_weight `[c_out, c_in/groups, k_h, k_w]`.
///
/// # Panics
/// When a slice does not have the length of its shape.
pub fn backward_weight(
    g: &Conv2dGeometry,
    x: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) {
    match plan(g, Pass::BackwardWeight) {
        Algorithm::Winograd => winograd::backward_weight(g, x, grad_output, grad_weight),
        _ => backward_weight::backward_weight(g, x, grad_output, grad_weight),
    }
}
