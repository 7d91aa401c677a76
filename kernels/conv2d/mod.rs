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
mod epilogue;
mod plan;
mod prepared;
mod rows;
mod weights;

use crate::parallel::on_pool;
use crate::{Conv2dGeometry, im2col, winograd};
pub(crate) use backward_input::mirrored;
pub use epilogue::Epilogue;
use plan::resolve;
pub use plan::{Algorithm, Pass, algorithm, plan, plan_name, set_algorithm};
pub use prepared::Prepared;
pub(crate) use weights::Filters;

/// y = conv(x, w) + bias; the formula is on [`Conv2dGeometry`].
///
/// **Shapes**: x `[n, h_in, w_in, c_in]`, w `[c_out, c_in/groups, k_h, k_w]`, bias `[c_out]`,
/// y `[n, h_out, w_out, c_out]`.
///
/// # Panics
/// When a slice does not have the length of its shape.
pub fn forward(g: &Conv2dGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    forward_by(plan(g, Pass::Forward), g, x, w, bias, y);
}

/// [`forward`] by the given algorithm, where it applies.
pub fn forward_by(
    algorithm: Algorithm,
    g: &Conv2dGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
) {
    assert!(x.len() == g.input_len() && y.len() == g.output_len());
    assert!(w.len() == g.weight_len() && bias.is_none_or(|b| b.len() == g.c_out));
    on_pool(|| match resolve(algorithm, g, Pass::Forward) {
        Algorithm::Winograd => winograd::forward(winograd::tile_size(g), g, x, w, bias, y),
        Algorithm::Im2col => im2col::forward(g, x, w, bias, y),
        _ => {
            let after = Epilogue { bias, relu: false };
            direct::correlate(g, x, |group| Filters::forward(g, w, group), after, y);
        }
    });
}

/// grad_input = the adjoint of x ↦ conv(x, w) applied to `grad_output`.
///
/// **Shapes**: grad_output `[n, h_out, w_out, c_out]`, w `[c_out, c_in/groups, k_h, k_w]`,
/// grad_input `[n, h_in, w_in, c_in]`.
///
/// # Panics
/// When a slice does not have the length of its shape.
pub fn backward_input(g: &Conv2dGeometry, grad_output: &[f32], w: &[f32], grad_input: &mut [f32]) {
    backward_input_by(plan(g, Pass::BackwardInput), g, grad_output, w, grad_input);
}

/// [`backward_input`] by the given algorithm, where it applies.
pub fn backward_input_by(
    algorithm: Algorithm,
    g: &Conv2dGeometry,
    grad_output: &[f32],
    w: &[f32],
    grad_input: &mut [f32],
) {
    assert!(grad_output.len() == g.output_len() && grad_input.len() == g.input_len());
    assert!(w.len() == g.weight_len());
    on_pool(|| match resolve(algorithm, g, Pass::BackwardInput) {
        Algorithm::Winograd => {
            winograd::backward_input(winograd::tile_size(g), g, grad_output, w, grad_input);
        }
        Algorithm::Im2col => im2col::backward_input(g, grad_output, w, grad_input),
        _ => backward_input::backward_input(g, grad_output, w, grad_input),
    });
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
    backward_weight_by(plan(g, Pass::BackwardWeight), g, x, grad_output, grad_weight);
}

/// [`backward_weight`] by the given algorithm, where it applies.
pub fn backward_weight_by(
    algorithm: Algorithm,
    g: &Conv2dGeometry,
    x: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) {
    assert!(x.len() == g.input_len() && grad_output.len() == g.output_len());
    assert!(grad_weight.len() == g.weight_len());
    on_pool(|| match resolve(algorithm, g, Pass::BackwardWeight) {
        Algorithm::Winograd => {
            winograd::backward_weight(winograd::tile_size(g), g, x, grad_output, grad_weight);
        }
        Algorithm::Im2col => im2col::backward_weight(g, x, grad_output, grad_weight),
        _ => backward_weight::backward_weight(g, x, grad_output, grad_weight),
    });
}
