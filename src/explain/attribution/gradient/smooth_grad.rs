//! SmoothGrad, SmoothGrad² and VarGrad: moments of the gradient under noise.
//!
//! All three average over x + e, e ~ N(0, s²·range(x)²). Noise sample k is the same picture for
//! every face, scaled to the face's range, so that the maps of two faces can be compared.

use crate::explain::batch::{face, gradients_of};
use crate::explain::image_ops::min_max;
use crate::explain::{BackwardRule, FaceBatch};
use crate::random::{Purpose, Rng};
use crate::{PIXELS, Result};
use rayon::prelude::*;

/// Settings of the noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Noisy copies of each face; rounded up to an even number.
    pub samples: usize,
    /// Standard deviation as a share of the face's own range.
    pub sd: f32,
    /// Seed.
    pub seed: u64,
}

impl Noise {
    /// Number of copies that are drawn: `samples` made even, at least 2.
    pub fn copies(&self) -> usize {
        self.samples.max(2).next_multiple_of(2)
    }
}

impl Default for Noise {
    fn default() -> Self {
        Noise { samples: 50, sd: 0.15, seed: 0 }
    }
}

/// Returns the mean gradient (1/n) Σ_k dS/dx(x + e_k) of every face, `[n, 48, 48]`; a picture shows
/// its magnitude.
///
/// Noise comes in pairs ±e, which cancels the errors of odd order: on a quadratic score the result
/// is the exact gradient. Libraries differ: Captum averages the signed gradients as here,
/// tf-keras-vis their absolute values, PAIR's "squared" variant their squares.
///
/// **Source**: Smilkov et al. 2017 (arXiv 1706.03825): n = 50, sd 10–20 % of the range.
pub fn smooth_grad(faces: &FaceBatch<'_>, noise: &Noise) -> Result<Vec<f32>> {
    Ok(Moments::of(faces, noise, Draw::Antithetic)?.mean())
}

/// Returns the mean squared gradient (1/n) Σ_k g_k² of every face, `[n, 48, 48]`.
///
/// **Source**: Hooker et al. 2019 (arXiv 1806.10758).
pub fn smooth_grad_squared(faces: &FaceBatch<'_>, noise: &Noise) -> Result<Vec<f32>> {
    Ok(Moments::of(faces, noise, Draw::Antithetic)?.mean_square())
}

/// Returns the unbiased variance of the gradient, Σ_k (g_k − ḡ)²/(n − 1), of every face,
/// `[n, 48, 48]`.
///
/// The draws are independent here: n − 1 would be wrong for pairs ±e.
///
/// **Source**: Adebayo et al. 2018 (arXiv 1810.03292).
pub fn var_grad(faces: &FaceBatch<'_>, noise: &Noise) -> Result<Vec<f32>> {
    Ok(Moments::of(faces, noise, Draw::Independent)?.variance())
}

/// Relative rounding error of a gradient that a network computed in single precision.
const ROUNDING: f64 = 1e-6;

/// How the noise samples depend on each other.
#[derive(Clone, Copy, PartialEq)]
enum Draw {
    /// Pairs ±e.
    Antithetic,
    /// Every sample by itself.
    Independent,
}

/// Σ g and Σ g², in double precision because the variance is a difference of large numbers.
struct Moments {
    n: f64,
    sum: Vec<f64>,
    square: Vec<f64>,
}

impl Moments {
    fn of(faces: &FaceBatch<'_>, noise: &Noise, draw: Draw) -> Result<Moments> {
        let (pixels, targets) = (faces.pixels(), faces.targets());
        let samples = noise.copies();
        let noise_pictures = noise_pictures(noise.seed, samples, draw);
        let sd: Vec<f32> = pixels
            .chunks_exact(PIXELS)
            .map(min_max)
            .map(|(low, high)| noise.sd * (high - low))
            .collect();
        let noisy = |i: usize, out: &mut [f32]| {
            let (f, k) = (i / samples, i % samples);
            let (e, sign) = match draw {
                Draw::Antithetic => (&noise_pictures[k / 2], if k % 2 == 0 { 1.0 } else { -1.0 }),
                Draw::Independent => (&noise_pictures[k], 1.0),
            };
            for ((o, x), e) in out.iter_mut().zip(face(pixels, f)).zip(e) {
                *o = x + sign * sd[f] * e;
            }
        };
        let mut moments = Moments {
            n: samples as f64,
            sum: vec![0.0; pixels.len()],
            square: vec![0.0; pixels.len()],
        };
        let take = |i: usize, gradient: &[f32]| {
            let at = i / samples * PIXELS;
            let sums = moments.sum[at..].iter_mut().zip(&mut moments.square[at..]);
            for ((sum, square), &g) in sums.zip(gradient) {
                *sum += f64::from(g);
                *square += f64::from(g) * f64::from(g);
            }
        };
        let total = targets.len() * samples;
        let target = |i: usize| targets[i / samples];
        gradients_of(faces.classifier(), total, BackwardRule::Standard, noisy, target, take)?;
        Ok(moments)
    }

    fn mean(&self) -> Vec<f32> {
        self.sum.iter().map(|s| (s / self.n) as f32).collect()
    }
    fn mean_square(&self) -> Vec<f32> {
        self.square.iter().map(|s| (s / self.n) as f32).collect()
    }
    /// 0 where it does not exceed the rounding error of single-precision gradients.
    fn variance(&self) -> Vec<f32> {
        let of_face = |(sum, square): (&[f64], &[f64])| -> Vec<f32> {
            let strongest = square.iter().fold(0.0f64, |a, &b| a.max(b)) / self.n;
            let rounding = strongest * ROUNDING * ROUNDING;
            let one = |(s, q): (&f64, &f64)| {
                let variance = (q - s * s / self.n).max(0.0) / (self.n - 1.0);
                if variance > rounding { variance as f32 } else { 0.0 }
            };
            sum.iter().zip(square).map(one).collect()
        };
        let faces = self.sum.chunks(PIXELS).zip(self.square.chunks(PIXELS));
        faces.flat_map(of_face).collect()
    }
}

/// Standard normal pictures, one for each sample or pair.
fn noise_pictures(seed: u64, samples: usize, draw: Draw) -> Vec<Vec<f32>> {
    let count = if draw == Draw::Antithetic { samples / 2 } else { samples };
    let picture = |k: usize| {
        let mut rng = Rng::new(seed, Purpose::Explain, 1, k as u64);
        (0..PIXELS).map(|_| rng.normal() as f32).collect()
    };
    (0..count).into_par_iter().map(picture).collect()
}
