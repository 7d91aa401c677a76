//! Gradient of a convolution with respect to its input, by direct products.

use super::direct::correlate;
use super::epilogue::Epilogue;
use super::filters::Filters;
use super::im2col::col2im;
use crate::arch::{BlockMut, Lhs, MAX_MR, MicroKernel, SimdLevel, micro_kernel};
use crate::bf16::in_precision;
use crate::gemm::pack::KC;
use crate::parallel::parallel_chunks;
use crate::{Conv2dGeometry, Precision, scratch};

/// Computes grad_input; see [`super::backward_input`].
///
/// In bfloat16, the groups have an even number of output channels. It is a product of pairs where the
/// convolution can be mirrored, else one of rounded f32.
pub fn backward_input(
    (simd, precision): (SimdLevel, Precision),
    g: &Conv2dGeometry,
    grad_output: &[f32],
    w: &[f32],
    grad_input: &mut [f32],
) {
    match mirrored(g) {
        Some(m) if g.c_in / g.groups > FEW_CHANNELS => {
            let (filters, how) = (|group| Filters::mirrored(g, w, group), (simd, precision));
            correlate(how, &m, grad_output, filters, Epilogue::default(), grad_input.into());
        }
        _ => {
            let [grad_output, w] = [grad_output, w].map(|x| in_precision(precision, x));
            by_columns(simd, g, &grad_output, &w, grad_input);
        }
    }
}

/// Up to this many channels, all taps together fill the columns of a tile better than the channels
/// alone.
const FEW_CHANNELS: usize = 4;

/// Returns the convolution that computes the gradient of the input from the gradient of the output:
/// channels exchanged, weights mirrored, padding d·(k − 1) − p. It exists for stride 1 and a
/// padding p of at most d·(k − 1).
pub fn mirrored(g: &Conv2dGeometry) -> Option<Conv2dGeometry> {
    if g.stride != [1, 1] {
        return None;
    }
    let padding = [
        (g.dilation[0] * (g.k_h - 1)).checked_sub(g.padding[0])?,
        (g.dilation[1] * (g.k_w - 1)).checked_sub(g.padding[1])?,
    ];
    Some(Conv2dGeometry {
        c_in: g.c_out,
        c_out: g.c_in,
        h_in: g.h_out,
        w_in: g.w_out,
        h_out: g.h_in,
        w_out: g.w_in,
        padding,
        ..*g
    })
}

/// Rows of the im2col matrix's gradient in one block.
const PIXELS: usize = 96;

/// Computes grad_input for any stride and padding: cols\[pixels, taps·c\] = grad_output\[pixels,
/// o\]·w\[o, taps·c\], then the adjoint of im2col. One task per image, so the order of every sum is
/// fixed.
fn by_columns(
    simd: SimdLevel,
    g: &Conv2dGeometry,
    grad_output: &[f32],
    w: &[f32],
    grad_input: &mut [f32],
) {
    grad_input.fill(0.0);
    if grad_output.is_empty() || grad_input.is_empty() {
        return;
    }
    let kernel = micro_kernel(simd);
    let channels = g.c_in / g.groups;
    let rows = (PIXELS / g.w_out).clamp(1, g.h_out);
    let mut packed = scratch::take(Filters::columns(g, w, 0).packed_len(kernel.nr));
    for group in 0..g.groups {
        let filters = Filters::columns(g, w, group);
        filters.pack(kernel.nr, &mut packed);
        parallel_chunks(grad_input, g.h_in * g.w_in * g.c_in, |n, image| {
            let mut cols = scratch::take(rows * g.w_out * filters.o);
            for i in (0..g.h_out).step_by(rows) {
                let pixels = rows.min(g.h_out - i) * g.w_out;
                let cols = &mut cols[..pixels * filters.o];
                let first = (n * g.h_out + i) * g.w_out * g.c_out + group * filters.c;
                let product = BlockMut::new(cols, pixels, filters.o, filters.o);
                multiply(kernel, &grad_output[first..], g.c_out, &filters, &packed, product);
                let rows = i..i + pixels / g.w_out;
                col2im(g, cols, rows, [group * channels, channels], image);
            }
        });
    }
}

/// Computes product\[pixels, taps·c\] = grad\[pixels, o\]·w, pixels of grad `stride` apart.
fn multiply(
    kernel: &MicroKernel,
    grad: &[f32],
    stride: usize,
    filters: &Filters,
    packed: &[f32],
    mut product: BlockMut,
) {
    let last = product.rows() - 1;
    for o in (0..filters.c).step_by(KC) {
        let k = KC.min(filters.c - o);
        for j in (0..filters.o).step_by(kernel.nr) {
            let panel = filters.panel(packed, kernel.nr, o, j);
            for ir in (0..=last).step_by(kernel.mr) {
                let rows: [usize; MAX_MR] = std::array::from_fn(|i| (ir + i).min(last) * stride);
                let lhs = Lhs { data: grad, rows: &rows, segments: &[o], k, step: 1 };
                kernel.run(&lhs, panel, &mut product.tile(ir, j, kernel.mr, kernel.nr), o > 0);
            }
        }
    }
}
