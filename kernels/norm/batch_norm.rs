//! Batch norm of a matrix `[rows, channels]`, the memory order of NHWC images.
//!
//! Sums are taken over blocks of 256 rows, in f32 and in a fixed order, then over the blocks in
//! f64. Neither the number of threads nor the size of the batch changes how a number is rounded.
//! Channels that are not last (`inner` above 1), which f32 images never have, use the
//! [naive](crate::naive::batch_norm) loops.

pub use super::statistics::statistics;
use super::statistics::{BLOCK_ROWS, LANES, block_of};
use crate::naive::batch_norm as naive;
use crate::parallel::parallel_chunks;
use crate::{ChannelView, scratch};
use rayon::prelude::*;

/// Computes y = x · scale\[c\] + shift\[c\].
///
/// **Shapes**: x and y as in `v`, scale and shift `[channels]`.
pub fn channel_affine(v: &ChannelView, x: &[f32], scale: &[f32], shift: &[f32], y: &mut [f32]) {
    if v.inner != 1 || v.is_empty() {
        return naive::channel_affine(v, x, scale, shift, y);
    }
    let c = v.channels;
    parallel_chunks(y, BLOCK_ROWS * c, |block, y| {
        for (y, x) in y.chunks_mut(c).zip(block_of(x, block, c).chunks(c)) {
            for i in 0..c {
                y[i] = x[i] * scale[i] + shift[i];
            }
        }
    });
}

/// Computes grad_beta = Σ g and grad_gamma = Σ g·x̂ over each channel, with x̂ = (x −
/// mean)·inv_std.
///
/// **Shapes**: x and grad_output as in `v`, all others `[channels]`.
pub fn backward_reduce(
    v: &ChannelView,
    x: &[f32],
    grad_output: &[f32],
    mean: &[f32],
    inv_std: &[f32],
    grad_gamma: &mut [f32],
    grad_beta: &mut [f32],
) {
    if v.inner != 1 || v.is_empty() {
        let (gamma, beta) = (grad_gamma, grad_beta);
        return naive::backward_reduce(v, x, grad_output, mean, inv_std, gamma, beta);
    }
    let c = v.channels;
    let mut partial = scratch::take(v.outer.div_ceil(BLOCK_ROWS) * 2 * c);
    parallel_chunks(&mut partial, 2 * c, |block, partial| {
        partial.fill(0.0);
        let (beta, gamma) = partial.split_at_mut(c);
        let rows = block_of(x, block, c).chunks(c).zip(block_of(grad_output, block, c).chunks(c));
        for (x, g) in rows {
            let (gamma, beta, mean) = (&mut gamma[..c], &mut beta[..c], &mean[..c]);
            for i in 0..c {
                beta[i] += g[i];
                gamma[i] += g[i] * (x[i] - mean[i]);
            }
        }
    });
    combine_gradients(&partial, inv_std, grad_gamma, grad_beta);
}

/// Adds the partial sums `[Σ g, Σ g·(x − mean)]` of all blocks in f64. The second sum times inv_std
/// is grad_gamma.
pub(super) fn combine_gradients(
    partial: &[f32],
    inv_std: &[f32],
    grad_gamma: &mut [f32],
    grad_beta: &mut [f32],
) {
    let c = inv_std.len();
    for c0 in (0..c).step_by(LANES) {
        let lanes = LANES.min(c - c0);
        let (mut beta, mut gamma) = ([0.0f64; LANES], [0.0f64; LANES]);
        for partial in partial.chunks(2 * c) {
            for l in 0..lanes {
                beta[l] += f64::from(partial[c0 + l]);
                gamma[l] += f64::from(partial[c + c0 + l]);
            }
        }
        for l in 0..lanes {
            grad_beta[c0 + l] = beta[l] as f32;
            grad_gamma[c0 + l] = (gamma[l] * f64::from(inv_std[c0 + l])) as f32;
        }
    }
}

/// Computes grad_input = γ·inv_std·(g − grad_beta/m − x̂·grad_gamma/m), with m elements per
/// channel.
///
/// The two subtracted terms are the paths through the mean and through the variance.
///
/// **Shapes**: x, grad_output and grad_input as in `v`, all others `[channels]`.
#[allow(clippy::too_many_arguments)] // the formula has this many letters
pub fn backward_input(
    v: &ChannelView,
    x: &[f32],
    grad_output: &[f32],
    mean: &[f32],
    inv_std: &[f32],
    gamma: &[f32],
    grad_gamma: &[f32],
    grad_beta: &[f32],
    grad_input: &mut [f32],
) {
    if v.inner != 1 || v.is_empty() {
        return naive::backward_input(
            v, x, grad_output, mean, inv_std, gamma, grad_gamma, grad_beta, grad_input,
        );
    }
    let (c, m) = (v.channels, v.outer as f32);
    let mut factors = scratch::take(3 * c);
    let (scale, rest) = factors.split_at_mut(c);
    let (through_mean, through_var) = rest.split_at_mut(c);
    for i in 0..c {
        scale[i] = gamma[i] * inv_std[i];
        through_mean[i] = grad_beta[i] / m;
        through_var[i] = inv_std[i] * grad_gamma[i] / m;
    }
    let (scale, through_mean, through_var) = (&*scale, &*through_mean, &*through_var);
    grad_input.par_chunks_mut(BLOCK_ROWS * c).enumerate().for_each(|(block, grad_input)| {
        let (x, g) = (block_of(x, block, c), block_of(grad_output, block, c));
        for ((out, x), g) in grad_input.chunks_mut(c).zip(x.chunks(c)).zip(g.chunks(c)) {
            let (scale, mean) = (&scale[..c], &mean[..c]);
            let (through_mean, through_var) = (&through_mean[..c], &through_var[..c]);
            for i in 0..c {
                let centred = (x[i] - mean[i]) * through_var[i];
                out[i] = scale[i] * (g[i] - through_mean[i] - centred);
            }
        }
    });
}
