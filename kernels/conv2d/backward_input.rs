//! Gradient of a convolution with respect to its input.

use super::direct::correlate;
use super::weights::{WeightShape, pack_mirrored};
use crate::arch::{BlockMut, Lhs, MAX_MR, micro_kernel};
use crate::im2col::col2im;
use crate::pack::{KC, transpose};
use crate::parallel::parallel_chunks;
use crate::{Conv2dGeometry, scratch};

/// grad_input = the adjoint of x ↦ conv(x, w) applied to `grad_output`.
///
/// **Shapes**: grad_output `[n, h_out, w_out, c_out]`, w `[c_out, c_in/groups, k_h, k_w]`,
/// grad_input `[n, h_in, w_in, c_in]`.
///
/// # Panics
/// When a slice does not have the length of its shape.
pub fn backward_input(g: &Conv2dGeometry, grad_output: &[f32], w: &[f32], grad_input: &mut [f32]) {
    assert!(w.len() == g.weight_len());
    assert!(grad_output.len() == g.output_len() && grad_input.len() == g.input_len());
    if grad_input.is_empty() {
        return;
    }
    match mirrored(g) {
        Some(m) if g.c_in / g.groups > FEW_CHANNELS => {
            correlate(&m, grad_output, None, grad_input, |shape, group, nr, packed| {
                let len = w.len() / g.groups;
                pack_mirrored(shape, &w[group * len..][..len], nr, packed);
            });
        }
        _ => by_columns(g, grad_output, w, grad_input),
    }
}

/// Up to here the taps together fill the columns of a tile better than the channels alone.
const FEW_CHANNELS: usize = 4;

/// The convolution that computes the gradient of the input from the gradient of the output:
/// channels exchanged, weights mirrored, padding d·(k − 1) − p. Exists for stride 1 and padding
/// up to that.
fn mirrored(g: &Conv2dGeometry) -> Option<Conv2dGeometry> {
    if g.stride != [1, 1] || g.output_len() == 0 {
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

/// Gradient rows of the im2col matrix at a time.
const PIXELS: usize = 96;

/// Any stride and padding: cols\[pixels, taps·c\] = grad_output\[pixels, o\]·w\[o, taps·c\], then
/// the adjoint of im2col. One task per image, so every sum has its order.
fn by_columns(g: &Conv2dGeometry, grad_output: &[f32], w: &[f32], grad_input: &mut [f32]) {
    let kernel = micro_kernel();
    let (c, o, taps) = (g.c_in / g.groups, g.c_out / g.groups, g.k_h * g.k_w);
    // The matrix [o, taps·c]: one tap that sums over o and produces taps·c channels.
    let shape = WeightShape { taps: 1, c: o, o: taps * c };
    let mut packed = scratch::take(shape.packed_len(kernel.nr));
    grad_input.fill(0.0);
    if grad_output.is_empty() {
        return;
    }
    let rows = (PIXELS / g.w_out).clamp(1, g.h_out);
    let image_out = g.h_out * g.w_out * g.c_out;
    for group in 0..g.groups {
        pack_tap_major(&shape, [taps, c], &w[group * o * c * taps..], kernel.nr, &mut packed);
        parallel_chunks(grad_input, g.h_in * g.w_in * g.c_in, |n, image| {
            let mut cols = scratch::take(rows * g.w_out * shape.o);
            for i in (0..g.h_out).step_by(rows) {
                let m = rows.min(g.h_out - i) * g.w_out;
                let first = n * image_out + i * g.w_out * g.c_out + group * o;
                let mut block = BlockMut::new(&mut cols, m, shape.o, shape.o);
                if o == 0 {
                    (0..m).for_each(|i| block.row_mut(i).fill(0.0));
                }
                for o0 in (0..o).step_by(KC) {
                    for j in (0..shape.o).step_by(kernel.nr) {
                        let panel = shape.panel(&packed, kernel.nr, o0, j);
                        for ir in (0..m).step_by(kernel.mr) {
                            let row = |i: usize| first + o0 + (ir + i).min(m - 1) * g.c_out;
                            let rows: [usize; MAX_MR] = std::array::from_fn(row);
                            let lhs = Lhs {
                                data: grad_output,
                                rows: &rows,
                                segments: &[0],
                                k: KC.min(o - o0),
                                step: 1,
                            };
                            let mut tile = block.tile(ir, j, kernel.mr, kernel.nr);
                            kernel.run(&lhs, panel, &mut tile, o0 > 0);
                        }
                    }
                }
                col2im(g, &cols[..m * shape.o], i..i + m / g.w_out, [group * c, c], image);
            }
        });
    }
}

/// Packs w\[o\]\[c\]\[tap\] as the matrix `[o, tap·c]` in panels of nr columns.
fn pack_tap_major(
    s: &WeightShape,
    [taps, c]: [usize; 2],
    w: &[f32],
    nr: usize,
    packed: &mut [f32],
) {
    let mut row = scratch::take(taps * c);
    for o in 0..s.c {
        transpose(&w[o * c * taps..], taps, [c, taps], &mut row, |t| t * c);
        let (run, k) = (o / KC * KC, o % KC);
        let kc = KC.min(s.c - run);
        for (j, part) in row.chunks(nr).enumerate() {
            let at = run * s.o.next_multiple_of(nr) + (j * kc + k) * nr;
            packed[at..at + part.len()].copy_from_slice(part);
            packed[at + part.len()..at + nr].fill(0.0);
        }
    }
}
