//! Convolution of NHWC images: forward and its two adjoints.
//!
//! A convolution is a matrix product whose left operand, the im2col matrix, repeats every pixel
//! once per tap of the filter:
//!
//! ```text
//! y[pixel, o] = Σ_{tap, c} x[pixel + tap, c] · w[tap, c, o]
//! ```
//!
//! [`crate::conv2d::im2col`] writes that matrix out. The kernels here never do: where images are stored
//! channels-last, with a border of zeros around them, its element (pixel, tap, c) lies at
//! `offset(pixel) + offset(tap) + c`, which is exactly the address that a micro-kernel reads.
//!
//! * `direct`: forward, and the gradient of the input where the stride is 1 (then it is again a
//!   convolution, with mirrored weights);
//! * `backward_input`: that case, and the general one by a product and the adjoint of im2col;
//! * `backward_weight`: the product with pixels as the inner index.
//!
//! What comes after a product happens to the output while it is in cache (`epilogue`): bias, ReLU, and
//! in training the sums that the batch norm behind it needs ([`forward_statistics`]).

mod backward_input;
mod backward_weight;
mod direct;
mod epilogue;
mod filters;
pub mod im2col;
mod input_rows;
mod plan;
mod prepared;
pub mod winograd;

use crate::norm::statistics as batch_norm;
use crate::parallel::on_pool;
use crate::{ChannelView, Conv2dGeometry, scratch};
pub use epilogue::Epilogue;
use epilogue::Target;
use filters::Filters;
use plan::resolve;
pub use plan::{Algorithm, Pass, algorithm, plan, plan_name, set_algorithm};
pub use prepared::Prepared;

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
    forward_into(algorithm, g, x, w, bias, y.into());
}

/// [`forward`], and mean and (biased) variance of each channel of y over the batch: the bits of
/// [`batch_norm::statistics`](crate::norm::batch_norm::statistics()), but y is added up while it is in
/// cache instead of being read from memory once more.
///
/// **Shapes**: as [`forward`]; mean and var `[c_out]`.
///
/// # Panics
/// As [`forward`].
pub fn forward_statistics(
    g: &Conv2dGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
    statistics: [&mut [f32]; 2],
) {
    forward_statistics_by(plan(g, Pass::Forward), g, x, w, bias, y, statistics);
}

/// [`forward_statistics`] by the given algorithm, where it applies.
pub fn forward_statistics_by(
    algorithm: Algorithm,
    g: &Conv2dGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
    [mean, var]: [&mut [f32]; 2],
) {
    assert!(y.len() == g.output_len() && mean.len() == g.c_out && var.len() == g.c_out);
    let v = ChannelView { outer: g.n * g.h_out * g.w_out, channels: g.c_out, inner: 1 };
    if v.is_empty() {
        return batch_norm::statistics(&v, y, mean, var);
    }
    let mut sums = scratch::take(batch_norm::sums_len(v.outer, v.channels));
    forward_into(algorithm, g, x, w, bias, Target { y, sums: Some(&mut sums) });
    batch_norm::join(v.outer, &sums, mean, var);
}

fn forward_into(
    algorithm: Algorithm,
    g: &Conv2dGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    mut target: Target,
) {
    assert!(x.len() == g.input_len() && target.y.len() == g.output_len());
    assert!(w.len() == g.weight_len() && bias.is_none_or(|b| b.len() == g.c_out));
    let after = Epilogue { bias, ..Epilogue::default() };
    let filters = |group| Filters::forward(g, w, group);
    on_pool(|| match resolve(algorithm, g, Pass::Forward) {
        Algorithm::Winograd => {
            winograd::correlate(winograd::tile_size(g), g, x, &filters(0), after, target);
        }
        Algorithm::Im2col => {
            im2col::forward(g, x, w, bias, target.y);
            target.add_up(g.c_out);
        }
        _ => direct::correlate(g, x, filters, after, target),
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
