//! Affine warps of images with bilinear interpolation, and their adjoint.

use crate::{Layout, Scalar};

/// The values outside the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Border {
    /// Zeros.
    Zeros,
    /// The nearest pixel of the edge.
    Edge,
}

/// Sizes of a warp that maps images to images of the same size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarpGeometry {
    /// Images.
    pub n: usize,
    /// Channels.
    pub c: usize,
    /// Height.
    pub h: usize,
    /// Width.
    pub w: usize,
    /// Values outside the image.
    pub border: Border,
    /// Order of the axes.
    pub layout: Layout,
}

/// An affine map from output to input pixels: the matrix \[a, b, c, d, e, f\] maps output (row i,
/// column j) to input row = a·i + b·j + c, column = d·i + e·j + f. Units: pixels.
pub type Affine = [f64; 6];

/// Calls `visit(index into output, index into input, weight)` for the at most 4 neighbours of every
/// pixel.
fn for_each_neighbour<T: Scalar>(
    g: &WarpGeometry,
    matrices: &[Affine],
    mut visit: impl FnMut(usize, usize, T),
) {
    let (pixel, channel) = match g.layout {
        Layout::Nchw => (1, g.h * g.w),
        Layout::Nhwc => (g.c, 1),
    };
    for (n, m) in matrices.iter().enumerate() {
        for i in 0..g.h {
            for j in 0..g.w {
                let (fi, fj) = (i as f64, j as f64);
                let row = m[0] * fi + m[1] * fj + m[2];
                let col = m[3] * fi + m[4] * fj + m[5];
                for (r, wr) in neighbours(row, g.h, g.border) {
                    for (s, ws) in neighbours(col, g.w, g.border) {
                        let weight = T::from_f64(wr * ws);
                        let base = n * g.c * g.h * g.w;
                        for c in 0..g.c {
                            visit(
                                base + (i * g.w + j) * pixel + c * channel,
                                base + (r * g.w + s) * pixel + c * channel,
                                weight,
                            );
                        }
                    }
                }
            }
        }
    }
}

/// Returns the two neighbours of `at` on an axis of `size`, and their weights.
fn neighbours(at: f64, size: usize, border: Border) -> impl Iterator<Item = (usize, f64)> {
    let low = at.floor();
    let t = at - low;
    [(low, 1.0 - t), (low + 1.0, t)].into_iter().filter_map(move |(index, weight)| {
        let last = size as f64 - 1.0;
        let inside = (0.0..=last).contains(&index);
        let index = match border {
            Border::Zeros if !inside => return None,
            _ => index.clamp(0.0, last),
        };
        (weight != 0.0).then_some((index as usize, weight))
    })
}

/// Computes y\[n,c,i,j\] = x\[n,c\] at the position that the matrix gives, interpolated between
/// four neighbours.
pub fn forward<T: Scalar>(g: &WarpGeometry, matrices: &[Affine], x: &[T], y: &mut [T]) {
    y.fill(T::ZERO);
    for_each_neighbour(g, matrices, |out, at, weight: T| y[out] += weight * x[at]);
}

/// Computes the adjoint: adds the gradient of each output pixel to the neighbours that it was read
/// from.
pub fn backward_input<T: Scalar>(
    g: &WarpGeometry,
    matrices: &[Affine],
    grad_output: &[T],
    grad_input: &mut [T],
) {
    grad_input.fill(T::ZERO);
    for_each_neighbour(g, matrices, |out, at, weight: T| {
        grad_input[at] += weight * grad_output[out]
    });
}
