//! The choice of the algorithm for a convolution.

use super::direct;
use super::winograd::{self, TileSize};
use crate::Conv2dGeometry;
use std::fmt;
use std::str::FromStr;

/// An algorithm that computes a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// The fastest known for the layer and pass; see [`plan`].
    Auto,
    /// Implicit im2col: one product per tap, the image read in place.
    Direct,
    /// The im2col matrix written out, then a matrix product.
    Im2col,
    /// Winograd: fewer multiplications, for 3×3 filters with stride 1, no dilation, padding up to 2
    /// and one group. Other convolutions use [`Direct`](Self::Direct), as with
    /// [`Auto`](Self::Auto).
    Winograd,
}

impl Algorithm {
    /// Every choice, in the order of the documentation.
    pub const ALL: [Algorithm; 4] = [Self::Auto, Self::Direct, Self::Im2col, Self::Winograd];

    /// Returns the name as the option `--conv` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Direct => "direct",
            Self::Im2col => "im2col",
            Self::Winograd => "winograd",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|a| a.name() == s).ok_or_else(|| {
            format!("unknown convolution {s:?}: expected auto, direct, im2col or winograd")
        })
    }
}

/// The three products of a convolution layer in a training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pass {
    /// y from x and w.
    Forward,
    /// Gradient of x from that of y, and w.
    BackwardInput,
    /// Gradient of w from that of y, and x.
    BackwardWeight,
}

impl Pass {
    /// All three.
    pub const ALL: [Pass; 3] = [Pass::Forward, Pass::BackwardInput, Pass::BackwardWeight];
}

/// Returns the algorithm that computes this pass where the caller asks for `requested`; never
/// `Auto`, and `Winograd` only where it applies.
pub fn plan(requested: Algorithm, g: &Conv2dGeometry, pass: Pass) -> Algorithm {
    match requested {
        Algorithm::Auto if winograd_is_faster(g, pass) => Algorithm::Winograd,
        Algorithm::Winograd if winograd_applies(g) => Algorithm::Winograd,
        Algorithm::Im2col => Algorithm::Im2col,
        _ => Algorithm::Direct,
    }
}

/// Returns the name of an algorithm, with the size of Winograd's tiles.
pub(super) fn name_of(algorithm: Algorithm, size: TileSize) -> String {
    match algorithm {
        Algorithm::Winograd => format!("{algorithm} {m}x{m}", m = size.outputs()),
        other => other.to_string(),
    }
}

/// Returns the algorithm for filters that are [`Prepared`](super::Prepared) once, with the size of
/// Winograd's tiles.
///
/// The transform of the filters costs nothing then. What counts for a single image is the memory of
/// the transformed filters, which hardly fits a cache: for few pixels a smaller tile with more
/// products may be faster. Where both are enough, [`plan`] decides.
pub(super) fn plan_prepared(requested: Algorithm, g: &Conv2dGeometry) -> (Algorithm, TileSize) {
    let usual = (plan(requested, g, Pass::Forward), winograd::tile_size(g));
    let few = g.n * g.h_out * g.w_out < FEW_PIXELS;
    if requested != Algorithm::Auto || !few || !winograd_applies(g) || g.c_in.min(g.c_out) < 16 {
        return usual;
    }
    let sizes = [TileSize::Two, TileSize::Three, TileSize::Four];
    let choices =
        sizes.map(|size| (winograd::time_of_few_tiles(size, g), Algorithm::Winograd, size));
    let direct = (direct::time_of_few_pixels(g), Algorithm::Direct, TileSize::Two);
    let best = choices.into_iter().fold(direct, |a, b| if b.0 < a.0 { b } else { a });
    (best.1, best.2)
}

/// Pixels below which [`plan_prepared`] counts the memory of the filters.
const FEW_PIXELS: usize = 4096;

fn winograd_applies(g: &Conv2dGeometry) -> bool {
    [g.k_h, g.k_w] == [3, 3]
        && g.stride == [1, 1]
        && g.dilation == [1, 1]
        && g.padding[0] <= 2
        && g.padding[1] <= 2
        && g.groups == 1
}

/// Returns whether the products saved outweigh the transforms.
///
/// The transforms cost a few operations per channel and pixel. The products saved grow with the
/// channels on the other side. Where filters are transformed, once per call, that cost needs enough
/// pixels, too.
fn winograd_is_faster(g: &Conv2dGeometry, pass: Pass) -> bool {
    let pixels = g.n * g.h_out * g.w_out;
    let enough = pass == Pass::BackwardWeight || pixels >= 512;
    winograd_applies(g) && g.c_in >= 16 && g.c_out >= 16 && enough
}
