//! Batch normalisation (Ioffe and Szegedy 2015), channel by channel.
//!
//! x̂ = (x − mean)·inv_std, y = γ·x̂ + β, inv_std = 1/√(var + eps), over the m elements of a
//! channel.

use crate::{ChannelView, Scalar};

/// Returns the indices of channel `c`.
fn channel(v: &ChannelView, c: usize) -> impl Iterator<Item = usize> + use<> {
    let v = *v;
    (0..v.outer).flat_map(move |o| {
        let start = (o * v.channels + c) * v.inner;
        start..start + v.inner
    })
}

/// Computes mean = Σx/m and var = Σ(x − mean)²/m.
pub fn statistics<T: Scalar>(v: &ChannelView, x: &[T], mean: &mut [T], var: &mut [T]) {
    let m = T::from_f64(v.per_channel() as f64);
    for c in 0..v.channels {
        let mut sum = T::ZERO;
        for i in channel(v, c) {
            sum += x[i];
        }
        mean[c] = sum / m;
        let mut squares = T::ZERO;
        for i in channel(v, c) {
            squares += (x[i] - mean[c]) * (x[i] - mean[c]);
        }
        var[c] = squares / m;
    }
}

/// Computes y = x · scale\[c\] + shift\[c\].
pub fn channel_affine<T: Scalar>(v: &ChannelView, x: &[T], scale: &[T], shift: &[T], y: &mut [T]) {
    for c in 0..v.channels {
        for i in channel(v, c) {
            y[i] = x[i] * scale[c] + shift[c];
        }
    }
}

/// Computes grad_beta = Σ g and grad_gamma = Σ g·x̂.
pub fn backward_reduce<T: Scalar>(
    v: &ChannelView,
    x: &[T],
    grad_output: &[T],
    mean: &[T],
    inv_std: &[T],
    grad_gamma: &mut [T],
    grad_beta: &mut [T],
) {
    for c in 0..v.channels {
        let (mut gamma, mut beta) = (T::ZERO, T::ZERO);
        for i in channel(v, c) {
            gamma += grad_output[i] * (x[i] - mean[c]) * inv_std[c];
            beta += grad_output[i];
        }
        grad_gamma[c] = gamma;
        grad_beta[c] = beta;
    }
}

/// Computes grad_input = γ·inv_std·(g − grad_beta/m − x̂·grad_gamma/m).
///
/// The two subtracted terms are the paths through the mean and through the variance.
#[allow(clippy::too_many_arguments)] // the formula has this many letters
pub fn backward_input<T: Scalar>(
    v: &ChannelView,
    x: &[T],
    grad_output: &[T],
    mean: &[T],
    inv_std: &[T],
    gamma: &[T],
    grad_gamma: &[T],
    grad_beta: &[T],
    grad_input: &mut [T],
) {
    let m = T::from_f64(v.per_channel() as f64);
    for c in 0..v.channels {
        for i in channel(v, c) {
            let x_hat = (x[i] - mean[c]) * inv_std[c];
            grad_input[i] = gamma[c]
                * inv_std[c]
                * (grad_output[i] - grad_beta[c] / m - x_hat * grad_gamma[c] / m);
        }
    }
}
