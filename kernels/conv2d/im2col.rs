//! The im2col matrix written out, and its adjoint.
//!
//! Row (n, i, j) of the matrix holds the window at output pixel (i, j) of image n: `[k_h, k_w, c]`
//! values, zeros outside the image. A convolution is then a matrix product with the weights. The
//! matrix is k_h·k_w times larger than the image, so the fast kernels read the image in its place.
//!
//! # Why col2im is an adjoint and no inverse
//!
//! In one dimension, an image of three pixels and windows of two:
//!
//! ```text
//! image (1, 2, 3)   →  im2col:  (1, 2)     the 2 is copied twice
//!                               (2, 3)
//! cols              →  col2im:  (1, 2 + 2, 3) = (1, 4, 3)     every copy comes home, and copies add up
//! ```
//!
//! An inverse would give back (1, 2, 3). col2im(im2col(x)) = C·x with the matrix of counts C = diag(1, 2, 1): how
//! many windows read each pixel. For windows of 3×3 with padding 1 the counts are 9 inside, 6 at an edge and 4 in a
//! corner. Dividing by the counts would be an inverse, and a wrong gradient: a pixel that nine windows read
//! moves nine outputs, and its gradient is the sum of nine.
//!
//! As matrices: im2col is a matrix M of zeros and ones with one 1 per row (which pixel does this copy come from?).
//! Its transpose has one 1 per column (where does this gradient go?), and that is col2im: ⟨M·x, u⟩ = ⟨x, Mᵀ·u⟩.
//! C = MᵀM.

use crate::arch::SimdLevel;
use crate::gemm::gemm;
use crate::{Conv2dGeometry, GemmGeometry, Transpose, scratch};

/// Calls `visit(offset in cols, offset in the image)` for each run of `count` channels inside the
/// image.
///
/// `rows` are output rows of one image.
fn for_each_pixel(
    g: &Conv2dGeometry,
    rows: std::ops::Range<usize>,
    count: usize,
    mut visit: impl FnMut(usize, usize),
) {
    let first = rows.start;
    for i in rows {
        for j in 0..g.w_out {
            let pixel = (i - first) * g.w_out + j;
            for u in 0..g.k_h {
                let Some(r) = g.row(i, u) else { continue };
                for v in 0..g.k_w {
                    let Some(s) = g.col(j, v) else { continue };
                    let tap = u * g.k_w + v;
                    visit((pixel * g.k_h * g.k_w + tap) * count, (r * g.w_in + s) * g.c_in);
                }
            }
        }
    }
}

/// Writes the im2col matrix for the output rows `rows` of one image, channels
/// `first..first + count`.
///
/// **Shapes**: image `[h_in, w_in, c_in]`, cols `[rows · w_out, k_h · k_w · count]`.
pub fn im2col(
    g: &Conv2dGeometry,
    image: &[f32],
    rows: std::ops::Range<usize>,
    [first, count]: [usize; 2],
    cols: &mut [f32],
) {
    cols.fill(0.0);
    for_each_pixel(g, rows, count, |col, x| {
        cols[col..col + count].copy_from_slice(&image[x + first..][..count]);
    });
}

/// Adds every element of `cols` to the pixel that [`im2col`] copies it from: the adjoint of im2col.
///
/// **Shapes**: as [`im2col`]. **Source**: PyTorch's `fold`, channels last.
pub fn col2im(
    g: &Conv2dGeometry,
    cols: &[f32],
    rows: std::ops::Range<usize>,
    [first, count]: [usize; 2],
    image: &mut [f32],
) {
    for_each_pixel(g, rows, count, |col, x| {
        for (x, &v) in image[x + first..][..count].iter_mut().zip(&cols[col..]) {
            *x += v;
        }
    });
}

/// Calls `f(image, group)` for every image of the batch and every group of channels.
fn for_each_image_and_group(g: &Conv2dGeometry, mut f: impl FnMut(usize, usize)) {
    (0..g.n).for_each(|n| (0..g.groups).for_each(|group| f(n, group)));
}

/// Returns the sizes of one group: input channels, output channels, columns of the im2col matrix,
/// output pixels.
fn group_sizes(g: &Conv2dGeometry) -> [usize; 4] {
    let c = g.c_in / g.groups;
    [c, g.c_out / g.groups, g.k_h * g.k_w * c, g.h_out * g.w_out]
}

/// Copies the filters of a group as `[o, k_h · k_w · c]`, the order of the matrix's columns.
fn tap_major(g: &Conv2dGeometry, w: &[f32], group: usize, out: &mut [f32]) {
    let [c, o, k, _] = group_sizes(g);
    let taps = g.k_h * g.k_w;
    for (i, out) in out[..o * k].iter_mut().enumerate() {
        let (o_i, tap, c_i) = (i / k, i % k / c, i % c);
        *out = w[((group * o + o_i) * c + c_i) * taps + tap];
    }
}

