//! Max and average pooling, window by window.

use crate::{Pool2dGeometry, Scalar};

/// Calls `visit(plane, output index in the plane, rows, cols)` for every window.
fn for_each_window(
    g: &Pool2dGeometry,
    mut visit: impl FnMut(usize, usize, std::ops::Range<usize>, std::ops::Range<usize>),
) {
    for plane in 0..g.n * g.c {
        for i in 0..g.h_out {
            for j in 0..g.w_out {
                visit(plane, i * g.w_out + j, g.rows(i), g.cols(j));
            }
        }
    }
}

/// Computes y = max over the window, and `argmax` = row · w_in + column of the first maximum in
/// row-major order. NaN is larger than every number, as in PyTorch.
pub fn max_forward<T: Scalar>(g: &Pool2dGeometry, x: &[T], y: &mut [T], argmax: &mut [u32]) {
    let (size_in, size_out) = (g.h_in * g.w_in, g.h_out * g.w_out);
    for_each_window(g, |plane, out, rows, cols| {
        let mut best = T::NEG_INFINITY;
        let mut index = rows.start * g.w_in + cols.start;
        for r in rows {
            for c in cols.clone() {
                let v = x[plane * size_in + r * g.w_in + c];
                if v > best || v.is_nan() {
                    best = v;
                    index = r * g.w_in + c;
                }
            }
        }
        y[plane * size_out + out] = best;
        argmax[plane * size_out + out] = index as u32;
    });
}

/// Computes grad_input\[argmax\] += grad_output.
pub fn max_backward_input<T: Scalar>(
    g: &Pool2dGeometry,
    grad_output: &[T],
    argmax: &[u32],
    grad_input: &mut [T],
) {
    let (size_in, size_out) = (g.h_in * g.w_in, g.h_out * g.w_out);
    grad_input.fill(T::ZERO);
    for (k, &g) in grad_output.iter().enumerate() {
        grad_input[k / size_out * size_in + argmax[k] as usize] += g;
    }
}

/// Computes y = Σ window / (kernel height · kernel width); padding counts as zeros.
pub fn avg_forward<T: Scalar>(g: &Pool2dGeometry, x: &[T], y: &mut [T]) {
    let (size_in, size_out) = (g.h_in * g.w_in, g.h_out * g.w_out);
    let scale = T::from_f64(1.0 / (g.kernel[0] * g.kernel[1]) as f64);
    for_each_window(g, |plane, out, rows, cols| {
        let mut sum = T::ZERO;
        for r in rows {
            for c in cols.clone() {
                sum += x[plane * size_in + r * g.w_in + c];
            }
        }
        y[plane * size_out + out] = sum * scale;
    });
}

/// Computes grad_input\[every pixel of the window\] += grad_output / (kernel height · kernel
/// width).
pub fn avg_backward_input<T: Scalar>(g: &Pool2dGeometry, grad_output: &[T], grad_input: &mut [T]) {
    let (size_in, size_out) = (g.h_in * g.w_in, g.h_out * g.w_out);
    let scale = T::from_f64(1.0 / (g.kernel[0] * g.kernel[1]) as f64);
    grad_input.fill(T::ZERO);
    for_each_window(g, |plane, out, rows, cols| {
        for r in rows {
            for c in cols.clone() {
                grad_input[plane * size_in + r * g.w_in + c] +=
                    grad_output[plane * size_out + out] * scale;
            }
        }
    });
}
