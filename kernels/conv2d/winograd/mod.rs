//! Winograd convolution (Lavin and Gray 2016): 3×3 filters with stride 1, with fewer products.
//!
//! Outputs are computed in tiles of M × M. A tile reads a patch d of A × A pixels, A = M + 2, and
//!
//! ```text
//! y = Aᵀ[ Σ_c (G·g·Gᵀ) ⊙ (Bᵀ·d·B) ]A
//! ```
//!
//! takes A² products per channel where the definition takes 9·M²: 2.25 times fewer for M = 2, 3.24 times
//! for M = 3, four times for M = 4. The sum over channels for one of the A² places is a matrix product over
//! tiles, channels and filters, and that is where the time goes.
//!
//! The gradient of the input is a convolution with mirrored filters, so it is the same code. The
//! gradient of the filters is the adjoint of each step in turn; see `backward_weight`.
//!
//! # Error
//! The transforms add and subtract before they multiply, so rounding errors grow with the numbers
//! in them. Measured against f64 on a layer of 128 channels (normal weights, rectified normal
//! inputs), relative to the standard deviation of the result:
//!
//! | | forward, rms | forward, largest | grad_weight, rms | grad_weight, largest |
//! |---|---|---|---|---|
//! | direct, f32 | 1.6e-7 | 8e-7 | | |
//! | F(2×2) at 0, ±1, ∞ | 3.2e-7 | 1.5e-6 | 2.3e-7 | 1.3e-6 |
//! | F(3×3) at 0, ±1, 2, ∞ | 1.0e-6 | 8.0e-6 | 7.5e-7 | 9.1e-6 |
//! | **F(3×3) at 0, ½, −1, 2, ∞** (used) | 6.7e-7 | 4.9e-6 | 4.9e-7 | 3.5e-6 |
//! | F(4×4) at 0, ±1, ±2, ∞ (Lavin and Gray) | 1.8e-6 | 2.5e-5 | 1.5e-6 | 1.7e-5 |
//! | F(4×4) at 0, ±1, ½, −2, ∞ | 1.2e-6 | 1.4e-5 | 9.7e-7 | 9.8e-6 |
//! | **F(4×4) at 0, ±1/√2, ±√2, ∞** (used) | 8.7e-7 | 6.2e-6 | 7.0e-7 | 3.8e-6 |
//!
//! `benches/winograd_error.py` repeats the table. The points in use cost F(4×4) five times the
//! rounding error of the definition.
//!
//! **Bound**, tested: no element is further from the exact one than 10⁻⁵·S for M = 3 and 4 and 3·10⁻⁶·S
//! for M = 2, where S is the largest over all elements of the sum of its products' magnitudes, Σ|x·w|. On
//! small integers M = 2 is exact.

mod backward_weight;
mod forward;
mod tiles;
mod transform;
mod variant;

use super::backward_input::mirrored;
use super::epilogue::{Epilogue, Target};
use super::filters::Filters;
use crate::Conv2dGeometry;
use crate::arch::{AlignedBuffer, MicroKernel};
use variant::{F2, F3, F4};

/// Outputs on the side of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TileSize {
    /// F(2×2, 3×3).
    Two,
    /// F(3×3, 3×3).
    Three,
    /// F(4×4, 3×3).
    Four,
}

impl TileSize {
    /// M, the outputs on its side.
    pub fn outputs(self) -> usize {
        match self {
            TileSize::Two => 2,
            TileSize::Three => 3,
            TileSize::Four => 4,
        }
    }
    /// Whether tiles begin at even pixels, as windows of 2 × 2 do, so that outputs can be pooled while
    /// they are written.
    pub(crate) fn pools(self) -> bool {
        self.outputs().is_multiple_of(2)
    }
}

/// The tile that takes the fewest products for these outputs: 16 for each 2 × 2 against 25 for each
/// 3 × 3 and 36 for each 4 × 4, edges counted whole. Among equals the smaller: its error is smaller, too.
pub fn tile_size(g: &Conv2dGeometry) -> TileSize {
    let fewest = |a, b| if macs_per_filter(b, g) < macs_per_filter(a, g) { b } else { a };
    fewest(fewest(TileSize::Two, TileSize::Three), TileSize::Four)
}

/// Multiply-accumulates that any of the three passes executes, transforms not counted.
pub fn macs(size: TileSize, g: &Conv2dGeometry) -> usize {
    g.n * macs_per_filter(size, g) * g.c_in * g.c_out
}

