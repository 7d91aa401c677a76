//! MACO: the spectrum's magnitude is the training faces', only the phase is free.
//!
//! A network's favourite picture among *all* pictures is a high-frequency pattern that no face
//! contains: the "QR code". Here every candidate has the power spectrum of a face, and what the
//! filter wants must be said in the arrangement.

use crate::explain::filters::activation_maximization::{
    MaximizationOptions, Parametrization, sigmoid, standardise, standardise_backward,
};
use crate::explain::filters::spectrum::{
    BINS, Spectrum, bin_weights, frequencies, hann, irfft2, irfft2_adjoint, rfft2,
};
use crate::explain::filters::warps::WarpRange;
use crate::random::Rng;

/// x = sigmoid(standardise(irfft2(a∘|F|·e^{iφ}))); φ is free, |F| fixed.
///
/// Two departures from the original. φ starts uniform on the whole circle: the original starts at
/// N(0, 1) and divides φ by its deviation at every step, so that phases gather around 0 and make a
/// peak at pixel (0, 0) that wraps around into a bright frame. And a, 1 for low frequencies, turns
/// those above ¼ cycle a pixel down until they hold at most [`DETAIL`] of the Hann-windowed power:
/// free phases gather all fine detail of a face in the middle, where no face has so much.
///
/// **Source**: Fel et al. 2023 (arXiv 2306.06805); xplique `maco`.
pub struct Maco {
    magnitude: Vec<f32>,
    start: Option<Vec<f32>>,
    window: Vec<f32>,
    weights: Vec<f64>,
    frequencies: Vec<f64>,
}

/// Largest share of fine detail in the middle of a picture: below the limit of a natural picture,
/// because the sigmoid adds a little.
pub const DETAIL: f64 = 0.15;
/// Cycles a pixel above which a frequency is fine detail.
const FINE: f64 = 0.25;
/// Deviation in radians of the first phases around those of a face.
const SPREAD: f64 = 0.3;

impl Maco {
    /// With a mean magnitude spectrum of faces, `[48, 25]`: see
    /// [`crate::explain::filters::spectrum::mean_magnitude`].
    pub fn new(magnitude: Vec<f32>) -> Self {
        Maco {
            magnitude,
            start: None,
            window: hann(),
            weights: bin_weights(),
            frequencies: frequencies(),
        }
    }

    /// The same, starting near the phases of a face instead of anywhere: the result keeps the
    /// arrangement of the face and changes what the filter cares about.
    pub fn starting_at(magnitude: Vec<f32>, face: &[f32]) -> Self {
        let f = rfft2(face);
        let phase = f.im.iter().zip(&f.re).map(|(im, re)| im.atan2(*re)).collect();
        Maco { start: Some(phase), ..Maco::new(magnitude) }
    }

    /// 256 steps of Nadam at 0.2 rad falling to 0, one warped view a step, noise 0.05.
    ///
    /// The original's crops are blown up to the size of the picture. At 48×48 that shows the
    /// filter its pattern at the wrong size, so the views are small shifts, turns and zooms.
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

    /// From a face: slower, so that its arrangement survives.
    pub fn gentle_options() -> MaximizationOptions {
        MaximizationOptions { learning_rate: 0.02, ..Maco::options() }
    }

    /// The spectrum of these phases, its fine detail turned down where there is too much.
    fn spectrum(&self, phase: &[f32]) -> Spectrum {
        let part = |turn: fn(f32) -> f32| -> Vec<f32> {
            self.magnitude.iter().zip(phase).map(|(m, &a)| m * turn(a)).collect()
        };
        let mut spectrum = Spectrum { re: part(f32::cos), im: part(f32::sin) };
        let share = self.detail(&irfft2(&spectrum));
        if share > DETAIL {
            let power = DETAIL * (1.0 - share) / (share * (1.0 - DETAIL));
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
    fn start(&self, rng: &mut Rng) -> Vec<f32> {
        let pi = std::f64::consts::PI;
        match &self.start {
            Some(phase) => phase.iter().map(|a| a + (SPREAD * rng.normal()) as f32).collect(),
            None => (0..BINS).map(|_| rng.uniform_in(-pi, pi) as f32).collect(),
        }
    }
    fn picture(&self, parameters: &[f32]) -> Vec<f32> {
        let (y, _) = standardise(&irfft2(&self.spectrum(parameters)));
        y.into_iter().map(sigmoid).collect()
    }
    /// How much the fine detail is turned down counts as a constant.
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
