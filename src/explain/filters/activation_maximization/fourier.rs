//! Lucid's Fourier parametrization, with the spectrum of faces.

use super::spectrum::{BINS, Spectrum, frequencies, irfft2, irfft2_adjoint};
use super::warps::WarpRange;
use super::{MaximizationOptions, Parametrization, sigmoid};
use crate::SIDE;
use crate::random::Rng;

/// Exponent of the decay. Amplitude of FER2013 faces falls as frequency^−1.36; Lucid uses 1.
pub const DECAY: f64 = 1.36;

/// The parametrization x = sigmoid(irfft2(p·s)/4), where s = 48/max(f, 1/48)^1.36 and the complex
/// p, `[2, 48, 25]`, is free.
///
/// **Source**: Olah, Mordvintsev & Schubert 2017, "Feature Visualization", Distill; Lucid
/// `fft_image`.
pub struct Fourier {
    scale: Vec<f32>,
}

impl Fourier {
    /// A parametrization with this decay.
    pub fn new(decay: f64) -> Self {
        let side = SIDE as f64;
        let scale = |f: f64| (side / f.max(1.0 / side).powf(decay)) as f32;
        Fourier { scale: frequencies().into_iter().map(scale).collect() }
    }

    /// The default: 256 steps of Adam at 0.05, four warped views per step, total variation 20.
    pub fn options() -> MaximizationOptions {
        MaximizationOptions {
            steps: 256,
            learning_rate: 0.05,
            cooling: false,
            nesterov: false,
            views: 4,
            warp: Some(WarpRange::default()),
            crop: None,
            noise: 0.0,
            total_variation: 20.0,
            l2: 0.0,
        }
    }

    fn scaled(&self, part: &[f32]) -> Vec<f32> {
        part.iter().zip(&self.scale).map(|(p, s)| p * s / 4.0).collect()
    }
}

impl Parametrization for Fourier {
    fn parameters(&self) -> usize {
        2 * BINS
    }
    fn start(&self, _picture: usize, rng: &mut Rng) -> Vec<f32> {
        (0..2 * BINS).map(|_| 0.01 * rng.normal() as f32).collect()
    }
    fn picture(&self, parameters: &[f32]) -> Vec<f32> {
        let (re, im) = parameters.split_at(BINS);
        let picture = irfft2(&Spectrum { re: self.scaled(re), im: self.scaled(im) });
        picture.into_iter().map(sigmoid).collect()
    }
    fn gradient(&self, parameters: &[f32], grad_picture: &[f32]) -> Vec<f32> {
        let x = self.picture(parameters);
        let inner: Vec<f32> = x.iter().zip(grad_picture).map(|(x, g)| g * x * (1.0 - x)).collect();
        let grad = irfft2_adjoint(&inner);
        let mut out = self.scaled(&grad.re);
        out.extend(self.scaled(&grad.im));
        out
    }
}
