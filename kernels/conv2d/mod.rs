//! Convolution of NHWC images: forward, and the gradients of its input and weights.
//!
//! A convolution is a matrix product. Its left operand is the im2col matrix, which repeats every
//! pixel once per tap of the filter:
//!
//! ```text
//! y[pixel, o] = Σ_{tap, c} x[pixel + tap, c] · w[tap, c, o]
//! ```
//!
//! Three algorithms compute it, and [`plan`](plan()) chooses one for each layer and pass:
//!
//! * [`im2col`] writes the matrix out.
//! * The direct kernels never do (implicit im2col). Where images are stored channels-last with a
//!   border of zeros, element (pixel, tap, c) of the matrix lies at
//!   `offset(pixel) + offset(tap) + c`, which is the address that a micro-kernel reads. `direct` is
//!   the forward pass, and the gradient of the input where the stride is 1 (a convolution with
//!   mirrored weights). `backward_input` adds the general case, by a product and the adjoint of
//!   im2col. `backward_weight` is the product with the pixels as inner index.
//! * [`winograd`] needs fewer multiplications for 3×3 filters.
//!
//! The `epilogue` is applied to the output while it is in cache: bias, ReLU, pooling, and in
//! training the sums that the next batch norm needs ([`forward_statistics`]).

mod backward_input;
mod backward_weight;
mod direct;
mod epilogue;
mod filters;
pub mod im2col;
mod input_rows;
mod plan;
mod prepared_filters;
pub mod winograd;

use crate::norm::statistics;
use crate::parallel::on_pool;
use crate::{ChannelView, Context, Conv2dGeometry, scratch};
pub use epilogue::Epilogue;
use epilogue::Output;
use filters::Filters;
pub use plan::{Algorithm, Pass, plan, plan_name};
pub use prepared_filters::Prepared;

/// Computes y = conv(x, w) + bias; the formula is on [`Conv2dGeometry`].
///
/// **Shapes**: x `[n, h_in, w_in, c_in]`, w `[c_out, c_in/groups, k_h, k_w]`, bias `[c_out]`,
/// y `[n, h_out, w_out, c_out]`.
///
/// # Panics
/// When a slice does not have the length of its shape.
pub fn forward(
    ctx: Context,
    g: &Conv2dGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
) {
    forward_into(ctx, g, x, w, bias, y.into());
}

/// Computes [`forward`], and mean and (biased) variance of each channel of y over the batch.
///
/// The bits are those of [`batch_norm::statistics`](crate::norm::batch_norm::statistics()), but y
/// is summed while it is in cache instead of being read from memory once more.
///
/// **Shapes**: as [`forward`]; mean and var `[c_out]`.
///
/// # Panics
/// When a slice does not have the length of its shape.
pub fn forward_statistics(
    ctx: Context,
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
        return statistics::statistics(ctx.simd, &v, y, mean, var);
    }
    let mut partial = scratch::take(statistics::partial_len(v.outer, v.channels));
    forward_into(ctx, g, x, w, bias, Output { y, partial: Some(&mut partial) });
    statistics::combine(v.outer, &partial, mean, var);
}

fn forward_into(
    Context { simd, conv }: Context,
    g: &Conv2dGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    mut output: Output,
) {
    assert!(x.len() == g.input_len() && output.y.len() == g.output_len());
    assert!(w.len() == g.weight_len() && bias.is_none_or(|b| b.len() == g.c_out));
    let epilogue = Epilogue { bias, ..Epilogue::default() };
    let filters = |group| Filters::forward(g, w, group);
    on_pool(|| match plan(conv, g, Pass::Forward) {
        Algorithm::Winograd => {
            let size = winograd::tile_size(g);
            winograd::correlate(simd, size, g, x, &filters(0), epilogue, output);
        }
        Algorithm::Im2col => {
            im2col::forward(simd, g, x, w, bias, output.y);
            output.compute_statistics(simd, g.c_out);
        }
        _ => direct::correlate(simd, g, x, filters, epilogue, output),
    });
}

/// Computes grad_input: the adjoint of x ↦ conv(x, w) applied to `grad_output`.
///
/// **Shapes**: grad_output `[n, h_out, w_out, c_out]`, w `[c_out, c_in/groups, k_h, k_w]`,
/// grad_input `[n, h_in, w_in, c_in]`.
///
/// # Panics
/// When a slice does not have the length of its shape.
pub fn backward_input(
    Context { simd, conv }: Context,
    g: &Conv2dGeometry,
    grad_output: &[f32],
    w: &[f32],
    grad_input: &mut [f32],
) {
    assert!(grad_output.len() == g.output_len() && grad_input.len() == g.input_len());
    assert!(w.len() == g.weight_len());
    on_pool(|| match plan(conv, g, Pass::BackwardInput) {
        Algorithm::Winograd => {
            let size = winograd::tile_size(g);
            winograd::backward_input(simd, size, g, grad_output, w, grad_input);
        }
        Algorithm::Im2col => im2col::backward_input(simd, g, grad_output, w, grad_input),
        _ => backward_input::backward_input(simd, g, grad_output, w, grad_input),
    });
}

/// Computes grad_weight: the adjoint of w ↦ conv(x, w) applied to `grad_output`.
///
/// **Shapes**: x `[n, h_in, w_in, c_in]`, grad_output `[n, h_out, w_out, c_out]`,
/// grad_weight `[c_out, c_in/groups, k_h, k_w]`.
///
/// # Panics
/// When a slice does not have the length of its shape.
pub fn backward_weight(
    Context { simd, conv }: Context,
    g: &Conv2dGeometry,
    x: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) {
    assert!(x.len() == g.input_len() && grad_output.len() == g.output_len());
    assert!(grad_weight.len() == g.weight_len());
    on_pool(|| match plan(conv, g, Pass::BackwardWeight) {
        Algorithm::Winograd => {
            let size = winograd::tile_size(g);
            winograd::backward_weight(simd, size, g, x, grad_output, grad_weight);
        }
        Algorithm::Im2col => im2col::backward_weight(simd, g, x, grad_output, grad_weight),
        _ => backward_weight::backward_weight(simd, g, x, grad_output, grad_weight),
    });
}
