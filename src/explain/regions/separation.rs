//! Whether the maps tell the classes apart: a linear classifier on the shares of the regions.
//!
//! A map that looks the same for every class explains none. Multinomial logistic regression predicts
//! the class of correctly read faces from what its map puts on each region, for and against; chance is
//! the share of the largest class.

use crate::explain::regions::face_regions::{REGIONS, Template};
use crate::random::{Purpose, Rng};
use crate::stats::{argmax, mean_sd};
use crate::{Error, PIXELS, Result};
use rayon::prelude::*;

/// Parts into which the faces are divided: each is predicted by a classifier fitted on the others.
const FOLDS: usize = 10;
/// Steps of gradient descent, their length, and the weight of the squared coefficients.
const STEPS: usize = 400;
const RATE: f64 = 0.5;
const DECAY: f64 = 1e-3;
/// Values of a face: its evidence for the class and against it in every region, and a constant.
const VALUES: usize = 2 * REGIONS + 1;

/// Accuracy of a classifier that knows only the shares of the regions.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Separation {
    /// Share of the faces whose class is named, each by a classifier that has not seen it.
    pub accuracy: f64,
    /// Share of the largest class, which guessing reaches.
    pub largest: f64,
    /// Number of faces.
    pub faces: usize,
}

/// Measures the separation of maps `[n, 48, 48]` of n faces with these classes; `None` for fewer than
/// ten faces or a single class.
///
/// # Errors
/// [`Error::Shape`] where the counts differ.
pub fn separation(
    maps: &[f32],
    templates: &[Template],
    classes: &[usize],
    seed: u64,
) -> Result<Option<Separation>> {
    let n = classes.len();
    if maps.len() != n * PIXELS || templates.len() != n {
        let detail = format!("{n} classes, {} templates, {} values", templates.len(), maps.len());
        return Err(Error::shape("separation", detail));
    }
    let count = classes.iter().max().map_or(0, |c| c + 1);
    let of_class = |c: usize| classes.iter().filter(|&&k| k == c).count();
    let largest = (0..count).map(of_class).max().unwrap_or(0);
    if n < FOLDS || largest == n {
        return Ok(None);
    }
    let rows = standardised(maps.chunks_exact(PIXELS).zip(templates).map(shares).collect());
    let mut order: Vec<usize> = (0..n).collect();
    Rng::new(seed, Purpose::Explain, 24, 0).shuffle(&mut order);
    let right = |fold: usize| {
        let (held, fitted): (Vec<usize>, Vec<usize>) =
            (0..n).partition(|place| place % FOLDS == fold);
        let own = |places: Vec<usize>| places.into_iter().map(|p| order[p]).collect::<Vec<_>>();
        let weights = fit(&rows, classes, &own(fitted), count);
        own(held).iter().filter(|&&f| argmax(&scores(&weights, &rows[f])) == classes[f]).count()
    };
    let right: usize = (0..FOLDS).into_par_iter().map(right).sum();
    let share = |k: usize| k as f64 / n as f64;
    Ok(Some(Separation { accuracy: share(right), largest: share(largest), faces: n }))
}

/// The evidence in each region, for the class and against it, as shares of Σ|map|.
fn shares((map, template): (&[f32], &Template)) -> [f64; VALUES] {
    let mut sums = [0.0; VALUES];
    for (region, &v) in template.regions.iter().zip(map) {
        sums[*region as usize + if v < 0.0 { REGIONS } else { 0 }] += f64::from(v.abs());
    }
    let total: f64 = sums.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    sums.map(|s| s / total)
}

/// Brings every value to mean 0 and deviation 1, and adds the constant.
fn standardised(mut rows: Vec<[f64; VALUES]>) -> Vec<[f64; VALUES]> {
    for k in 0..VALUES - 1 {
        let (mean, sd) = mean_sd(&rows.iter().map(|row| row[k]).collect::<Vec<_>>());
        rows.iter_mut().for_each(|row| row[k] = (row[k] - mean) / sd.max(1e-12));
    }
    rows.iter_mut().for_each(|row| row[VALUES - 1] = 1.0);
    rows
}

fn scores(weights: &[[f64; VALUES]], row: &[f64; VALUES]) -> Vec<f64> {
    weights.iter().map(|w| w.iter().zip(row).map(|(w, v)| w * v).sum()).collect()
}

fn probabilities(scores: &[f64]) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = scores.iter().map(|s| (s - top).exp()).collect();
    let sum: f64 = raised.iter().sum();
    raised.into_iter().map(|r| r / sum).collect()
}

/// Fits the weights of each class on some of the faces by gradient descent.
fn fit(
    rows: &[[f64; VALUES]],
    classes: &[usize],
    faces: &[usize],
    count: usize,
) -> Vec<[f64; VALUES]> {
    let mut weights = vec![[0.0; VALUES]; count];
    for _ in 0..STEPS {
        let mut gradient = weights.clone();
        gradient.iter_mut().flatten().for_each(|g| *g *= DECAY);
        for &f in faces {
            let p = probabilities(&scores(&weights, &rows[f]));
            for (class, g) in gradient.iter_mut().enumerate() {
                let error = p[class] - f64::from(u8::from(classes[f] == class));
                g.iter_mut().zip(&rows[f]).for_each(|(g, v)| *g += error * v / faces.len() as f64);
            }
        }
        let all = weights.iter_mut().flatten().zip(gradient.iter().flatten());
        all.for_each(|(w, g)| *w -= RATE * g);
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::regions::face_regions::Region;

    /// Maps of random numbers, with something added on one region per class.
    fn maps(strength: f32) -> (Vec<f32>, Vec<Template>, Vec<usize>) {
        let mut rng = Rng::new(5, Purpose::Test, 0, 0);
        let template = Template::fixed();
        let classes: Vec<usize> = (0..60).map(|f| f % 3).collect();
        let map = |class: &usize| -> Vec<f32> {
            let region = [Region::Mouth, Region::Eyes, Region::Nose][*class];
            let level = |own: &Region| if *own == region { strength } else { 0.0 };
            template.regions.iter().map(|r| rng.normal() as f32 + level(r)).collect()
        };
        (classes.iter().flat_map(map).collect(), vec![template.clone(); 60], classes)
    }

    #[test]
    fn maps_that_differ_by_class_are_told_apart_and_noise_is_not() {
        let found = |strength| {
            let (maps, templates, classes) = maps(strength);
            separation(&maps, &templates, &classes, 0).unwrap().unwrap()
        };
        assert!(found(2.0).accuracy > 0.95, "{:?}", found(2.0));
        assert!(found(-2.0).accuracy > 0.95, "evidence against counts as well");
        assert!(found(0.0).accuracy < 0.6, "{:?}", found(0.0));
        assert_eq!((found(2.0).faces, found(2.0).largest), (60, 1.0 / 3.0));
        let (maps, templates, _) = maps(1.0);
        assert_eq!(separation(&maps, &templates, &[1; 60], 0).unwrap(), None);
        assert!(separation(&maps, &templates, &[1; 7], 0).is_err());
    }
}
