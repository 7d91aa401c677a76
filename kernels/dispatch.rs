//! Which implementation an element type uses.

use crate::{
    ChannelView, Conv2dGeometry, GemmGeometry, Layout, Normalisation, Pool2dGeometry, Scalar,
    batch_norm, batch_norm_relu, conv2d, gemm, naive, pool, scale_add_relu,
};

/// The kernels of an element type. Each default is the naive one; `f32` replaces those that
/// matter by fast ones, `f64` keeps them all.
///
/// Images are read and written in [`Kernels::LAYOUT`]. Outputs are overwritten, never
/// accumulated into, unless the name says so.
pub trait Kernels: Scalar {
    /// Order of the axes in which this type's kernels want images.
    const LAYOUT: Layout = Layout::Nchw;

    /// C = op(A)·op(B), or C += op(A)·op(B) with `accumulate`.
    fn gemm(g: &GemmGeometry, a: &[Self], b: &[Self], c: &mut [Self], accumulate: bool) {
        naive::gemm::gemm(g, a, b, c, accumulate);
    }

    /// y = conv(x, w) + bias.
    fn conv2d_forward(
        g: &Conv2dGeometry,
        x: &[Self],
        w: &[Self],
        bias: Option<&[Self]>,
        y: &mut [Self],
    ) {
        naive::conv2d::forward(g, x, w, bias, y);
    }
    /// The same, and mean and biased variance of each channel of y.
    fn conv2d_forward_statistics(
        g: &Conv2dGeometry,
        x: &[Self],
        w: &[Self],
        bias: Option<&[Self]>,
        y: &mut [Self],
        statistics: [&mut [Self]; 2],
    ) {
        naive::conv2d::forward_statistics(g, x, w, bias, y, statistics);
    }
    /// Gradient with respect to x: the adjoint of `x ↦ conv(x, w)` applied to `grad_output`.
    fn conv2d_backward_input(
        g: &Conv2dGeometry,
        grad_output: &[Self],
        w: &[Self],
        grad_input: &mut [Self],
    ) {
        naive::conv2d::backward_input(g, grad_output, w, grad_input);
    }
    /// Gradient with respect to w: the adjoint of `w ↦ conv(x, w)` applied to `grad_output`.
    fn conv2d_backward_weight(
        g: &Conv2dGeometry,
        x: &[Self],
        grad_output: &[Self],
        grad_weight: &mut [Self],
    ) {
        naive::conv2d::backward_weight(g, x, grad_output, grad_weight);
    }

    /// Maximum of each window; `argmax` receives its place as `row · w_in + column`. Among equals
    /// the first in reading order wins.
    fn max_pool2d_forward(g: &Pool2dGeometry, x: &[Self], y: &mut [Self], argmax: &mut [u32]) {
        naive::pool::max_forward(g, x, y, argmax);
    }
    /// Routes each gradient to the place that won.
    fn max_pool2d_backward_input(
        g: &Pool2dGeometry,
        grad_output: &[Self],
        argmax: &[u32],
        grad_input: &mut [Self],
    ) {
        naive::pool::max_backward_input(g, grad_output, argmax, grad_input);
    }
    /// Mean of each window, padding counted as zeros.
    fn avg_pool2d_forward(g: &Pool2dGeometry, x: &[Self], y: &mut [Self]) {
        naive::pool::avg_forward(g, x, y);
    }
    /// Spreads each gradient evenly over its window.
    fn avg_pool2d_backward_input(
        g: &Pool2dGeometry,
        grad_output: &[Self],
        grad_input: &mut [Self],
    ) {
        naive::pool::avg_backward_input(g, grad_output, grad_input);
    }

