//! Convolution by its definition in seven loops, and its two adjoints.
//!
//! The three functions visit the same products and differ in which factor is the result:
//!
//! ```text
//! forward           y[n,o,i,j] += w[o,c,u,v]  · x[n,c',r,s]
//! backward_input   gx[n,c',r,s] += w[o,c,u,v]  · gy[n,o,i,j]
//! backward_weight  gw[o,c,u,v] += x[n,c',r,s] · gy[n,o,i,j]
//! ```
//!
//! This symmetry is all of the backward pass of a convolution.

use super::batch_norm;
use crate::{ChannelView, Conv2dGeometry, Scalar};

/// Calls `visit(index into x, index into w, index into y)` for every product of the convolution. One weight
/// meets a whole feature map before the next weight does; neighbours in memory are visited together.
#[inline]
fn for_each_product(g: &Conv2dGeometry, mut visit: impl FnMut(usize, usize, usize)) {
    let c_per_group = g.c_in / g.groups;
    let o_per_group = g.c_out / g.groups;
    for n in 0..g.n {
        for o in 0..g.c_out {
            for c in 0..c_per_group {
                let channel = o / o_per_group * c_per_group + c;
                for u in 0..g.k_h {
                    for v in 0..g.k_w {
                        let w = ((o * c_per_group + c) * g.k_h + u) * g.k_w + v;
                        for i in 0..g.h_out {
                            let Some(r) = g.row(i, u) else { continue };
                            let x = ((n * g.c_in + channel) * g.h_in + r) * g.w_in;
                            let y = ((n * g.c_out + o) * g.h_out + i) * g.w_out;
                            for j in 0..g.w_out {
                                let Some(s) = g.col(j, v) else { continue };
                                visit(x + s, w, y + j);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Computes y = conv(x, w) + bias; the formula is on [`Conv2dGeometry`].
pub fn forward<T: Scalar>(g: &Conv2dGeometry, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let plane = g.h_out * g.w_out;
    for (k, y) in y.iter_mut().enumerate() {
        *y = bias.map_or(T::ZERO, |b| b[k / plane % g.c_out]);
    }
    for_each_product(g, |xi, wi, yi| y[yi] += w[wi] * x[xi]);
}

/// Computes [`forward`], then mean and (biased) variance of each channel of y.
pub fn forward_statistics<T: Scalar>(
    g: &Conv2dGeometry,
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
    [mean, var]: [&mut [T]; 2],
) {
    forward(g, x, w, bias, y);
    let v = ChannelView { outer: g.n, channels: g.c_out, inner: g.h_out * g.w_out };
    batch_norm::statistics(&v, y, mean, var);
}

/// Computes grad_input\[…\] = Σ w · grad_output over the products that read that input.
pub fn backward_input<T: Scalar>(
    g: &Conv2dGeometry,
    grad_output: &[T],
    w: &[T],
    grad_input: &mut [T],
) {
    grad_input.fill(T::ZERO);
    for_each_product(g, |xi, wi, yi| grad_input[xi] += w[wi] * grad_output[yi]);
}

/// Computes grad_weight\[…\] = Σ x · grad_output over the products that read that weight.
pub fn backward_weight<T: Scalar>(
    g: &Conv2dGeometry,
    x: &[T],
    grad_output: &[T],
    grad_weight: &mut [T],
) {
    grad_weight.fill(T::ZERO);
    for_each_product(g, |xi, wi, yi| grad_weight[wi] += x[xi] * grad_output[yi]);
}