/// Those of one image, input channel and filter: A² for each tile.
fn macs_per_filter(size: TileSize, g: &Conv2dGeometry) -> usize {
    let m = size.outputs();
    g.h_out.div_ceil(m) * g.w_out.div_ceil(m) * (m + 2) * (m + 2)
}

/// y = conv(x, w) + bias; shapes as [`crate::conv2d::forward`], `g` 3×3, stride 1, one group.
///
/// # Panics
/// Another `g`, or a slice that does not have the length of its shape.
pub fn forward(
    size: TileSize,
    g: &Conv2dGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
) {
    assert!(w.len() == g.weight_len() && bias.is_none_or(|b| b.len() == g.c_out));
    let after = Epilogue { bias, ..Epilogue::default() };
    correlate(size, g, x, &Filters::forward(g, w, 0), after, y.into());
}

/// The filters of `g` transformed for the micro-kernel, for [`forward_transformed`].
pub(crate) fn transform(
    kernel: &MicroKernel,
    size: TileSize,
    g: &Conv2dGeometry,
    w: &[f32],
) -> AlignedBuffer {
    let filters = Filters::forward(g, w, 0);
    let len = match size {
        TileSize::Two => forward::transformed_len::<4>(&filters, kernel),
        TileSize::Three => forward::transformed_len::<5>(&filters, kernel),
        TileSize::Four => forward::transformed_len::<6>(&filters, kernel),
    };
    let mut u = AlignedBuffer::zeroed(len);
    match size {
        TileSize::Two => forward::transform_filters::<F2, 2, 4>(&filters, kernel, &mut u[..len]),
        TileSize::Three => forward::transform_filters::<F3, 3, 5>(&filters, kernel, &mut u[..len]),
        TileSize::Four => forward::transform_filters::<F4, 4, 6>(&filters, kernel, &mut u[..len]),
    }
    u
}

/// [`forward`] with filters that [`transform`] has made, and what comes after.
pub(crate) fn forward_transformed(
    kernel: &MicroKernel,
    size: TileSize,
    g: &Conv2dGeometry,
    x: &[f32],
    u: &[f32],
    after: Epilogue,
    y: &mut [f32],
) {
    let y = y.into();
    match size {
        TileSize::Two => forward::correlate_transformed::<F2, 2, 4>(kernel, g, x, u, after, y),
        TileSize::Three => forward::correlate_transformed::<F3, 3, 5>(kernel, g, x, u, after, y),
        TileSize::Four => forward::correlate_transformed::<F4, 4, 6>(kernel, g, x, u, after, y),
    }
}

/// Gradient of the input; shapes as [`crate::conv2d::backward_input`], `g` 3×3, stride 1, padding
/// at most 2, one group.
///
/// # Panics
/// Another `g`, or a slice that does not have the length of its shape.
pub fn backward_input(
    size: TileSize,
    g: &Conv2dGeometry,
    grad_output: &[f32],
    w: &[f32],
    grad_input: &mut [f32],
) {
    assert!(w.len() == g.weight_len());
    let Some(mirrored) = mirrored(g) else { panic!("not a Winograd convolution: {g:?}") };
    let (filters, after) = (Filters::mirrored(g, w, 0), Epilogue::default());
    correlate(size, &mirrored, grad_output, &filters, after, grad_input.into());
}

/// The convolution of `x` with these filters.
pub(crate) fn correlate(
    size: TileSize,
    g: &Conv2dGeometry,
    x: &[f32],
    filters: &Filters,
    after: Epilogue,
    target: Target,
) {
    match size {
        TileSize::Two => forward::correlate::<F2, 2, 4>(g, x, filters, after, target),
        TileSize::Three => forward::correlate::<F3, 3, 5>(g, x, filters, after, target),
        TileSize::Four => forward::correlate::<F4, 4, 6>(g, x, filters, after, target),
    }
}

/// Gradient of the weights; shapes as [`crate::conv2d::backward_weight`], `g` 3×3, stride 1, one
/// group.
///
/// # Panics
/// Another `g`, or a slice that does not have the length of its shape.
pub fn backward_weight(
    size: TileSize,
    g: &Conv2dGeometry,
    x: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) {
    match size {
        TileSize::Two => {
            backward_weight::backward_weight::<F2, 2, 4>(g, x, grad_output, grad_weight);
        }
        TileSize::Three => {
            backward_weight::backward_weight::<F3, 3, 5>(g, x, grad_output, grad_weight);
        }
        TileSize::Four => {
            backward_weight::backward_weight::<F4, 4, 6>(g, x, grad_output, grad_weight);
        }
    }
}
