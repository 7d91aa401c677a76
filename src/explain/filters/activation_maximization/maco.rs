//! MACO: the magnitude of the spectrum is that of the training faces, only the phase is free.
//!
//! Among *all* pictures, the one that activates a filter most is a high-frequency pattern unlike
//! any face (a "QR code"). Here every picture has the power spectrum of a face, so that only the
//! arrangement can change.

use super::spectrum::{
    BINS, Spectrum, bin_weights, frequencies, hann, irfft2, irfft2_adjoint, rfft2,
};
use super::warps::WarpRange;
use super::{MaximizationOptions, Parametrization, sigmoid, standardise, standardise_backward};
use crate::PIXELS;
use crate::random::Rng;

/// The parametrization x = sigmoid(standardise(irfft2(a∘|F|·e^{iφ}))), where φ is free and |F|
/// fixed.
///
/// Two differences from the original. φ starts uniform on the circle; the original starts at
/// N(0, 1) and divides φ by its deviation at every step, so that phases concentrate around 0 and make a
/// peak at pixel (0, 0), which wraps around into a bright frame. And a, which is 1 for low
/// frequencies, reduces those above ¼ cycle per pixel until they hold at most [`MAX_DETAIL`] of the
/// Hann-windowed power; otherwise free phases concentrate all fine detail in the middle, where no
/// face has so much.
///
/// **Source**: Fel et al. 2023 (arXiv 2306.06805); xplique `maco`.
pub struct Maco {
    magnitude: Vec<f32>,
    /// Phases around which the pictures start: none, one for all, or one for each.
    starts: Vec<Vec<f32>>,
    window: Vec<f32>,
    weights: Vec<f64>,
    frequencies: Vec<f64>,
}

/// Largest share of fine detail in the middle of a picture. Below the limit of a natural picture,
/// because the sigmoid adds some.
pub const MAX_DETAIL: f64 = 0.15;
/// Frequency in cycles per pixel above which power counts as fine detail.
const FINE: f64 = 0.25;
/// Standard deviation, in radians, of the first phases around those of a face.
const START_SD: f64 = 0.3;

impl Maco {
    /// A parametrization with a mean magnitude spectrum of faces, `[48, 25]`, as
    /// [`mean_magnitude`](super::spectrum::mean_magnitude) computes it.
    pub fn new(magnitude: Vec<f32>) -> Self {
        Maco {
            magnitude,
            starts: vec![],
            window: hann(),
            weights: bin_weights(),
            frequencies: frequencies(),
        }
    }

    /// The same, but starting near the phases of faces `[n, 48, 48]`, one for all pictures or one for each: the
    /// result keeps the arrangement of the face and changes it where the filter responds.
    pub fn starting_at(magnitude: Vec<f32>, faces: &[f32]) -> Self {
        let phases = |face: &[f32]| {
            let f = rfft2(face);
            f.im.iter().zip(&f.re).map(|(im, re)| im.atan2(*re)).collect()
        };
        let starts = faces.chunks_exact(PIXELS).map(phases).collect();
        Maco { starts, ..Maco::new(magnitude) }
    }

    /// The default: 256 steps of Nadam at 0.2 rad falling to 0, one warped view per step, noise
    /// 0.05.
    ///
    /// The original enlarges random crops to the size of the picture. At 48×48 that shows patterns
    /// at the wrong size, so the views here are small shifts, rotations and zooms.
    pub fn options() -> MaximizationOptions {
        MaximizationOptions {
            steps: 256,
            learning_rate: 0.2,
            cooling: true,
            nesterov: true,
            views: 1,
            warp: Some(WarpRange::default()),
            crop: None,
            noise: 0.05,
            total_variation: 0.0,
            l2: 0.0,
        }
    }

    /// The default for a start from faces: a lower learning rate, so that their arrangement remains.
    pub fn face_options() -> MaximizationOptions {
        MaximizationOptions { learning_rate: 0.05, ..Maco::options() }
    }

    /// The spectrum of these phases, with fine detail reduced to [`MAX_DETAIL`].
    fn spectrum(&self, phase: &[f32]) -> Spectrum {
        let part = |turn: fn(f32) -> f32| -> Vec<f32> {
            self.magnitude.iter().zip(phase).map(|(m, &a)| m * turn(a)).collect()
        };
        let mut spectrum = Spectrum { re: part(f32::cos), im: part(f32::sin) };
        let share = self.detail(&irfft2(&spectrum));
        if share > MAX_DETAIL {
            let power = MAX_DETAIL * (1.0 - share) / (share * (1.0 - MAX_DETAIL));
            for part in [&mut spectrum.re, &mut spectrum.im] {
                let fine = part.iter_mut().zip(&self.frequencies).filter(|(_, f)| **f > FINE);
                fine.for_each(|(v, _)| *v *= power.sqrt() as f32);
            }
        }
        spectrum
    }

    /// Share of Hann-windowed power above [`FINE`].
    fn detail(&self, picture: &[f32]) -> f64 {
        let windowed: Vec<f32> = picture.iter().zip(&self.window).map(|(v, w)| v * w).collect();
        let power = rfft2(&windowed).magnitude();
        let (mut fine, mut all) = (0.0, 1e-30);
        for ((m, w), f) in power.iter().zip(&self.weights).zip(&self.frequencies) {
            let p = w * f64::from(*m).powi(2);
            all += p;
            fine += if *f > FINE { p } else { 0.0 };
        }
        fine / all
    }
}

impl Parametrization for Maco {
    fn parameters(&self) -> usize {
        BINS
    }
    fn start(&self, picture: usize, rng: &mut Rng) -> Vec<f32> {
        let pi = std::f64::consts::PI;
        match self.starts.get(picture).or(self.starts.first()) {
            Some(phase) => phase.iter().map(|a| a + (START_SD * rng.normal()) as f32).collect(),
            None => (0..BINS).map(|_| rng.uniform_in(-pi, pi) as f32).collect(),
        }
    }
    fn picture(&self, parameters: &[f32]) -> Vec<f32> {
        let (y, _) = standardise(&irfft2(&self.spectrum(parameters)));
        y.into_iter().map(sigmoid).collect()
    }
    /// Treats the reduction of the fine detail as a constant.
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
