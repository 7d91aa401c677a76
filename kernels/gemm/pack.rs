//! Packing: copying blocks of an operand into the order in which a micro-kernel reads them.

use wide::f32x8;

/// Terms of a sum that one call of a micro-kernel adds: a panel of B (KC × nr) stays in L1.
pub const KC: usize = 256;

/// Returns the terms in one run of a sum of `k` terms: at most KC, in runs of about equal length. A
/// short last run would load and store C as often as a long one.
pub fn run_length(k: usize) -> usize {
    k.div_ceil(k.div_ceil(KC).max(1)).max(1)
}

/// Transposes `src` (`rows` × `cols`, rows `stride` apart): element (r, c) goes to
/// `dst[at(c) + r]`.
///
/// `at` is called for each column, so a permutation of the columns costs nothing extra.
pub fn transpose(
    src: &[f32],
    stride: usize,
    [rows, cols]: [usize; 2],
    dst: &mut [f32],
    at: impl Fn(usize) -> usize,
) {
    let (whole_rows, whole_cols) = (rows / 8 * 8, cols / 8 * 8);
    for r in (0..whole_rows).step_by(8) {
        for c in (0..whole_cols).step_by(8) {
            let block = std::array::from_fn(|i| load(&src[(r + i) * stride + c..]));
            for (i, column) in f32x8::transpose(block).iter().enumerate() {
                dst[at(c + i) + r..][..8].copy_from_slice(&column.to_array());
            }
        }
        for c in whole_cols..cols {
            let to = at(c) + r;
            for (i, d) in dst[to..to + 8].iter_mut().enumerate() {
                *d = src[(r + i) * stride + c];
            }
        }
    }
    for r in whole_rows..rows {
        for c in 0..cols {
            dst[at(c) + r] = src[r * stride + c];
        }
    }
}

/// Loads the first eight elements of a slice.
#[inline]
fn load(x: &[f32]) -> f32x8 {
    let mut lanes = [0.0; 8];
    lanes.copy_from_slice(&x[..8]);
    f32x8::new(lanes)
}

/// Copies `rows` rows of `cols` elements, `stride` apart, to rows of `width` elements, padded with
/// zeros.
pub fn copy_rows(
    src: &[f32],
    stride: usize,
    [rows, cols]: [usize; 2],
    dst: &mut [f32],
    width: usize,
) {
    for r in 0..rows {
        let dst = &mut dst[r * width..][..width];
        dst[..cols].copy_from_slice(&src[r * stride..][..cols]);
        dst[cols..].fill(0.0);
    }
}
