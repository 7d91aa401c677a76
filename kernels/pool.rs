//! Max and average pooling of NHWC images, vectorized over channels.

use crate::Pool2dGeometry;
use crate::arch::{SimdLevel, Vector, Vectorized, vector_offsets, vectorized};
use crate::parallel::parallel_chunks;
use rayon::prelude::*;

/// Returns the offset of pixel (row, column) of image n.
fn pixel(g: &Pool2dGeometry, n: usize, row: usize, column: usize) -> usize {
    ((n * g.h_in + row) * g.w_in + column) * g.c
}

/// Returns whether the windows are 2×2, side by side, without padding.
fn is_halving(g: &Pool2dGeometry) -> bool {
    g.kernel == [2, 2] && g.stride == [2, 2] && g.padding == [0, 0]
}

/// Computes y = max over the window, and `argmax` = row·w_in + column of the first maximum in
/// row-major order. NaN is larger than every number.
///
/// **Shapes**: x `[n, h_in, w_in, c]`, y and argmax `[n, h_out, w_out, c]`.
/// **Source**: `torch.nn.functional.max_pool2d(return_indices=True)`.
pub fn max_forward(g: &Pool2dGeometry, x: &[f32], y: &mut [f32], argmax: &mut [u32]) {
    assert!(x.len() == g.input_len() && y.len() == g.output_len() && argmax.len() == y.len());
    if y.is_empty() {
        return;
    }
    if is_halving(g) {
        return halving_max_forward(g, x, y, argmax);
    }
    let row = g.w_out * g.c;
    y.par_chunks_mut(row).zip(argmax.par_chunks_mut(row)).enumerate().for_each(
        |(r, (y, argmax))| {
            let (n, i) = (r / g.h_out, r % g.h_out);
            let pixels = y.chunks_mut(g.c).zip(argmax.chunks_mut(g.c)).enumerate();
            for (j, (y, argmax)) in pixels {
                y.fill(f32::NEG_INFINITY);
                argmax.fill((g.rows(i).start * g.w_in + g.cols(j).start) as u32);
                for r in g.rows(i) {
                    for c in g.cols(j) {
                        let index = (r * g.w_in + c) as u32;
                        keep_larger(&x[pixel(g, n, r, c)..][..g.c], index, y, argmax);
                    }
                }
            }
        },
    );
}

/// Replaces y and argmax by x and its index where x is larger.
#[inline]
fn keep_larger(x: &[f32], index: u32, y: &mut [f32], argmax: &mut [u32]) {
    for ((&x, y), argmax) in x.iter().zip(y).zip(argmax) {
        (*y, *argmax) = larger((*y, *argmax), (x, index));
    }
}

/// Returns `new`, a value and its index, if it is larger or NaN, else `held`.
#[inline(always)]
fn larger(held: (f32, u32), new: (f32, u32)) -> (f32, u32) {
    let wins = (new.0 > held.0) | new.0.is_nan();
    (if wins { new.0 } else { held.0 }, if wins { new.1 } else { held.1 })
}

/// Computes [`max_forward`] for 2×2 windows side by side, whose four values stay in registers.
fn halving_max_forward(g: &Pool2dGeometry, x: &[f32], y: &mut [f32], argmax: &mut [u32]) {
    let row = g.w_out * g.c;
    y.par_chunks_mut(row).zip(argmax.par_chunks_mut(row)).enumerate().for_each(
        |(r, (y, argmax))| {
            let (n, i) = (r / g.h_out, r % g.h_out);
            let pixels = y.chunks_exact_mut(g.c).zip(argmax.chunks_exact_mut(g.c)).enumerate();
            for (j, (y, argmax)) in pixels {
                let first = (2 * i * g.w_in + 2 * j) as u32;
                let below = first + g.w_in as u32;
                let (upper, lower) =
                    (&x[pixel(g, n, 2 * i, 2 * j)..], &x[pixel(g, n, 2 * i + 1, 2 * j)..]);
                let (a, b) = upper[..2 * g.c].split_at(g.c);
                let (c, d) = lower[..2 * g.c].split_at(g.c);
                for k in 0..g.c {
                    let held = larger((f32::NEG_INFINITY, first), (a[k], first));
                    let held = larger(held, (b[k], first + 1));
                    let held = larger(held, (c[k], below));
                    (y[k], argmax[k]) = larger(held, (d[k], below + 1));
                }
            }
        },
    );
}

/// Computes only y of [`max_forward`], for 2×2 windows side by side.
pub(crate) fn halving_max(simd: SimdLevel, g: &Pool2dGeometry, x: &[f32], y: &mut [f32]) {
    assert!(is_halving(g) && x.len() == g.input_len() && y.len() == g.output_len());
    if y.is_empty() {
        return;
    }
    parallel_chunks(y, g.w_out * g.c, |r, y| {
        let upper = &x[pixel(g, r / g.h_out, r % g.h_out * 2, 0)..];
        vectorized(simd, g.c, HalvingMax { g, upper, y });
    });
}

