//! The direct kernels by tile registers (AMX) in bfloat16, for stride 1.
//!
//! The rows of a tile must lie equally far apart. Output pixels do, as long as the border of the image is
//! counted as well: in an image `width` pixels wide with its border, pixel (i, j) has number
//! i·width + j. Products are computed for all numbers, and those of the border are dropped.

use super::input_rows::InputRows;
use crate::Conv2dGeometry;
use crate::arch::{BlockMut, SimdLevel, TILE_SIDE, TileRows, Tiles, halves};

/// Channels of a step of a product.
const STEP: usize = 32;
/// Largest number of channels: the filters of a panel are packed in one run.
const MAX_CHANNELS: usize = 512;
/// Largest number of taps.
const MAX_TAPS: usize = 32;

/// Returns whether tiles compute a convolution in bfloat16 that sums over `c` channels.
pub fn applies(simd: SimdLevel, g: &Conv2dGeometry, c: usize) -> bool {
    simd.has_tiles()
        && g.stride == [1, 1]
        && (STEP..=MAX_CHANNELS).contains(&c)
        && c.is_multiple_of(STEP)
        && g.k_h * g.k_w <= MAX_TAPS
}

/// Computes the output rows from `first` on, `y` `[pixels, o]`, with bias and ReLU. `panel_of` returns the
/// packed filters of the output channels from its argument on, `[tap][c / 2][32]`.
pub fn correlate<'p>(
    tiles: &Tiles,
    (g, c): (&Conv2dGeometry, usize),
    input: &InputRows,
    panel_of: impl Fn(usize) -> &'p [f32],
    first: usize,
    y: &mut BlockMut,
    (bias, relu): (Option<&[f32]>, bool),
) {
    let (pixel, width) = (input.pixel_words(), input.width());
    let mut segments = [0; MAX_TAPS];
    let segments = &mut segments[..g.k_h * g.k_w];
    for (t, segment) in segments.iter_mut().enumerate() {
        *segment = 2 * input.tap_offset(t);
    }
    let mut product = [0.0; TILE_SIDE * TILE_SIDE];
    let last = first + y.rows() / g.w_out;
    for jr in (0..y.cols()).step_by(TILE_SIDE) {
        let (panel, n) = (panel_of(jr), TILE_SIDE.min(y.cols() - jr));
        let mut row = first;
        while row < last {
            let rows = (g.h_out - row % g.h_out).min(last - row); // of one image
            let numbers = (rows - 1) * width + g.w_out;
            let (mut at, mut j) = ((row - first) * g.w_out, 0); // row of y, and pixel of the row
            for v in (0..numbers).step_by(TILE_SIDE) {
                let count = TILE_SIDE.min(numbers - v);
                let height = if count > TILE_SIDE / 2 { TILE_SIDE } else { TILE_SIDE / 2 };
                let a = TileRows {
                    data: halves(input.data()),
                    start: 2 * (input.row_offset(row) + v * pixel),
                    row: 2 * pixel,
                    segments,
                    steps: c / STEP,
                };
                tiles.multiply(&a, panel, &mut product, height, false);
                for sums in product.chunks_exact(TILE_SIDE).take(count) {
                    if j < g.w_out {
                        let bias = bias.map(|bias| &bias[jr..]);
                        store(&mut y.row_mut(at)[jr..jr + n], sums, bias, relu);
                        at += 1;
                    }
                    j = if j + 1 == width { 0 } else { j + 1 };
                }
            }
            row += rows;
        }
    }
}

/// Writes sums, with bias and ReLU. NaN stays.
fn store(y: &mut [f32], sums: &[f32], bias: Option<&[f32]>, relu: bool) {
    let floor = if relu { 0.0 } else { f32::NEG_INFINITY };
    let finished = |sum: f32| if sum < floor { floor } else { sum };
    match bias {
        Some(bias) => {
            for ((y, sum), bias) in y.iter_mut().zip(sums).zip(bias) {
                *y = finished(bias + sum);
            }
        }
        None => y.iter_mut().zip(sums).for_each(|(y, &sum)| *y = finished(sum)),
    }
}
