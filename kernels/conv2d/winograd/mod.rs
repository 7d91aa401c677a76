//! Winograd convolution (Lavin and Gray 2016): 3×3 filters with stride 1, with fewer products.
//!
//! Outputs are computed in tiles of M × M. A tile reads a patch d of A × A pixels, A = M + 2, and
//!
//! ```text
//! y = Aᵀ[ Σ_c (G·g·Gᵀ) ⊙ (Bᵀ·d·B) ]A
//! ```
//!
//! takes A² products per channel where the definition takes 9·M²: 2.25 times fewer for M = 2, 3.24
//! times fewer for M = 3, four times fewer for M = 4. The sum over channels, for each of the A²
//! elements, is a matrix product over tiles, channels and filters. It takes most of the time.
//!
//! The gradient of the input is a convolution with mirrored filters, computed by the same code. The
//! gradient of the filters is the adjoint of each step in reverse order; see `backward_weight`.
//!
//! # Error
//! The transforms add and subtract before they multiply, so rounding errors grow with the
//! coefficients of the transforms. Measured against f64 on a layer of 128 channels (normal weights,
//! rectified normal inputs), relative to the standard deviation of the result:
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
//! `benches/winograd_error.py` computes the table. With the points in use, F(4×4) has about five
//! times the rounding error of the definition.
//!
//! # bfloat16
//! With V and U rounded to bfloat16, and all sums in f32, the same layer has these errors: direct
//! 2.3e-3 (largest 8e-3), F(2×2) 3.7e-3 (1.4e-2), F(3×3) 6.7e-3 (3.1e-2), F(4×4) 9.4e-3 (4.2e-2). So
//! the transforms cost up to four times the error of bfloat16 itself.
//!
//! **Bound**, tested for each of the three passes: the error of an element is at most 10⁻⁵·S for M = 3
//! and 4 and 3·10⁻⁶·S for M = 2, where S is the largest Σ|x·w| over all elements (of the pass's two
//! operands); in bfloat16 it is at most 0.02·S. On small integers M = 2 is exact, also in bfloat16.

mod backward_weight;
mod forward;
mod shares;
mod tiles;
mod transform;
mod variant;

use super::backward_input::mirrored;
use super::epilogue::{Epilogue, Output};
use super::filters::Filters;
use crate::arch::{AlignedBuffer, SimdLevel};
use crate::{Conv2dGeometry, Precision};
use variant::{F2, F3, F4};

/// The side of a tile of outputs.
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
    /// Returns M, the outputs on the side.
    pub fn outputs(self) -> usize {
        match self {
            TileSize::Two => 2,
            TileSize::Three => 3,
            TileSize::Four => 4,
        }
    }
    /// Returns A² = (M + 2)², the products per tile, input channel and filter.
    fn products(self) -> usize {
        (self.outputs() + 2).pow(2)
    }
    /// Returns whether tiles begin at even pixels, as 2×2 windows do, so that outputs can be pooled
    /// while they are written.
    pub(super) fn fuses_pooling(self) -> bool {
        self.outputs().is_multiple_of(2)
    }
}

/// Calls a function that is generic over the variant with the variant of a tile size.
macro_rules! by_size {
    ($size:ident, $module:ident::$function:ident($($arg:expr),*)) => {
        match $size {
            TileSize::Two => $module::$function::<F2, 2, 4>($($arg),*),
            TileSize::Three => $module::$function::<F3, 3, 5>($($arg),*),
            TileSize::Four => $module::$function::<F4, 4, 6>($($arg),*),
        }
    };
}

/// Returns the tile size with the fewest products for these outputs: 16 for each 2×2, 25 for each
/// 3×3, 36 for each 4×4, tiles at the edge counted whole. Of equals it returns the smaller, which
/// has the smaller error.
pub fn tile_size(g: &Conv2dGeometry) -> TileSize {
    let fewest = |a, b| if macs_per_filter(b, g) < macs_per_filter(a, g) { b } else { a };
    fewest(fewest(TileSize::Two, TileSize::Three), TileSize::Four)
}

/// Estimates the time for a few tiles with transformed filters, as
/// [`direct::time_of_few_pixels`](super::direct::time_of_few_pixels) does.
pub(super) fn time_of_few_tiles(size: TileSize, g: &Conv2dGeometry) -> usize {
    let m = size.outputs();
    let tiles = g.n * g.h_out.div_ceil(m) * g.w_out.div_ceil(m);
    let panels = g.c_out.div_ceil(32);
    let transforms = 3 * tiles * size.products() * (g.c_in.div_ceil(16) + 2 * panels);
    super::direct::time(tiles, size.products(), g.c_in * panels) + transforms
}

