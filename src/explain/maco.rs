//! MACO: the spectrum's magnitude is the training faces', only the phase is free.
//!
//! A network's favourite picture among *all* pictures is a high-frequency pattern that no face
//! contains: the "QR code". Here every candidate has the power spectrum of a face, and what the
//! filter wants must be said in the arrangement.

use super::ascent::{AscentOptions, Parametrisation, sigmoid, standardise, standardise_backward};
use super::spectrum::{BINS, Spectrum, irfft2, irfft2_adjoint};
use crate::random::Rng;

/// x = sigmoid(standardise(irfft2(|F|·e^{iφ}))); φ is free, |F| fixed.
///
/// φ starts uniform on the whole circle. The original starts at N(0, 1) and divides φ by its
/// deviation at every step, so that phases gather around 0 (the mean of e^{iφ} starts at 0.6):
/// a peak at pixel (0, 0) that wraps around into a bright frame.
///
/// **Source**: Fel et al. 2023 (arXiv 2306.06805); xplique `maco`.
pub struct Maco {
    magnitude: Vec<f32>,
}

impl Maco {
    /// With a mean magnitude spectrum of faces, `[48, 25]`: see
    /// [`super::spectrum::mean_magnitude`].
    pub fn new(magnitude: Vec<f32>) -> Self {
        Maco { magnitude }
    }

    /// 256 steps of Nadam at 0.1 rad, one random crop a step, noise 0.05.
    pub fn options() -> AscentOptions {
        AscentOptions {
            steps: 256,
            learning_rate: 0.1,
            nesterov: true,
            views: 1,
            warp: None,
            crop: Some((0.9, 0.4)),
            noise: 0.05,
            total_variation: 0.0,
            l2: 0.0,
        }
    }

    fn spectrum(&self, phase: &[f32]) -> Spectrum {
        let part = |turn: fn(f32) -> f32| {
            self.magnitude.iter().zip(phase).map(|(m, &a)| m * turn(a)).collect()
        };
        Spectrum { re: part(f32::cos), im: part(f32::sin) }
    }
}

impl Parametrisation for Maco {
    fn parameters(&self) -> usize {
        BINS
    }
    fn start(&self, rng: &mut Rng) -> Vec<f32> {
        let pi = std::f64::consts::PI;
        (0..BINS).map(|_| rng.uniform_in(-pi, pi) as f32).collect()
    }
    fn picture(&self, parameters: &[f32]) -> Vec<f32> {
        let (y, _) = standardise(&irfft2(&self.spectrum(parameters)));
        y.into_iter().map(sigmoid).collect()
    }
    fn gradient(&self, parameters: &[f32], grad_picture: &[f32]) -> Vec<f32> {
        let spectrum = self.spectrum(parameters);
        let (y, sd) = standardise(&irfft2(&spectrum));
        let grad_y: Vec<f32> = y
            .iter()
            .zip(grad_picture)
            .map(|(&y, g)| {
                let x = sigmoid(y);
                g * x * (1.0 - x)
            })
            .collect();
        let grad = irfft2_adjoint(&standardise_backward(&y, sd, &grad_y));
        // d(m·cos φ)/dφ = −m·sin φ = −im, d(m·sin φ)/dφ = re.
        (0..BINS).map(|b| spectrum.re[b] * grad.im[b] - spectrum.im[b] * grad.re[b]).collect()
    }
}
