//! The element types, and which kernels each of them uses.

use crate::norm::{batch_norm, batch_norm_relu, scale_add_relu};
use crate::{
    ChannelView, Context, Conv2dGeometry, GemmGeometry, Layout, Normalisation, Pool2dGeometry,
    Precision, Scalar, conv2d, gemm, naive, pool,
};

/// Declares [`Kernels`] and implements it for `f64` and `f32`. Each entry is a signature, the naive
/// kernel, the fast kernel for `f32`, and the fast kernel's first argument if it takes a context. With
/// `[precision]` the method and the naive kernel take a precision first; the fast one has it in its
/// context.
macro_rules! kernels {
    ($($(#[$doc:meta])*
       fn $name:ident $([$precision:ident])? ($($arg:ident: $type:ty),* $(,)?)
       = $naive:path, $fast:path $([$context:expr])?;)*) => {
        /// The kernels of an element type: naive ones for `f64`, fast ones for `f32`, which run in
        /// [`Context::global`].
        ///
        /// Images are read and written in [`Kernels::LAYOUT`]. Outputs are overwritten, unless the
        /// name says that they are accumulated into.
        pub trait Kernels: Scalar {
            /// Memory order of images in this type's kernels.
            const LAYOUT: Layout = Layout::Nchw;
            $($(#[$doc])*
            fn $name($($precision: Precision,)? $($arg: $type),*) {
                $naive($($precision,)? $($arg),*);
            })*
        }
        impl Kernels for f64 {}
        impl Kernels for f32 {
            const LAYOUT: Layout = Layout::Nhwc;
            $(fn $name($($precision: Precision,)? $($arg: $type),*) {
                $fast($($context,)? $($arg),*);
            })*
        }
    };
}

kernels! {
    /// Computes C = op(A)·op(B), or C += op(A)·op(B) with `accumulate`.
    fn gemm [precision] (
        g: &GemmGeometry, a: &[Self], b: &[Self], c: &mut [Self], accumulate: bool,
    ) = naive::precision::gemm, gemm::gemm_in [(Context::global().simd, precision)];

    /// Computes y = conv(x, w) + bias.
    fn conv2d_forward [precision] (
        g: &Conv2dGeometry, x: &[Self], w: &[Self], bias: Option<&[Self]>, y: &mut [Self],
    ) = naive::precision::conv2d_forward, conv2d::forward [Context::global().in_precision(precision)];
    /// Computes y = conv(x, w) + bias, and mean and biased variance of each channel of y.
    fn conv2d_forward_statistics [precision] (
        g: &Conv2dGeometry, x: &[Self], w: &[Self], bias: Option<&[Self]>, y: &mut [Self],
        statistics: [&mut [Self]; 2],
    ) = naive::precision::conv2d_forward_statistics, conv2d::forward_statistics [Context::global().in_precision(precision)];
    /// Computes the gradient with respect to x: the adjoint of `x ↦ conv(x, w)` applied to
    /// `grad_output`.
    fn conv2d_backward_input [precision] (
        g: &Conv2dGeometry, grad_output: &[Self], w: &[Self], grad_input: &mut [Self],
    ) = naive::precision::conv2d_backward_input, conv2d::backward_input [Context::global().in_precision(precision)];
    /// Computes the gradient with respect to w: the adjoint of `w ↦ conv(x, w)` applied to
    /// `grad_output`.
    fn conv2d_backward_weight [precision] (
        g: &Conv2dGeometry, x: &[Self], grad_output: &[Self], grad_weight: &mut [Self],
    ) = naive::precision::conv2d_backward_weight, conv2d::backward_weight [Context::global().in_precision(precision)];

    /// Computes the maximum of each window; `argmax` receives its index `row · w_in + column`. Of
    /// equal values the first in row-major order counts.
    fn max_pool2d_forward(g: &Pool2dGeometry, x: &[Self], y: &mut [Self], argmax: &mut [u32])
        = naive::pool::max_forward, pool::max_forward;
    /// Adds each gradient at its argmax.
    fn max_pool2d_backward_input(
        g: &Pool2dGeometry, grad_output: &[Self], argmax: &[u32], grad_input: &mut [Self],
    ) = naive::pool::max_backward_input, pool::max_backward_input;
    /// Computes the mean of each window, with padding counted as zeros.
    fn avg_pool2d_forward(g: &Pool2dGeometry, x: &[Self], y: &mut [Self])
        = naive::pool::avg_forward, pool::avg_forward;
    /// Distributes each gradient evenly over its window.
    fn avg_pool2d_backward_input(g: &Pool2dGeometry, grad_output: &[Self], grad_input: &mut [Self])
        = naive::pool::avg_backward_input, pool::avg_backward_input;

    /// Computes mean and biased variance of each channel.
    fn batch_norm_statistics(v: &ChannelView, x: &[Self], mean: &mut [Self], var: &mut [Self])
        = naive::batch_norm::statistics, batch_norm::statistics [Context::global().simd];
    /// Computes y = x · scale\[c\] + shift\[c\].
    fn channel_affine(v: &ChannelView, x: &[Self], scale: &[Self], shift: &[Self], y: &mut [Self])
        = naive::batch_norm::channel_affine, batch_norm::channel_affine;
    /// Computes grad_beta = Σ g and grad_gamma = Σ g · x̂ over each channel, with
    /// x̂ = (x − mean)·inv_std.
    fn batch_norm_backward_reduce(
        v: &ChannelView, x: &[Self], grad_output: &[Self], mean: &[Self], inv_std: &[Self],
        grad_gamma: &mut [Self], grad_beta: &mut [Self],
    ) = naive::batch_norm::backward_reduce, batch_norm::backward_reduce;
    /// Computes the gradient with respect to x where mean and variance were computed from x:
    /// γ·inv_std·(g − Σg/m − x̂·Σ(g·x̂)/m), with m elements per channel.
    #[allow(clippy::too_many_arguments)] // the formula has this many letters
    fn batch_norm_backward_input(
        v: &ChannelView, x: &[Self], grad_output: &[Self], mean: &[Self], inv_std: &[Self],
        gamma: &[Self], grad_gamma: &[Self], grad_beta: &[Self], grad_input: &mut [Self],
    ) = naive::batch_norm::backward_input, batch_norm::backward_input;

    /// Computes y = max(0, max over windows of γ·(x − mean)·inv_std + β).
    fn batch_norm_relu_forward(
        g: &Pool2dGeometry, norm: &Normalisation<Self>, x: &[Self], y: &mut [Self],
    ) = naive::batch_norm_relu::forward, batch_norm_relu::forward [Context::global().simd];
    /// Computes its gradients with respect to γ and β.
    fn batch_norm_relu_backward_reduce(
        g: &Pool2dGeometry, norm: &Normalisation<Self>, x: &[Self], grad_output: &[Self],
        grad_gamma: &mut [Self], grad_beta: &mut [Self],
    ) = naive::batch_norm_relu::backward_reduce,
        batch_norm_relu::backward_reduce [Context::global().simd];
    /// Replaces x by its gradient; `sums` are grad_gamma and grad_beta where mean and variance were
    /// computed from x.
    fn batch_norm_relu_backward_input(
        g: &Pool2dGeometry, norm: &Normalisation<Self>, x: &mut [Self], grad_output: &[Self],
        sums: Option<[&[Self]; 2]>,
    ) = naive::batch_norm_relu::backward_input,
        batch_norm_relu::backward_input [Context::global().simd];

    /// Computes y = max(0, a + s·b), s `[n, c]`; `v` has outer = n and inner = pixels.
    fn scale_add_relu(v: &ChannelView, a: &[Self], s: &[Self], b: &[Self], y: &mut [Self])
        = naive::scale_add_relu::forward, scale_add_relu::forward [Context::global().simd];
    /// Computes its gradients.
    #[allow(clippy::too_many_arguments)] // three operands and their gradients
    fn scale_add_relu_backward(
        v: &ChannelView, y: &[Self], s: &[Self], b: &[Self], grad_output: &[Self],
        grad_a: &mut [Self], grad_s: &mut [Self], grad_b: &mut [Self],
    ) = naive::scale_add_relu::backward, scale_add_relu::backward [Context::global().simd];
}
