//! RISE: random masks, weighed by what the network still sees through them.

use crate::explain::Classifier;
use crate::explain::batch::{face, probabilities_of};
use crate::explain::image_ops::resize;
use crate::explain::validate::{check_classes, check_picture};
use crate::random::{Purpose, Rng};
use crate::{PIXELS, Result, SIDE};
use rayon::prelude::*;

/// Masks of RISE.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiseOptions {
    /// Number.
    pub samples: usize,
    /// Cells a side of the coarse grid.
    pub grid: usize,
    /// Chance of a cell to be seen.
    pub p: f64,
    /// Seed.
    pub seed: u64,
}

impl Default for RiseOptions {
    fn default() -> Self {
        RiseOptions { samples: 2000, grid: 6, p: 0.5, seed: 0 }
    }
}

/// Importance map of one face.
#[derive(Clone, Debug)]
pub struct Rise {
    /// Σ_k f_k·m_k / Σ_k m_k, `[48, 48]`: the expected probability given that the pixel is seen.
    pub map: Vec<f32>,
    /// Mean probability over the masks. A pixel above it helps the class.
    pub mean: f32,
    /// Monte-Carlo standard error of the map, root mean square over the pixels.
    pub standard_error: f32,
}

/// RISE maps of every face for the probability of `classes[face]`; hidden parts show `fill`, one
/// picture of 48×48 (the mean face). All faces wear the same masks.
///
/// Mask: grid×grid Bernoulli(p) cells, bilinear to (1 + 1/grid)·48, cropped to 48×48 at a random
/// offset. Divided by Σ m, as xplique does, instead of the paper's N·p: exact for the masks drawn.
/// **Errors**: those of [`check_classes`]; `Shape` for a fill that is not 48×48.
/// **Source**: Petsiuk, Das & Saenko 2018 (arXiv 1806.07421).
pub fn rise(
    model: &dyn Classifier,
    faces: &[f32],
    classes: &[usize],
    fill: &[f32],
    masks: &RiseOptions,
) -> Result<Vec<Rise>> {
    check_classes(model, faces, classes)?;
    check_picture("fill", fill)?;
    let grid = masks.grid.clamp(1, SIDE);
    let drawn: Vec<Vec<f32>> =
        (0..masks.samples as u64).into_par_iter().map(|k| mask(masks, grid, k)).collect();
    let one_face = |(f, &class): (usize, &usize)| {
        let draw = |k: usize, out: &mut [f32]| {
            for (((o, x), b), m) in out.iter_mut().zip(face(faces, f)).zip(fill).zip(&drawn[k]) {
                *o = b + m * (x - b);
            }
        };
        let seen = probabilities_of(model, drawn.len(), draw, |_| class)?;
        Ok(average(&drawn, &seen))
    };
    classes.iter().enumerate().map(one_face).collect()
}

fn mask(masks: &RiseOptions, grid: usize, k: u64) -> Vec<f32> {
    let mut rng = Rng::new(masks.seed, Purpose::Explain, 2, k);
    let cells: Vec<f32> =
        (0..grid * grid).map(|_| f32::from(u8::from(rng.bernoulli(masks.p)))).collect();
    let cell = SIDE.div_ceil(grid);
    let (top, left) = (rng.below(cell), rng.below(cell));
    let large = SIDE + cell;
    let up = resize(&cells, grid, grid, large, large);
    (0..PIXELS).map(|p| up[(top + p / SIDE) * large + left + p % SIDE]).collect()
}

/// The weighted mean and its standard error, sqrt(Σ m²(f − map)²)/Σ m.
fn average(masks: &[Vec<f32>], seen: &[f32]) -> Rise {
    let (mut weight, mut sum) = (vec![0.0f64; PIXELS], vec![0.0f64; PIXELS]);
    for (mask, &f) in masks.iter().zip(seen) {
        for ((w, s), &m) in weight.iter_mut().zip(&mut sum).zip(mask) {
            *w += f64::from(m);
            *s += f64::from(m) * f64::from(f);
        }
    }
    let map: Vec<f64> = sum.iter().zip(&weight).map(|(s, w)| s / w.max(1e-12)).collect();
    let mut variance = vec![0.0f64; PIXELS];
    for (mask, &f) in masks.iter().zip(seen) {
        for ((v, &m), mean) in variance.iter_mut().zip(mask).zip(&map) {
            *v += (f64::from(m) * (f64::from(f) - mean)).powi(2);
        }
    }
    let squares = variance.iter().zip(&weight).map(|(v, w)| v / w.max(1e-12).powi(2));
    Rise {
        standard_error: (squares.sum::<f64>() / PIXELS as f64).sqrt() as f32,
        mean: (seen.iter().map(|&f| f64::from(f)).sum::<f64>() / seen.len().max(1) as f64) as f32,
        map: map.iter().map(|&v| v as f32).collect(),
    }
}
