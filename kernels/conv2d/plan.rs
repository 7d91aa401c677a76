//! Which algorithm computes a convolution: the one place that decides.

use super::winograd;
use crate::Conv2dGeometry;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

/// A way to compute a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// The best known for the layer and pass; see [`plan`].
    Auto,
    /// Implicit im2col: one product per tap, the image read in place.
    Direct,
    /// The im2col matrix written out, then a matrix product.
    Im2col,
    /// Winograd: fewer products, for 3×3 filters with stride 1, no dilation, padding up to 2 and one
    /// group. Elsewhere it becomes what [`Auto`](Self::Auto) takes there: [`Direct`](Self::Direct).
    Winograd,
}

impl Algorithm {
    /// Every choice, in the order of the documentation.
    pub const ALL: [Algorithm; 4] = [Self::Auto, Self::Direct, Self::Im2col, Self::Winograd];

    /// Name as the option `--conv` spells it.
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

/// Place in [`Algorithm::ALL`].
static FORCED: AtomicU8 = AtomicU8::new(0);

/// Forces an algorithm for the whole process; [`Algorithm::Auto`] lets [`plan`] decide.
pub fn set_algorithm(algorithm: Algorithm) {
    let place = Algorithm::ALL.iter().position(|&a| a == algorithm).unwrap_or(0);
    FORCED.store(place as u8, Ordering::Relaxed);
}

/// The algorithm that [`set_algorithm`] asked for.
pub fn algorithm() -> Algorithm {
    Algorithm::ALL[FORCED.load(Ordering::Relaxed) as usize]
}

/// The algorithm that a pass of this convolution takes, never `Auto`.
pub fn plan(g: &Conv2dGeometry, pass: Pass) -> Algorithm {
    resolve(algorithm(), g, pass)
}

/// [`plan`] in words, with the size of Winograd's tiles: `direct`, `im2col`, `winograd 4x4`.
pub fn plan_name(g: &Conv2dGeometry, pass: Pass) -> String {
    match plan(g, pass) {
        Algorithm::Winograd => {
            let m = winograd::tile_size(g).outputs();
            format!("{} {m}x{m}", Algorithm::Winograd)
        }
        other => other.to_string(),
    }
}

/// What becomes of a wish: `Auto` is decided, and `Winograd` only where it applies.
pub(super) fn resolve(wish: Algorithm, g: &Conv2dGeometry, pass: Pass) -> Algorithm {
    match wish {
        Algorithm::Auto if winograd_pays(g, pass) => Algorithm::Winograd,
        Algorithm::Winograd if winograd_applies(g) => Algorithm::Winograd,
        Algorithm::Im2col => Algorithm::Im2col,
        _ => Algorithm::Direct,
    }
}

fn winograd_applies(g: &Conv2dGeometry) -> bool {
    [g.k_h, g.k_w] == [3, 3]
        && g.stride == [1, 1]
        && g.dilation == [1, 1]
        && g.padding[0] <= 2
        && g.padding[1] <= 2
        && g.groups == 1
}

/// The transforms cost a few operations per channel and pixel, the products saved are
/// proportional to the channels on the other side. Where filters are transformed, once per call,
/// a few pixels do not repay it.
fn winograd_pays(g: &Conv2dGeometry, pass: Pass) -> bool {
    let pixels = g.n * g.h_out * g.w_out;
    let enough = pass == Pass::BackwardWeight || pixels >= 512;
    winograd_applies(g) && g.c_in >= 16 && g.c_out >= 16 && enough
}
