//! RISE: random masks, averaged with the probability of the masked face as weight.

use crate::dataset::image::resize::resize_bilinear;
use crate::explain::batch::probabilities_of;
use crate::explain::{Face, FaceBatch};
use crate::random::{Purpose, Rng};
use crate::{PIXELS, Result, SIDE};
use rayon::prelude::*;

/// How RISE draws its masks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiseOptions {
    /// Number of masks.
    pub samples: usize,
    /// Cells per side of the coarse grid.
    pub grid: usize,
    /// Probability that a cell is shown.
    pub p: f64,
    /// Seed.
    pub seed: u64,
}

impl Default for RiseOptions {
    fn default() -> Self {
        RiseOptions { samples: 2000, grid: 6, p: 0.5, seed: 0 }
    }
}

/// The RISE map of one face.
#[derive(Clone, Debug)]
pub struct Rise {
    /// Σ_k f_k·m_k / Σ_k m_k, `[48, 48]`: the expected probability when the pixel is shown.
    pub map: Vec<f32>,
    /// Mean probability over the masks. Pixels above it help the class.
    pub mean: f32,
    /// Monte-Carlo standard error of the map: the root mean square over the pixels.
    pub standard_error: f32,
}

/// Returns the map Σ_k f_k·m_k / Σ_k m_k of every face, where f_k is the probability of the
/// target's class on b + m_k·(x − b), and b the picture `fill` (the mean face). All faces get the
/// same masks.
///
/// A mask is grid×grid Bernoulli(p) cells, resized (bilinear) to (1 + 1/grid)·48 pixels per side
/// and cropped to 48×48 at a random offset. The divisor is Σ m, as in xplique, instead of the
/// paper's N·p: it is exact for the masks that were drawn.
///
/// **Source**: Petsiuk, Das & Saenko 2018 (arXiv 1806.07421).
pub fn rise(faces: &FaceBatch<'_>, fill: &Face, options: &RiseOptions) -> Result<Vec<Rise>> {
    let grid = options.grid.clamp(1, SIDE);
    let masks: Vec<Vec<f32>> =
        (0..options.samples as u64).into_par_iter().map(|k| mask(options, grid, k)).collect();
    let one_face = |f: usize| {
        let x = faces.face(f);
        let draw = |k: usize, out: &mut [f32]| {
            for (((o, x), b), m) in out.iter_mut().zip(x).zip(fill.iter()).zip(&masks[k]) {
                *o = b + m * (x - b);
            }
        };
        let found = probabilities_of(faces.classifier(), faces.class(f), masks.len(), draw)?;
        Ok(average(&masks, &found))
    };
    (0..faces.len()).map(one_face).collect()
}

/// Mask k, `[48, 48]` in \[0,1\].
fn mask(options: &RiseOptions, grid: usize, k: u64) -> Vec<f32> {
    let mut rng = Rng::new(options.seed, Purpose::Explain, 2, k);
    let cells: Vec<f32> =
        (0..grid * grid).map(|_| f32::from(u8::from(rng.bernoulli(options.p)))).collect();
    let cell = SIDE.div_ceil(grid);
    let (top, left) = (rng.below(cell), rng.below(cell));
    let large = SIDE + cell;
    let up = resize_bilinear(&cells, grid, grid, large, large);
    (0..PIXELS).map(|p| up[(top + p / SIDE) * large + left + p % SIDE]).collect()
}

/// The map and its standard error, sqrt(Σ m²(f − map)²)/Σ m.
fn average(masks: &[Vec<f32>], probabilities: &[f32]) -> Rise {
    let (mut weight, mut sum) = (vec![0.0f64; PIXELS], vec![0.0f64; PIXELS]);
    for (mask, &f) in masks.iter().zip(probabilities) {
        for ((w, s), &m) in weight.iter_mut().zip(&mut sum).zip(mask) {
            *w += f64::from(m);
            *s += f64::from(m) * f64::from(f);
        }
    }
    let map: Vec<f64> = sum.iter().zip(&weight).map(|(s, w)| s / w.max(1e-12)).collect();
    let mut variance = vec![0.0f64; PIXELS];
    for (mask, &f) in masks.iter().zip(probabilities) {
        for ((v, &m), mean) in variance.iter_mut().zip(mask).zip(&map) {
            *v += (f64::from(m) * (f64::from(f) - mean)).powi(2);
        }
    }
    let squares = variance.iter().zip(&weight).map(|(v, w)| v / w.max(1e-12).powi(2));
    Rise {
        standard_error: (squares.sum::<f64>() / PIXELS as f64).sqrt() as f32,
        mean: (probabilities.iter().map(|&f| f64::from(f)).sum::<f64>()
            / probabilities.len().max(1) as f64) as f32,
        map: map.iter().map(|&v| v as f32).collect(),
    }
}