/// Returns the multiply-accumulates that each of the three passes executes, without the transforms.
pub fn macs(size: TileSize, g: &Conv2dGeometry) -> usize {
    g.n * macs_per_filter(size, g) * g.c_in * g.c_out
}

/// Returns the multiply-accumulates for one image, input channel and filter: A² for each tile.
fn macs_per_filter(size: TileSize, g: &Conv2dGeometry) -> usize {
    let m = size.outputs();
    g.h_out.div_ceil(m) * g.w_out.div_ceil(m) * size.products()
}

/// Computes y = conv(x, w) + bias; shapes as [`crate::conv2d::forward`], `g` 3×3, stride 1, one group,
/// in bfloat16 an even number of input channels.
///
/// # Panics
/// Another `g`, or a slice that does not have the length of its shape.
pub fn forward(
    how: (SimdLevel, Precision),
    size: TileSize,
    g: &Conv2dGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
) {
    assert!(w.len() == g.weight_len() && bias.is_none_or(|b| b.len() == g.c_out));
    let epilogue = Epilogue { bias, ..Epilogue::default() };
    correlate(how, size, g, x, &Filters::forward(g, w, 0), epilogue, y.into());
}

/// Returns the transformed filters of `g`, for [`forward_transformed`].
pub(super) fn transform_filters(
    simd: SimdLevel,
    precision: Precision,
    size: TileSize,
    g: &Conv2dGeometry,
    w: &[f32],
) -> AlignedBuffer {
    let (filters, how) = (Filters::forward(g, w, 0), (simd, precision));
    let len = forward::transformed_len(how, size.products(), &filters);
    let mut u = AlignedBuffer::zeroed(len);
    by_size!(size, forward::transform_filters(how, &filters, &mut u[..len]));
    u
}

/// Computes [`forward`] with filters of [`transform_filters`], followed by the epilogue.
pub(super) fn forward_transformed(
    (simd, precision): (SimdLevel, Precision),
    size: TileSize,
    g: &Conv2dGeometry,
    x: &[f32],
    u: &[f32],
    epilogue: Epilogue,
    y: &mut [f32],
) {
    by_size!(size, forward::correlate_transformed(simd, precision, g, x, u, epilogue, y.into()));
}

/// Computes the gradient of the input; shapes as [`crate::conv2d::backward_input`], `g` 3×3, stride
/// 1, padding at most 2, one group, in bfloat16 an even number of output channels.
///
/// # Panics
/// Another `g`, or a slice that does not have the length of its shape.
#[allow(clippy::panic, reason = "the caller's mistake, as the documentation says")]
pub fn backward_input(
    how: (SimdLevel, Precision),
    size: TileSize,
    g: &Conv2dGeometry,
    grad_output: &[f32],
    w: &[f32],
    grad_input: &mut [f32],
) {
    assert!(w.len() == g.weight_len());
    let Some(mirrored) = mirrored(g) else { panic!("not a Winograd convolution: {g:?}") };
    let (filters, epilogue) = (Filters::mirrored(g, w, 0), Epilogue::default());
    correlate(how, size, &mirrored, grad_output, &filters, epilogue, grad_input.into());
}

/// Computes the convolution of `x` with these filters, followed by the epilogue. In bfloat16 the number
/// of input channels is even.
pub(super) fn correlate(
    how: (SimdLevel, Precision),
    size: TileSize,
    g: &Conv2dGeometry,
    x: &[f32],
    filters: &Filters,
    epilogue: Epilogue,
    output: Output,
) {
    by_size!(size, forward::correlate(how, g, x, filters, epilogue, output));
}

/// Computes the gradient of the weights; shapes as [`crate::conv2d::backward_weight`], `g` 3×3,
/// stride 1, one group.
///
/// # Panics
/// Another `g`, or a slice that does not have the length of its shape.
pub fn backward_weight(
    how: (SimdLevel, Precision),
    size: TileSize,
    g: &Conv2dGeometry,
    x: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
) {
    by_size!(size, backward_weight::backward_weight(how, g, x, grad_output, grad_weight));
}