struct HalvingMax<'a> {
    g: &'a Pool2dGeometry,
    /// Pixels from the upper of two rows on.
    upper: &'a [f32],
    y: &'a mut [f32],
}

impl Vectorized for HalvingMax<'_> {
    #[inline(always)]
    fn run<V: Vector>(self) {
        let (c, below) = (self.g.c, self.g.w_in * self.g.c);
        for (j, y) in self.y.chunks_exact_mut(c).enumerate() {
            for at in vector_offsets::<V>(c) {
                let x = |i| V::load(&self.upper[i + 2 * j * c + at..]);
                let (upper, lower) = (x(0).max(x(c)), x(below).max(x(below + c)));
                upper.max(lower).store(&mut y[at..]);
            }
        }
    }
}

/// Computes grad_input\[argmax\] += grad_output.
///
/// **Shapes**: grad_output and argmax `[n, h_out, w_out, c]`, grad_input `[n, h_in, w_in, c]`.
pub fn max_backward_input(
    g: &Pool2dGeometry,
    grad_output: &[f32],
    argmax: &[u32],
    grad_input: &mut [f32],
) {
    assert!(grad_input.len() == g.input_len() && grad_output.len() == g.output_len());
    assert!(argmax.len() == grad_output.len());
    if is_halving(g) && !grad_output.is_empty() {
        return halving_max_backward_input(g, grad_output, argmax, grad_input);
    }
    let image_out = g.h_out * g.w_out * g.c;
    parallel_chunks(grad_input, g.h_in * g.w_in * g.c, |n, image| {
        image.fill(0.0);
        let out = n * image_out..(n + 1) * image_out;
        for (k, (&grad, &index)) in grad_output[out.clone()].iter().zip(&argmax[out]).enumerate() {
            image[index as usize * g.c + k % g.c] += grad;
        }
    });
}

/// Computes [`max_backward_input`] for 2×2 windows side by side: each pixel is in at most one
/// window, and receives its gradient where the pixel is the argmax.
fn halving_max_backward_input(
    g: &Pool2dGeometry,
    grad_output: &[f32],
    argmax: &[u32],
    grad_input: &mut [f32],
) {
    let row = g.w_in * g.c;
    parallel_chunks(grad_input, row, |r, grad_input| {
        let (n, r) = (r / g.h_in, r % g.h_in);
        if r / 2 >= g.h_out {
            return grad_input.fill(0.0);
        }
        let out = (n * g.h_out + r / 2) * g.w_out * g.c;
        for (c, grad_input) in grad_input.chunks_mut(g.c).enumerate() {
            if c / 2 >= g.w_out {
                grad_input.fill(0.0);
                continue;
            }
            let index = (r * g.w_in + c) as u32;
            let out = out + c / 2 * g.c..out + (c / 2 + 1) * g.c;
            let window = grad_output[out.clone()].iter().zip(&argmax[out]);
            for (x, (&grad, &argmax)) in grad_input.iter_mut().zip(window) {
                *x = if argmax == index { grad } else { 0.0 };
            }
        }
    });
}

/// Computes y = Σ window / (kernel height · kernel width); padding counts as zeros.
///
/// **Shapes**: x `[n, h_in, w_in, c]`, y `[n, h_out, w_out, c]`.
pub fn avg_forward(g: &Pool2dGeometry, x: &[f32], y: &mut [f32]) {
    assert!(x.len() == g.input_len() && y.len() == g.output_len());
    let scale = 1.0 / (g.kernel[0] * g.kernel[1]) as f32;
    parallel_chunks(y, g.w_out * g.c, |r, y| {
        let (n, i) = (r / g.h_out, r % g.h_out);
        for (j, y) in y.chunks_mut(g.c).enumerate() {
            y.fill(0.0);
            for r in g.rows(i) {
                for c in g.cols(j) {
                    for (y, &x) in y.iter_mut().zip(&x[pixel(g, n, r, c)..]) {
                        *y += x;
                    }
                }
            }
            y.iter_mut().for_each(|y| *y *= scale);
        }
    });
}

/// Computes grad_input\[every pixel of the window\] += grad_output / (kernel height · kernel
/// width).
///
/// **Shapes**: grad_output `[n, h_out, w_out, c]`, grad_input `[n, h_in, w_in, c]`.
pub fn avg_backward_input(g: &Pool2dGeometry, grad_output: &[f32], grad_input: &mut [f32]) {
    assert!(grad_input.len() == g.input_len() && grad_output.len() == g.output_len());
    let scale = 1.0 / (g.kernel[0] * g.kernel[1]) as f32;
    parallel_chunks(grad_input, g.h_in * g.w_in * g.c, |n, image| {
        image.fill(0.0);
        for i in 0..g.h_out {
            for j in 0..g.w_out {
                let grad = &grad_output[((n * g.h_out + i) * g.w_out + j) * g.c..][..g.c];
                for r in g.rows(i) {
                    for c in g.cols(j) {
                        for (x, &grad) in image[pixel(g, 0, r, c)..].iter_mut().zip(grad) {
                            *x += grad * scale;
                        }
                    }
                }
            }
        }
    });
}
