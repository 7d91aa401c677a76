//! A right operand that serves many products: reordered once where that helps.

use super::gemm;
use super::gemv::{COLUMNS, MAX_ROWS, columns};
use crate::arch::{AlignedBuffer, SimdLevel, halves, halves_mut};
use crate::bf16::{Precision, rounded, to_bf16};
use crate::parallel::parallel_chunks;
use crate::{GemmGeometry, Transpose, elementwise, scratch};
use std::sync::OnceLock;

/// Panels are a multiple of this wide: the widest register.
const WIDTH: usize = 16;

/// The matrix W `[k, n]` of a fully connected layer whose weights do not change.
///
/// For one or two rows the product takes as long as W takes to be read, so it is also kept in
/// panels of 64 columns: each task reads one stretch of memory.
pub struct PreparedMatrix {
    k: usize,
    n: usize,
    weight: Vec<f32>,
    precision: Precision,
    panels: OnceLock<AlignedBuffer>,
}

impl PreparedMatrix {
    /// Takes W `[k, n]`.
    ///
    /// # Panics
    /// When the length is not k·n.
    pub fn new(weight: Vec<f32>, [k, n]: [usize; 2]) -> Self {
        Self::with_precision(weight, [k, n], Precision::F32)
    }

    /// Takes W `[k, n]` for products in this precision: W and x are rounded to it.
    ///
    /// # Panics
    /// When the length is not k·n.
    pub fn with_precision(mut weight: Vec<f32>, [k, n]: [usize; 2], precision: Precision) -> Self {
        assert!(weight.len() == k * n);
        if precision == Precision::Bf16 {
            weight.iter_mut().for_each(|w| *w = rounded(*w));
        }
        Self { k, n, weight, precision, panels: OnceLock::new() }
    }

    /// Returns `[k, n]`.
    pub fn shape(&self) -> [usize; 2] {
        [self.k, self.n]
    }

    /// Computes y = x·W + bias, or its positive part with `relu`. A row of y has the same bits alone
    /// and among others.
    ///
    /// **Shapes**: x `[m, k]`, bias `[n]`, y `[m, n]`.
    ///
    /// # Panics
    /// When a slice does not have the length of its shape.
    pub fn forward(&self, simd: SimdLevel, x: &[f32], bias: &[f32], relu: bool, y: &mut [f32]) {
        let Self { k, n, .. } = *self;
        let m = y.len() / n.max(1);
        assert!(x.len() == m * k && y.len() == m * n && bias.len() == n);
        if m == 0 || n == 0 {
            return;
        }
        let mut x_rounded = None;
        if self.precision == Precision::Bf16 {
            let mut copy = scratch::take(x.len());
            elementwise::unary(x, &mut copy, rounded);
            x_rounded = Some(copy);
        }
        let x = x_rounded.as_deref().unwrap_or(x);
        if m <= MAX_ROWS && k > 0 {
            let (panels, width) = (self.panels(), self.panel_width());
            for (x, y) in x.chunks(k).zip(y.chunks_mut(n)) {
                parallel_chunks(y, width, |j, y| {
                    let mut sums = [0.0; COLUMNS];
                    let sums = &mut sums[..width];
                    match self.precision {
                        Precision::F32 => {
                            columns(simd, x, &panels[j * k * width..], width, sums, false);
                        }
                        Precision::Bf16 => {
                            let panel = &halves(panels)[j * k * width..];
                            columns(simd, x, panel, width, sums, false);
                        }
                    }
                    y.copy_from_slice(&sums[..y.len()]);
                });
            }
        } else {
            let (trans_a, trans_b) = (Transpose::No, Transpose::No);
            let g = GemmGeometry { m, n, k, trans_a, trans_b };
            gemm(simd, &g, x, &self.weight, y, false);
        }
        for y in y.chunks_mut(n) {
            for (y, b) in y.iter_mut().zip(bias) {
                let sum = *y + b;
                *y = if relu && sum < 0.0 { 0.0 } else { sum };
            }
        }
    }

    fn panel_width(&self) -> usize {
        self.n.next_multiple_of(WIDTH).min(COLUMNS)
    }

    /// Returns panels `[k, width]`, the last one with zeros to the right of W.
    fn panels(&self) -> &AlignedBuffer {
        self.panels.get_or_init(|| {
            let (k, n, width) = (self.k, self.n, self.panel_width());
            let len = n.next_multiple_of(width) * k;
            let elements = (0..len).map(|i| {
                let (row, column) = (i / width % k, i / width / k * width + i % width);
                if column < n { self.weight[row * n + column] } else { 0.0 }
            });
            match self.precision {
                Precision::F32 => {
                    let mut panels = AlignedBuffer::zeroed(len);
                    panels.iter_mut().zip(elements).for_each(|(to, x)| *to = x);
                    panels
                }
                Precision::Bf16 => {
                    let mut panels = AlignedBuffer::zeroed(len / 2);
                    halves_mut(&mut panels).iter_mut().zip(elements).for_each(|(to, x)| {
                        *to = to_bf16(x);
                    });
                    panels
                }
            }
        })
    }
}

impl std::fmt::Debug for PreparedMatrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PreparedMatrix({} × {})", self.k, self.n)
    }
}
