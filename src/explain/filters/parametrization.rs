//! The recipes of activation maximisation, by name.

use crate::explain::filters::activation_maximization::MaximizationOptions;
use crate::explain::filters::fourier::Fourier;
use crate::explain::filters::maco::Maco;
use crate::explain::filters::pixels::Pixels;
use crate::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// A recipe of activation maximisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MaximizationMethod {
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

impl MaximizationMethod {
    /// All of them.
    pub const ALL: [MaximizationMethod; 5] = [
        MaximizationMethod::Naive,
        MaximizationMethod::Pixels,
        MaximizationMethod::Fourier,
        MaximizationMethod::Maco,
        MaximizationMethod::Face,
    ];

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            MaximizationMethod::Naive => "naive",
            MaximizationMethod::Pixels => "pixels",
            MaximizationMethod::Fourier => "fourier",
            MaximizationMethod::Maco => "maco",
            MaximizationMethod::Face => "face",
        }
    }

    /// Its usual ascent; the naive recipe has no choices.
    pub fn options(self) -> MaximizationOptions {
        match self {
            MaximizationMethod::Naive | MaximizationMethod::Pixels => Pixels::options(),
            MaximizationMethod::Fourier => Fourier::options(),
            MaximizationMethod::Maco => Maco::options(),
            MaximizationMethod::Face => Maco::gentle_options(),
        }
    }
}

impl fmt::Display for MaximizationMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for MaximizationMethod {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        MaximizationMethod::ALL.into_iter().find(|r| r.name() == name).ok_or_else(|| {
            let names = MaximizationMethod::ALL.map(MaximizationMethod::name).join(", ");
            Error::Usage(format!("no recipe `{name}`; there are {names}"))
        })
    }
}
