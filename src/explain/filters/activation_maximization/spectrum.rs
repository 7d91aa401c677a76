//! The discrete Fourier transform of a 48×48 picture, its inverse, and the adjoint of the inverse.
//!
//! 48×48 is small enough for two products with a table of cosines and sines, without a fast
//! transform. The conventions are those of numpy's `rfft2` and `irfft2`: rows u = 0…47, columns
//! v = 0…24, the scale 1/2304 in the inverse.

use crate::stats::mean_sd;
use crate::{PIXELS, SIDE};
use rayon::prelude::*;
use std::f64::consts::TAU;
use std::sync::OnceLock;

/// Columns of the half spectrum of a real picture.
pub const COLUMNS: usize = SIDE / 2 + 1;
/// Number of complex values of a half spectrum.
pub const BINS: usize = SIDE * COLUMNS;

/// Half spectrum `[48, 25]` of a real picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// Real parts.
    pub re: Vec<f32>,
    /// Imaginary parts.
    pub im: Vec<f32>,
}

impl Spectrum {
    fn zeros() -> Self {
        Spectrum { re: vec![0.0; BINS], im: vec![0.0; BINS] }
    }
    /// Returns |F| of every bin.
    pub fn magnitude(&self) -> Vec<f32> {
        self.re.iter().zip(&self.im).map(|(a, b)| a.hypot(*b)).collect()
    }
}

/// cos and sin of 2π·a·b/48, `[48, 48]`.
struct Tables {
    cos: Vec<f32>,
    sin: Vec<f32>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let angle = |p: usize| TAU * ((p / SIDE) * (p % SIDE) % SIDE) as f64 / SIDE as f64;
        Tables {
            cos: (0..PIXELS).map(|p| angle(p).cos() as f32).collect(),
            sin: (0..PIXELS).map(|p| angle(p).sin() as f32).collect(),
        }
    })
}

/// y += a·x.
fn axpy(y: &mut [f32], a: f32, x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

/// Returns the transform F\[u,v\] = Σ_ij x\[i,j\]·e^{−2πi(ui + vj)/48}.
pub fn rfft2(picture: &[f32]) -> Spectrum {
    let t = tables();
    let mut rows = Spectrum::zeros(); // rows transformed: [i, v]
    for i in 0..SIDE {
        let line = i * COLUMNS..(i + 1) * COLUMNS;
        for j in 0..SIDE {
            let x = picture[i * SIDE + j];
            axpy(&mut rows.re[line.clone()], x, &t.cos[j * SIDE..]);
            axpy(&mut rows.im[line.clone()], -x, &t.sin[j * SIDE..]);
        }
    }
    transform_columns(&rows, -1.0)
}

/// Returns the inverse x\[i,j\] = (1/2304)·Σ_uv w_v·Re(F\[u,v\]·e^{2πi(ui + vj)/48}), where w_v is
/// 1 for columns 0 and 24, and 2 for the others, which represent their mirror images too.
pub fn irfft2(spectrum: &Spectrum) -> Vec<f32> {
    let t = tables();
    let rows = transform_columns(spectrum, 1.0);
    let mut picture = vec![0.0; PIXELS];
    for i in 0..SIDE {
        let line = &mut picture[i * SIDE..(i + 1) * SIDE];
        for v in 0..COLUMNS {
            let weight = column_weight(v) / PIXELS as f32;
            axpy(line, weight * rows.re[i * COLUMNS + v], &t.cos[v * SIDE..]);
            axpy(line, -weight * rows.im[i * COLUMNS + v], &t.sin[v * SIDE..]);
        }
    }
    picture
}

/// Returns the adjoint of [`irfft2`]: ⟨irfft2(F), g⟩ = ⟨F, irfft2_adjoint(g)⟩ over real and
/// imaginary parts. It is w_v/2304 · rfft2(g), not the inverse of irfft2.
pub fn irfft2_adjoint(grad_picture: &[f32]) -> Spectrum {
    let mut gradient = rfft2(grad_picture);
    for part in [&mut gradient.re, &mut gradient.im] {
        for (bin, g) in part.iter_mut().enumerate() {
            *g *= column_weight(bin % COLUMNS) / PIXELS as f32;
        }
    }
    gradient
}

fn column_weight(v: usize) -> f32 {
    if v == 0 || v == SIDE / 2 { 1.0 } else { 2.0 }
}

/// out\[u,v\] = Σ_i x\[i,v\]·e^{sign·2πi·ui/48}.
fn transform_columns(x: &Spectrum, sign: f32) -> Spectrum {
    let t = tables();
    let mut out = Spectrum::zeros();
    for u in 0..SIDE {
        let line = u * COLUMNS..(u + 1) * COLUMNS;
        for i in 0..SIDE {
            let (cos, sin) = (t.cos[u * SIDE + i], sign * t.sin[u * SIDE + i]);
            let from = i * COLUMNS..(i + 1) * COLUMNS;
            axpy(&mut out.re[line.clone()], cos, &x.re[from.clone()]);
            axpy(&mut out.re[line.clone()], -sin, &x.im[from.clone()]);
            axpy(&mut out.im[line.clone()], cos, &x.im[from.clone()]);
            axpy(&mut out.im[line.clone()], sin, &x.re[from]);
        }
    }
    out
}

/// Returns the radial frequency of every bin in cycles per pixel, 0 to 0.71.
pub fn frequencies() -> Vec<f64> {
    let row = |u: usize| if u <= SIDE / 2 { u as f64 } else { u as f64 - SIDE as f64 };
    (0..BINS).map(|b| row(b / COLUMNS).hypot((b % COLUMNS) as f64) / SIDE as f64).collect()
}

/// Returns how often every bin occurs in the full spectrum: 1 or 2.
pub fn bin_weights() -> Vec<f64> {
    (0..BINS).map(|b| f64::from(column_weight(b % COLUMNS))).collect()
}

/// Returns the separable Hann window sin²(π(i + ½)/48)·sin²(π(j + ½)/48).
pub fn hann() -> Vec<f32> {
    let w = |i: usize| (std::f64::consts::PI * (i as f64 + 0.5) / SIDE as f64).sin().powi(2);
    (0..PIXELS).map(|p| (w(p / SIDE) * w(p % SIDE)) as f32).collect()
}

/// Treatment of the jump between opposite edges of a face, which the transform joins. Untreated,
/// the jump puts a bright cross into the spectrum and a frame into every picture made from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Extension {
    /// None, for comparison.
    None,
    /// Fade the face out towards its edges.
    #[default]
    Hann,
    /// Continue the face by its mirror image, so that opposite edges agree.
    Mirror,
}

