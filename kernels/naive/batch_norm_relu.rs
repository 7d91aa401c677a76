//! Batch norm, ReLU and max pooling, one after the other.
//!
//! z = γ·(x − mean)·inv_std + β, y = max(0, max over the window of z).

use super::{batch_norm, pool};
use crate::{ChannelView, Normalisation, Pool2dGeometry, Scalar};

/// Returns the channel view of x `[n, c, h, w]`.
fn view(g: &Pool2dGeometry) -> ChannelView {
    ChannelView { outer: g.n, channels: g.c, inner: g.h_in * g.w_in }
}

/// Returns z of every pixel.
fn normalised<T: Scalar>(g: &Pool2dGeometry, norm: &Normalisation<T>, x: &[T]) -> Vec<T> {
    let (scale, shift): (Vec<T>, Vec<T>) = (0..g.c).map(|c| norm.affine(c)).unzip();
    let mut z = vec![T::ZERO; x.len()];
    batch_norm::channel_affine(&view(g), x, &scale, &shift, &mut z);
    z
}

/// Computes y = max(0, max over windows of z). NaN is propagated.
pub fn forward<T: Scalar>(g: &Pool2dGeometry, norm: &Normalisation<T>, x: &[T], y: &mut [T]) {
    let mut argmax = vec![0; y.len()];
    pool::max_forward(g, &normalised(g, norm, x), y, &mut argmax);
    for y in y {
        *y = if *y < T::ZERO { T::ZERO } else { *y };
    }
}

/// Returns the gradient of z: the gradient of y at the argmax of each window where y is positive,
/// else 0.
fn grad_normalised<T: Scalar>(
    g: &Pool2dGeometry,
    norm: &Normalisation<T>,
    x: &[T],
    grad_output: &[T],
) -> Vec<T> {
    let mut y = vec![T::ZERO; grad_output.len()];
    let mut argmax = vec![0; y.len()];
    pool::max_forward(g, &normalised(g, norm, x), &mut y, &mut argmax);
    let positive = |(&g, &y): (&T, &T)| if y > T::ZERO { g } else { T::ZERO };
    let grad: Vec<T> = grad_output.iter().zip(&y).map(positive).collect();
    let mut grad_z = vec![T::ZERO; x.len()];
    pool::max_backward_input(g, &grad, &argmax, &mut grad_z);
    grad_z
}

/// Computes grad_beta = Σ g′ and grad_gamma = Σ g′·x̂, where g′ is the gradient of z.
pub fn backward_reduce<T: Scalar>(
    g: &Pool2dGeometry,
    norm: &Normalisation<T>,
    x: &[T],
    grad_output: &[T],
    grad_gamma: &mut [T],
    grad_beta: &mut [T],
) {
    let grad = grad_normalised(g, norm, x, grad_output);
    let (mean, inv_std) = (norm.mean, norm.inv_std);
    batch_norm::backward_reduce(&view(g), x, &grad, mean, inv_std, grad_gamma, grad_beta);
}

/// Replaces x by its gradient γ·inv_std·(g′ − grad_beta/m − x̂·grad_gamma/m) with the sums
/// `[grad_gamma, grad_beta]`; without them γ·inv_std·g′.
pub fn backward_input<T: Scalar>(
    g: &Pool2dGeometry,
    norm: &Normalisation<T>,
    x: &mut [T],
    grad_output: &[T],
    sums: Option<[&[T]; 2]>,
) {
    let grad = grad_normalised(g, norm, x, grad_output);
    let zero = vec![T::ZERO; g.c];
    let [gamma, beta] = sums.unwrap_or([&zero, &zero]);
    let (v, n, before) = (view(g), norm, x.to_vec());
    batch_norm::backward_input(&v, &before, &grad, n.mean, n.inv_std, n.gamma, gamma, beta, x);
}
