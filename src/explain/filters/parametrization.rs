//! The recipes of activation maximisation, by name.

use crate::explain::filters::activation_maximization::AscentOptions;
use crate::explain::filters::fourier::Fourier;
use crate::explain::filters::maco::Maco;
use crate::explain::filters::pixels::Pixels;
use crate::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// A recipe of activation maximisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Recipe {
    /// Twenty plain gradient steps: the "QR code", kept as the picture before.
    Naive,
    /// Pixels with Adam, 256 steps.
    Pixels,
    /// Fourier with decay 1.36, warps and total variation.
    Fourier,
    /// The training faces' spectrum, free phase: the main picture.
    Maco,
    /// The same from the mean face instead of from noise: a face changed as the filter wants.
    Face,
}

impl Recipe {
    /// All of them.
    pub const ALL: [Recipe; 5] =
        [Recipe::Naive, Recipe::Pixels, Recipe::Fourier, Recipe::Maco, Recipe::Face];

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Recipe::Naive => "naive",
            Recipe::Pixels => "pixels",
            Recipe::Fourier => "fourier",
            Recipe::Maco => "maco",
            Recipe::Face => "face",
        }
    }

    /// Its usual ascent; the naive recipe has no choices.
    pub fn options(self) -> AscentOptions {
        match self {
            Recipe::Naive | Recipe::Pixels => Pixels::options(),
            Recipe::Fourier => Fourier::options(),
            Recipe::Maco => Maco::options(),
            Recipe::Face => Maco::gentle_options(),
        }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Recipe {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        Recipe::ALL.into_iter().find(|r| r.name() == name).ok_or_else(|| {
            let names = Recipe::ALL.map(Recipe::name).join(", ");
            Error::Usage(format!("no recipe `{name}`; there are {names}"))
        })
    }
}