/// Returns the mean magnitude |rfft2| of faces `[n, 48, 48]`, each standardised to mean 0 and
/// deviation 1; bin 0 is 0.
pub fn mean_magnitude(faces: &[f32], extension: Extension) -> Vec<f32> {
    let window = hann();
    let one = |face: &[f32]| {
        let wide: Vec<f64> = face.iter().map(|&v| f64::from(v)).collect();
        let (mean, sd) = mean_sd(&wide);
        let mut x: Vec<f32> = wide.iter().map(|v| ((v - mean) / sd.max(1e-6)) as f32).collect();
        match extension {
            Extension::None => {}
            Extension::Hann => x.iter_mut().zip(&window).for_each(|(v, w)| *v *= w),
            Extension::Mirror => x = fold_mirror(&x),
        }
        rfft2(&x).magnitude()
    };
    let magnitudes: Vec<Vec<f32>> = faces.par_chunks_exact(PIXELS).map(one).collect();
    let mut sum = vec![0.0f64; BINS];
    for magnitude in &magnitudes {
        sum.iter_mut().zip(magnitude).for_each(|(s, &m)| *s += f64::from(m));
    }
    sum[0] = 0.0;
    sum.iter().map(|s| (s / magnitudes.len().max(1) as f64) as f32).collect()
}

/// Mean of a picture and its three mirror images. Its 48×48 transform is that of the mirrored
/// 96×96 picture at the same frequencies (the even bins), up to a constant.
fn fold_mirror(x: &[f32]) -> Vec<f32> {
    let flip = |i: usize| SIDE - 1 - i;
    (0..PIXELS)
        .map(|p| {
            let (i, j) = (p / SIDE, p % SIDE);
            let at = |i: usize, j: usize| x[i * SIDE + j];
            (at(i, j) + at(flip(i), j) + at(i, flip(j)) + at(flip(i), flip(j))) / 4.0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Rng};

    fn noise(index: u64, n: usize) -> Vec<f32> {
        let mut rng = Rng::new(7, Purpose::Test, 0, index);
        (0..n).map(|_| rng.normal() as f32).collect()
    }

    #[test]
    fn transform_of_a_wave_is_one_bin() {
        // cos(2π(3i + 5j)/48): half of it, 1152, in bin (3, 5).
        let wave = |p: usize| (TAU * (3 * (p / SIDE) + 5 * (p % SIDE)) as f64 / 48.0).cos() as f32;
        let found = rfft2(&(0..PIXELS).map(wave).collect::<Vec<_>>());
        for bin in 0..BINS {
            let expected = if bin == 3 * COLUMNS + 5 { 1152.0 } else { 0.0 };
            assert!((found.re[bin] - expected).abs() < 0.01 && found.im[bin].abs() < 0.01);
        }
        // A shift to the right by one pixel turns the phase by −2π·5/48.
        let moved = |p: usize| {
            let j = (p % SIDE) as f64 - 1.0;
            (TAU * (3.0 * (p / SIDE) as f64 + 5.0 * j) / 48.0).cos() as f32
        };
        let found = rfft2(&(0..PIXELS).map(moved).collect::<Vec<_>>());
        let phase = found.im[3 * COLUMNS + 5].atan2(found.re[3 * COLUMNS + 5]);
        assert!((f64::from(phase) + TAU * 5.0 / 48.0).abs() < 1e-4);
    }

    #[test]
    fn inverse_undoes_transform() {
        let x = noise(0, PIXELS);
        let back = irfft2(&rfft2(&x));
        assert!(x.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn adjoint_identity_of_the_inverse() {
        let f = Spectrum { re: noise(1, BINS), im: noise(2, BINS) };
        let g = noise(3, PIXELS);
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
        };
        let left = dot(&irfft2(&f), &g);
        let adjoint = irfft2_adjoint(&g);
        let right = dot(&f.re, &adjoint.re) + dot(&f.im, &adjoint.im);
        assert!((left - right).abs() < 1e-5 * left.abs().max(1.0), "{left} {right}");
    }

    #[test]
    fn extension_removes_the_cross_of_a_ramp() {
        // A brightness ramp jumps at the border: all its power lies on the row u = 0.
        let ramp: Vec<f32> = (0..PIXELS).map(|p| (p % SIDE) as f32 / 47.0).collect();
        let high = |e: Extension| {
            let m = mean_magnitude(&ramp, e);
            m[12..COLUMNS].iter().sum::<f32>() / m.iter().sum::<f32>()
        };
        assert!(high(Extension::None) > 0.15, "{}", high(Extension::None));
        assert!(high(Extension::Hann) < 0.02, "{}", high(Extension::Hann));
    }
}