/// Computes y = conv(x, w) + bias: y\[pixels, o\] = cols\[pixels, k\]·w\[o, k\]ᵀ for each image.
/// Shapes as [`crate::conv2d::forward`].
pub fn forward(
    simd: SimdLevel,
    g: &Conv2dGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
) {
    let [c, o, k, pixels] = group_sizes(g);
    let image = g.h_in * g.w_in * g.c_in;
    let mut filters = scratch::take(o * k);
    let mut cols = scratch::take(pixels * k);
    let mut product = scratch::take(pixels * o);
    let shape =
        GemmGeometry { m: pixels, n: o, k, trans_a: Transpose::No, trans_b: Transpose::Yes };
    for_each_image_and_group(g, |n, group| {
        tap_major(g, w, group, &mut filters);
        let x = &x[n * image..][..image];
        im2col(g, x, 0..g.h_out, [group * c, c], &mut cols);
        gemm(simd, &shape, &cols, &filters, &mut product, false);
        let rows = y[n * pixels * g.c_out..].chunks_mut(g.c_out.max(1));
        for (y, product) in rows.zip(product.chunks(o.max(1))) {
            for (i, &p) in product.iter().enumerate() {
                let o_i = group * o + i;
                y[o_i] = p + bias.map_or(0.0, |b| b[o_i]);
            }
        }
    });
}

/// Computes the gradient of the input: cols\[pixels, k\] = grad_output\[pixels, o\]·w\[o, k\], then
/// the adjoint of [`im2col`]. Shapes as [`crate::conv2d::backward_input`].
pub fn backward_input(
    simd: SimdLevel,
    g: &Conv2dGeometry,
    grad_output: &[f32],
    w: &[f32],
    grad_input: &mut [f32],
) {
    let [c, o, k, pixels] = group_sizes(g);
    let image = g.h_in * g.w_in * g.c_in;
    let mut filters = scratch::take(o * k);
    let mut cols = scratch::take(pixels * k);
    let mut grad = scratch::take(pixels * o);
    let shape =
        GemmGeometry { m: pixels, n: k, k: o, trans_a: Transpose::No, trans_b: Transpose::No };
    grad_input.fill(0.0);
    for_each_image_and_group(g, |n, group| {
        tap_major(g, w, group, &mut filters);
        group_of_output(g, grad_output, n, group, &mut grad);
        gemm(simd, &shape, &grad, &filters, &mut cols, false);
        let grad_input = &mut grad_input[n * image..][..image];
        col2im(g, &cols, 0..g.h_out, [group * c, c], grad_input);
    });
}

/// Computes the gradient of the weights: w\[o, k\] += grad_output\[pixels, o\]ᵀ·cols\[pixels, k\],
/// image by image. Shapes as [`crate::conv2d::backward_weight`].
pub fn backward_weight(
    simd: SimdLevel,
    g: &Conv2dGeometry,
    x: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) {
    let [c, o, k, pixels] = group_sizes(g);
    let image = g.h_in * g.w_in * g.c_in;
    let mut filters = scratch::take(g.groups * o * k);
    let mut cols = scratch::take(pixels * k);
    let mut grad = scratch::take(pixels * o);
    let shape =
        GemmGeometry { m: o, n: k, k: pixels, trans_a: Transpose::Yes, trans_b: Transpose::No };
    filters.fill(0.0);
    for_each_image_and_group(g, |n, group| {
        im2col(g, &x[n * image..][..image], 0..g.h_out, [group * c, c], &mut cols);
        group_of_output(g, grad_output, n, group, &mut grad);
        gemm(simd, &shape, &grad, &cols, &mut filters[group * o * k..], true);
    });
    let taps = g.k_h * g.k_w;
    for (i, grad) in grad_weight.iter_mut().enumerate() {
        let (o_all, c_i, tap) = (i / k, i % k / taps, i % taps);
        *grad = filters[o_all * k + tap * c + c_i];
    }
}

/// Copies one group's output channels of image `n`, `[pixels, o]`.
fn group_of_output(g: &Conv2dGeometry, y: &[f32], n: usize, group: usize, out: &mut [f32]) {
    let [_, o, _, pixels] = group_sizes(g);
    let rows = y[n * pixels * g.c_out..].chunks(g.c_out.max(1));
    for (out, y) in out.chunks_mut(o.max(1)).zip(rows) {
        out.copy_from_slice(&y[group * o..][..o]);
    }
}
