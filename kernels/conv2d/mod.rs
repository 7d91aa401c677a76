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
//! In [`Precision::Bf16`] the factors of every product are bfloat16 and the sums f32. Results are near
//! those of [`naive::precision`](crate::naive::precision): within the rounding of the sums, or with
//! Winograd, which rounds its transformed operands, within the bound of [`winograd`].
//!
//! The `epilogue` is applied to the output while it is in cache: bias, ReLU, pooling, and in
//! training the sums that the next batch norm needs ([`forward_statistics`]).

mod backward_input;
mod backward_weight;
mod backward_weight_tiled;
mod direct;
mod epilogue;
mod filters;
pub mod im2col;
mod input_rows;
mod partition;
mod plan;
mod prepared_filters;
mod tiled;
pub mod winograd;

use crate::arch::SimdLevel;
use crate::bf16::{Factors, in_precision, is_paired};
use crate::norm::statistics;
use crate::parallel::on_pool;
use crate::{ChannelView, Context, Conv2dGeometry, Precision, scratch};
pub use epilogue::Epilogue;
use epilogue::Output;
use filters::Filters;
pub use plan::{Algorithm, Pass, plan};
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
    ctx: Context,
    g: &Conv2dGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    mut output: Output,
) {
    assert!(x.len() == g.input_len() && output.y.len() == g.output_len());
    assert!(w.len() == g.weight_len() && bias.is_none_or(|b| b.len() == g.c_out));
    let epilogue = Epilogue { bias, ..Epilogue::default() };
    on_pool(|| {
        let algorithm = plan_pass(ctx, g, Pass::Forward);
        let Operands { how, a: x, b: w } =
            operands(ctx, algorithm, is_paired(g.c_in / g.groups), x, w);
        let filters = |group| Filters::forward(g, &w, group);
        match algorithm {
            Algorithm::Winograd => {
                let size = winograd::tile_size(g);
                winograd::correlate(how, size, g, &x, &filters(0), epilogue, output);
            }
            Algorithm::Im2col => {
                im2col::forward(how.0, g, &x, &w, bias, output.y);
                output.compute_statistics(how.0, g.c_out);
            }
            _ => direct::correlate(how, g, &x, filters, epilogue, output),
        }
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
    ctx: Context,
    g: &Conv2dGeometry,
    grad_output: &[f32],
    w: &[f32],
    grad_input: &mut [f32],
) {
    assert!(grad_output.len() == g.output_len() && grad_input.len() == g.input_len());
    assert!(w.len() == g.weight_len());
    on_pool(|| {
        let algorithm = plan_pass(ctx, g, Pass::BackwardInput);
        let Operands { how, a: gy, b: w } =
            operands(ctx, algorithm, is_paired(g.c_out / g.groups), grad_output, w);
        match algorithm {
            Algorithm::Winograd => {
                let size = winograd::tile_size(g);
                winograd::backward_input(how, size, g, &gy, &w, grad_input);
            }
            Algorithm::Im2col => im2col::backward_input(how.0, g, &gy, &w, grad_input),
            _ => backward_input::backward_input(how, g, &gy, &w, grad_input),
        }
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
    ctx: Context,
    g: &Conv2dGeometry,
    x: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) {
    assert!(x.len() == g.input_len() && grad_output.len() == g.output_len());
    assert!(grad_weight.len() == g.weight_len());
    on_pool(|| {
        let algorithm = plan_pass(ctx, g, Pass::BackwardWeight);
        let Operands { how, a: x, b: gy } = operands(ctx, algorithm, true, x, grad_output);
        match algorithm {
            Algorithm::Winograd => {
                let size = winograd::tile_size(g);
                winograd::backward_weight(how, size, g, &x, &gy, grad_weight);
            }
            Algorithm::Im2col => im2col::backward_weight(how.0, g, &x, &gy, grad_weight),
            _ => backward_weight::backward_weight(how, g, &x, &gy, grad_weight),
        }
    });
}

/// Returns the name of the algorithm that computes a pass, with the size of Winograd's tiles: `direct`,
/// `im2col`, `winograd 4x4`.
pub fn plan_name(ctx: Context, g: &Conv2dGeometry, pass: Pass) -> String {
    plan::name_of(plan_pass(ctx, g, pass), winograd::tile_size(g))
}

/// Returns the algorithm of a pass in the precision of the context.
fn plan_pass(ctx: Context, g: &Conv2dGeometry, pass: Pass) -> Algorithm {
    let usual = plan(ctx.conv, g, pass);
    match pass {
        Pass::Forward => plan_in(ctx, g, usual),
        Pass::BackwardInput => match backward_input::mirrored(g) {
            Some(mirrored) => plan_in(ctx, &mirrored, usual),
            None => usual,
        },
        Pass::BackwardWeight
            if ctx.conv == Algorithm::Auto
                && backward_weight_tiled::applies(ctx.simd, ctx.precision, g) =>
        {
            Algorithm::Direct
        }
        Pass::BackwardWeight => usual,
    }
}

/// Returns the algorithm of a correlation in the precision of the context, where `usual` is that for f32:
/// with tile registers direct products are faster than the transforms of Winograd.
fn plan_in(ctx: Context, g: &Conv2dGeometry, usual: Algorithm) -> Algorithm {
    let tiled = ctx.precision == Precision::Bf16 && tiled::applies(ctx.simd, g, g.c_in / g.groups);
    if tiled && ctx.conv == Algorithm::Auto { Algorithm::Direct } else { usual }
}

/// The operands of a product, and how it is computed.
struct Operands<'a> {
    how: (SimdLevel, Precision),
    a: Factors<'a>,
    b: Factors<'a>,
}

/// Prepares a product in the precision of the context. The direct kernels and Winograd round operands
/// themselves, if their terms make pairs. Elsewhere f32 kernels multiply rounded operands: the product
/// of two bfloat16 is exact in f32.
fn operands<'a>(
    Context { simd, precision, .. }: Context,
    algorithm: Algorithm,
    paired: bool,
    a: &'a [f32],
    b: &'a [f32],
) -> Operands<'a> {
    if paired && algorithm != Algorithm::Im2col {
        return Operands { how: (simd, precision), a: Factors::Given(a), b: Factors::Given(b) };
    }
    let [a, b] = [a, b].map(|x| in_precision(precision, x));
    Operands { how: (simd, Precision::F32), a, b }
}