    /// Mean and biased variance of each channel.
    fn batch_norm_statistics(v: &ChannelView, x: &[Self], mean: &mut [Self], var: &mut [Self]) {
        naive::batch_norm::statistics(v, x, mean, var);
    }
    /// y = x · scale\[c\] + shift\[c\].
    fn channel_affine(v: &ChannelView, x: &[Self], scale: &[Self], shift: &[Self], y: &mut [Self]) {
        naive::batch_norm::channel_affine(v, x, scale, shift, y);
    }
    /// grad_beta = Σ g and grad_gamma = Σ g · x̂, with x̂ = (x − mean)·inv_std, over each channel.
    fn batch_norm_backward_reduce(
        v: &ChannelView,
        x: &[Self],
        grad_output: &[Self],
        mean: &[Self],
        inv_std: &[Self],
        grad_gamma: &mut [Self],
        grad_beta: &mut [Self],
    ) {
        naive::batch_norm::backward_reduce(v, x, grad_output, mean, inv_std, grad_gamma, grad_beta);
    }
    /// y = max(0, max over windows of γ·(x − mean)·inv_std + β).
    fn batch_norm_relu_forward(
        g: &Pool2dGeometry,
        norm: &Normalisation<Self>,
        x: &[Self],
        y: &mut [Self],
    ) {
        naive::batch_norm_relu::forward(g, norm, x, y);
    }
    /// Its gradients with respect to γ and β.
    fn batch_norm_relu_backward_reduce(
        g: &Pool2dGeometry,
        norm: &Normalisation<Self>,
        x: &[Self],
        grad_output: &[Self],
        grad_gamma: &mut [Self],
        grad_beta: &mut [Self],
    ) {
        let (gamma, beta) = (grad_gamma, grad_beta);
        naive::batch_norm_relu::backward_reduce(g, norm, x, grad_output, gamma, beta);
    }
    /// Its gradient with respect to x; `sums` are grad_gamma and grad_beta where mean and variance
    /// came from x itself.
    fn batch_norm_relu_backward_input(
        g: &Pool2dGeometry,
        norm: &Normalisation<Self>,
        x: &[Self],
        grad_output: &[Self],
        sums: Option<[&[Self]; 2]>,
        grad_input: &mut [Self],
    ) {
        naive::batch_norm_relu::backward_input(g, norm, x, grad_output, sums, grad_input);
    }
    /// Gradient with respect to x where mean and variance came from x itself:
    /// γ·inv_std·(g − Σg/m − x̂·Σ(g·x̂)/m), m elements a channel.
    #[allow(clippy::too_many_arguments)] // the formula has this many letters
    fn batch_norm_backward_input(
        v: &ChannelView,
        x: &[Self],
        grad_output: &[Self],
        mean: &[Self],
        inv_std: &[Self],
        gamma: &[Self],
        grad_gamma: &[Self],
        grad_beta: &[Self],
        grad_input: &mut [Self],
    ) {
        naive::batch_norm::backward_input(
            v,
            x,
            grad_output,
            mean,
            inv_std,
            gamma,
            grad_gamma,
            grad_beta,
            grad_input,
        );
    }

    /// y = max(0, a + s·b), s `[n, c]`; `v` has outer = n and inner = pixels.
    fn scale_add_relu(v: &ChannelView, a: &[Self], s: &[Self], b: &[Self], y: &mut [Self]) {
        naive::scale_add_relu::forward(v, a, s, b, y);
    }
    /// Its gradients.
    #[allow(clippy::too_many_arguments)] // three operands and their gradients
    fn scale_add_relu_backward(
        v: &ChannelView,
        y: &[Self],
        s: &[Self],
        b: &[Self],
        grad_output: &[Self],
        grad_a: &mut [Self],
        grad_s: &mut [Self],
        grad_b: &mut [Self],
    ) {
        naive::scale_add_relu::backward(v, y, s, b, grad_output, grad_a, grad_s, grad_b);
    }
}

impl Kernels for f64 {}

impl Kernels for f32 {
    const LAYOUT: Layout = Layout::Nhwc;

