//! The methods of activation maximization, by name.

use super::MaximizationOptions;
use super::fourier::Fourier;
use super::maco::Maco;
use super::pixels::Pixels;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A method of activation maximization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MaximizationMethod {
    /// Twenty plain gradient steps on the pixels: the "QR code", for comparison.
    Naive,
    /// Free pixels, 256 steps of Adam.
    Pixels,
    /// A free spectrum with decay 1.36, warps and total variation.
    Fourier,
    /// The magnitudes of the training faces' spectrum, free phases: the main method.
    Maco,
    /// The same, starting from faces instead of from noise: for a filter from the mean of nine that activate it
    /// strongly, for a class from the mean face.
    Face,
}

impl MaximizationMethod {
    /// All methods.
    pub const ALL: [MaximizationMethod; 5] = [
        MaximizationMethod::Naive,
        MaximizationMethod::Pixels,
        MaximizationMethod::Fourier,
        MaximizationMethod::Maco,
        MaximizationMethod::Face,
    ];

    /// Its default settings. [`MaximizationMethod::Naive`] does not read them.
    pub fn options(self) -> MaximizationOptions {
        match self {
            MaximizationMethod::Naive | MaximizationMethod::Pixels => Pixels::options(),
            MaximizationMethod::Fourier => Fourier::options(),
            MaximizationMethod::Maco => Maco::options(),
            MaximizationMethod::Face => Maco::face_options(),
        }
    }
}

impl fmt::Display for MaximizationMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
