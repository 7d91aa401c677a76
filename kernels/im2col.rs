//! The im2col matrix written out, and its adjoint.
//!
//! Row (n, i, j) of the matrix holds what the window at output pixel (i, j) of image n sees:
//! `[k_h, k_w, c]` values, zeros outside the image. A convolution is then the plain product with
//! the weights. The matrix is k_h·k_w times larger than the image, which is why the fast kernels
//! only pretend to have it.

use crate::Conv2dGeometry;

/// Calls `visit(place in the rows, place in x)` for each run of `count` channels inside the image.
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

/// Writes the im2col rows of output rows `rows` of one image, channels `first..first + count`.
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

/// The adjoint: adds every element of `cols` to the pixel that it was copied from.
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