    fn gemm(g: &GemmGeometry, a: &[f32], b: &[f32], c: &mut [f32], accumulate: bool) {
        gemm::gemm(g, a, b, c, accumulate);
    }
    fn conv2d_forward(
        g: &Conv2dGeometry,
        x: &[f32],
        w: &[f32],
        bias: Option<&[f32]>,
        y: &mut [f32],
    ) {
        conv2d::forward(g, x, w, bias, y);
    }
    fn conv2d_forward_statistics(
        g: &Conv2dGeometry,
        x: &[f32],
        w: &[f32],
        bias: Option<&[f32]>,
        y: &mut [f32],
        statistics: [&mut [f32]; 2],
    ) {
        conv2d::forward_statistics(g, x, w, bias, y, statistics);
    }
    fn conv2d_backward_input(g: &Conv2dGeometry, gy: &[f32], w: &[f32], gx: &mut [f32]) {
        conv2d::backward_input(g, gy, w, gx);
    }
    fn conv2d_backward_weight(g: &Conv2dGeometry, x: &[f32], gy: &[f32], gw: &mut [f32]) {
        conv2d::backward_weight(g, x, gy, gw);
    }
    fn max_pool2d_forward(g: &Pool2dGeometry, x: &[f32], y: &mut [f32], argmax: &mut [u32]) {
        pool::max_forward(g, x, y, argmax);
    }
    fn max_pool2d_backward_input(g: &Pool2dGeometry, gy: &[f32], argmax: &[u32], gx: &mut [f32]) {
        pool::max_backward_input(g, gy, argmax, gx);
    }
    fn avg_pool2d_forward(g: &Pool2dGeometry, x: &[f32], y: &mut [f32]) {
        pool::avg_forward(g, x, y);
    }
    fn avg_pool2d_backward_input(g: &Pool2dGeometry, gy: &[f32], gx: &mut [f32]) {
        pool::avg_backward_input(g, gy, gx);
    }
    fn batch_norm_statistics(v: &ChannelView, x: &[f32], mean: &mut [f32], var: &mut [f32]) {
        batch_norm::statistics(v, x, mean, var);
    }
    fn channel_affine(v: &ChannelView, x: &[f32], scale: &[f32], shift: &[f32], y: &mut [f32]) {
        batch_norm::channel_affine(v, x, scale, shift, y);
    }
    fn batch_norm_backward_reduce(
        v: &ChannelView,
        x: &[f32],
        gy: &[f32],
        mean: &[f32],
        inv_std: &[f32],
        grad_gamma: &mut [f32],
        grad_beta: &mut [f32],
    ) {
        batch_norm::backward_reduce(v, x, gy, mean, inv_std, grad_gamma, grad_beta);
    }
    fn batch_norm_backward_input(
        v: &ChannelView,
        x: &[f32],
        gy: &[f32],
        mean: &[f32],
        inv_std: &[f32],
        gamma: &[f32],
        grad_gamma: &[f32],
        grad_beta: &[f32],
        gx: &mut [f32],
    ) {
        batch_norm::backward_input(v, x, gy, mean, inv_std, gamma, grad_gamma, grad_beta, gx);
    }
    fn batch_norm_relu_forward(
        g: &Pool2dGeometry,
        norm: &Normalisation<f32>,
        x: &[f32],
        y: &mut [f32],
    ) {
        batch_norm_relu::forward(g, norm, x, y);
    }
    fn batch_norm_relu_backward_reduce(
        g: &Pool2dGeometry,
        norm: &Normalisation<f32>,
        x: &[f32],
        gy: &[f32],
        grad_gamma: &mut [f32],
        grad_beta: &mut [f32],
    ) {
        batch_norm_relu::backward_reduce(g, norm, x, gy, grad_gamma, grad_beta);
    }
    fn batch_norm_relu_backward_input(
        g: &Pool2dGeometry,
        norm: &Normalisation<f32>,
        x: &[f32],
        gy: &[f32],
        sums: Option<[&[f32]; 2]>,
        gx: &mut [f32],
    ) {
        batch_norm_relu::backward_input(g, norm, x, gy, sums, gx);
    }
    fn scale_add_relu(v: &ChannelView, a: &[f32], s: &[f32], b: &[f32], y: &mut [f32]) {
        scale_add_relu::forward(v, a, s, b, y);
    }
    fn scale_add_relu_backward(
        v: &ChannelView,
        y: &[f32],
        s: &[f32],
        b: &[f32],
        gy: &[f32],
        ga: &mut [f32],
        gs: &mut [f32],
        gb: &mut [f32],
    ) {
        scale_add_relu::backward(v, y, s, b, gy, ga, gs, gb);
    }
}
