//! Naturalness: statistics that distinguish a face from a high-frequency pattern (a "QR code").
//!
//! On FER2013: HF median 0.08, 95th percentile 0.19; lag-1 median 0.91; TV 0.25; slope −2.9. White
//! noise: 0.81, 0, 1.12, 0. Random blocks of three pixels have HF 0.15, like a face, so HF alone is
//! not enough.

use crate::explain::filters::activation_maximization::spectrum::{
    bin_weights, frequencies, hann, rfft2,
};
use crate::explain::filters::activation_maximization::standardise;
use crate::{PIXELS, SIDE};

/// Largest HF share of a natural picture: the 95th percentile of FER2013.
pub const HF_LIMIT: f64 = 0.19;
/// Smallest lag-1 autocorrelation of a natural picture.
pub const LAG1_LIMIT: f64 = 0.8;

/// The statistics of one picture. A constant picture has 0 everywhere and is not natural.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Naturalness {
    /// Share of Hann-windowed power above 0.25 cycles per pixel.
    pub hf: f64,
    /// Correlation of neighbouring pixels, mean of rows and columns.
    pub lag1: f64,
    /// Mean absolute difference of neighbours, in standard deviations of the picture.
    pub tv: f64,
    /// Slope of log power against log frequency.
    pub slope: f64,
}

impl Naturalness {
    /// Measures a picture `[48, 48]`.
    pub fn of(picture: &[f32]) -> Naturalness {
        let (x, sd) = standardise(picture);
        if sd < 1e-6 {
            return Naturalness { hf: 0.0, lag1: 0.0, tv: 0.0, slope: 0.0 };
        }
        let power = hann_power(&x);
        let (lag1, tv) = neighbours(&x);
        Naturalness { hf: share_above(&power, 0.25), lag1, tv, slope: slope(&power) }
    }

    /// Whether HF ≤ 0.19 and lag-1 ≥ 0.8.
    pub fn is_natural(&self) -> bool {
        self.hf <= HF_LIMIT && self.lag1 >= LAG1_LIMIT
    }
}

/// Power of every bin of the windowed picture, mirror bins included.
fn hann_power(x: &[f32]) -> Vec<f64> {
    let windowed: Vec<f32> = x.iter().zip(hann()).map(|(v, w)| v * w).collect();
    let magnitude = rfft2(&windowed).magnitude();
    magnitude.iter().zip(bin_weights()).map(|(&m, w)| w * f64::from(m).powi(2)).collect()
}

fn share_above(power: &[f64], limit: f64) -> f64 {
    let total: f64 = power.iter().sum();
    let above = power.iter().zip(frequencies()).filter(|(_, f)| *f > limit);
    above.map(|(p, _)| p).sum::<f64>() / total.max(1e-30)
}

/// Mean over rows and columns of the lag-1 correlation and of the absolute difference.
fn neighbours(x: &[f32]) -> (f64, f64) {
    let pairs = |step: usize| {
        (0..PIXELS - step)
            .filter(move |p| step != 1 || p % SIDE + 1 < SIDE)
            .map(move |p| (p, p + step))
    };
    let count = (SIDE * (SIDE - 1)) as f64;
    let (mut product, mut gap) = (0.0, 0.0);
    for (p, q) in pairs(1).chain(pairs(SIDE)) {
        product += f64::from(x[p]) * f64::from(x[q]);
        gap += f64::from((x[p] - x[q]).abs());
    }
    (product / (2.0 * count), gap / (2.0 * count))
}

/// Least squares of log mean power on log frequency over rings of one bin, up to the Nyquist
/// frequency of an axis.
fn slope(power: &[f64]) -> f64 {
    let mut rings = vec![(0.0f64, 0.0f64); SIDE / 2 + 1];
    for ((p, weight), f) in power.iter().zip(bin_weights()).zip(frequencies()) {
        let ring = (f * SIDE as f64).round() as usize;
        if (1..rings.len()).contains(&ring) {
            rings[ring].0 += p;
            rings[ring].1 += weight;
        }
    }
    let points: Vec<(f64, f64)> = rings
        .iter()
        .enumerate()
        .skip(2) // the window spreads the mean over the first ring
        .filter(|(_, (p, _))| *p > 0.0)
        .map(|(ring, (p, n))| ((ring as f64).ln(), (p / n).ln()))
        .collect();
    let n = points.len().max(1) as f64;
    let mean_x = points.iter().map(|p| p.0).sum::<f64>() / n;
    let mean_y = points.iter().map(|p| p.1).sum::<f64>() / n;
    let variance: f64 = points.iter().map(|p| (p.0 - mean_x).powi(2)).sum();
    points.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum::<f64>() / variance.max(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Rng};

    /// Random black and white blocks of `side` pixels.
    fn blocks(side: usize) -> Vec<f32> {
        let mut rng = Rng::new(3, Purpose::Test, 0, side as u64);
        let cells: Vec<bool> = (0..PIXELS).map(|_| rng.bernoulli(0.5)).collect();
        let cell = |p: usize| p / SIDE / side * SIDE + p % SIDE / side;
        (0..PIXELS).map(|p| f32::from(u8::from(cells[cell(p)]))).collect()
    }

    /// Blocks of one pixel are white noise: HF is the area of the unit square outside a circle of
    /// radius ¼, 1 − π/16 = 0.80. Blocks of two filter it by cos²(πf) along each axis, which
    /// integrates to 0.42; a block of side s has lag-1 1 − 1/s.
    #[test]
    fn random_blocks_are_not_natural() {
        for (side, hf, lag1) in [(1, 0.80, 0.0), (2, 0.42, 0.50), (3, 0.17, 0.67)] {
            let n = Naturalness::of(&blocks(side));
            assert!((n.hf - hf).abs() < 0.05 && (n.lag1 - lag1).abs() < 0.06, "{side} px: {n:?}");
            assert!(!n.is_natural());
        }
        let white = Naturalness::of(&blocks(1));
        assert!(white.slope.abs() < 0.3, "{white:?}");
    }

    #[test]
    fn smooth_waves_are_natural_and_a_constant_is_not() {
        let wave = |p: usize| ((p / SIDE) as f32 * 0.2).sin() + ((p % SIDE) as f32 * 0.15).cos();
        let n = Naturalness::of(&(0..PIXELS).map(wave).collect::<Vec<_>>());
        assert!(n.is_natural(), "{n:?}");
        assert!(!Naturalness::of(&[0.3; PIXELS]).is_natural());
    }
}
