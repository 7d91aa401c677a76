//! Whether the regions tell the classes apart: a linear classifier on the evidence of each region.
//!
//! An explanation that looks the same for every class explains none. Multinomial logistic regression
//! predicts the class of correctly read faces from what each region does to the score of the answer. How
//! much the place counts is shown by the same classifier on faces whose regions were shuffled.

use crate::random::{Purpose, Rng};
use crate::stats::{argmax, mean_sd};
use crate::{Error, Result};
use rayon::prelude::*;

/// Parts into which the faces are divided: each is predicted by a classifier fitted on the others.
const FOLDS: usize = 10;
/// Steps of gradient descent, their length, and the weight of the squared coefficients.
const STEPS: usize = 400;
const RATE: f64 = 0.5;
const DECAY: f64 = 1e-2;

/// Accuracy of a classifier that knows only the evidence of the regions.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Separation {
    /// Share of the faces whose class is named, each by a classifier that has not seen it.
    pub accuracy: f64,
    /// The same where the regions of each face stand in random order.
    pub shuffled: f64,
    /// Share of the largest class, which guessing reaches.
    pub largest: f64,
    /// Number of faces.
    pub faces: usize,
}

/// Measures the separation of n faces of these classes by evidence `[n][regions·values]`, with `values` per
/// region; `None` for fewer than ten faces or a single class.
///
/// # Errors
/// [`Error::Shape`] where the counts differ.
pub fn separation(
    evidence: &[Vec<f64>],
    values: usize,
    classes: &[usize],
    seed: u64,
) -> Result<Option<Separation>> {
    let n = classes.len();
    let width = evidence.first().map_or(0, Vec::len);
    let fits = |row: &Vec<f64>| row.len() == width && values > 0 && width.is_multiple_of(values);
    if evidence.len() != n || !evidence.iter().all(fits) {
        let detail = format!("{n} classes, {} rows of {width} values", evidence.len());
        return Err(Error::shape("separation", detail));
    }
    let count = classes.iter().max().map_or(0, |c| c + 1);
    let of_class = |c: usize| classes.iter().filter(|&&k| k == c).count();
    let largest = (0..count).map(of_class).max().unwrap_or(0);
    if n < FOLDS || largest == n {
        return Ok(None);
    }
    let mut rng = Rng::new(seed, Purpose::Explain, 24, 0);
    let mut order: Vec<usize> = (0..n).collect();
    rng.shuffle(&mut order);
    let mut elsewhere = |row: &Vec<f64>| -> Vec<f64> {
        let mut regions: Vec<&[f64]> = row.chunks_exact(values).collect();
        rng.shuffle(&mut regions);
        regions.concat()
    };
    let shuffled: Vec<Vec<f64>> = evidence.iter().map(&mut elsewhere).collect();
    let share = |k: usize| k as f64 / n as f64;
    let named = |rows: &[Vec<f64>]| share(named(rows, classes, count, &order));
    Ok(Some(Separation {
        accuracy: named(evidence),
        shuffled: named(&shuffled),
        largest: share(largest),
        faces: n,
    }))
}

/// Number of faces whose class is named by a classifier that was fitted on the other folds.
fn named(evidence: &[Vec<f64>], classes: &[usize], count: usize, order: &[usize]) -> usize {
    let rows = standardised(evidence.to_vec());
    let right = |fold: usize| {
        let (held, fitted): (Vec<usize>, Vec<usize>) =
            (0..order.len()).partition(|place| place % FOLDS == fold);
        let own = |places: Vec<usize>| places.into_iter().map(|p| order[p]).collect::<Vec<_>>();
        let weights = fit(&rows, classes, &own(fitted), count);
        own(held).iter().filter(|&&f| argmax(&scores(&weights, &rows[f])) == classes[f]).count()
    };
    (0..FOLDS).into_par_iter().map(right).sum()
}

/// Brings every value to mean 0 and deviation 1, and adds the constant.
fn standardised(mut rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    for k in 0..rows.first().map_or(0, Vec::len) {
        let (mean, sd) = mean_sd(&rows.iter().map(|row| row[k]).collect::<Vec<_>>());
        rows.iter_mut().for_each(|row| row[k] = (row[k] - mean) / sd.max(1e-12));
    }
    rows.iter_mut().for_each(|row| row.push(1.0));
    rows
}

fn scores(weights: &[Vec<f64>], row: &[f64]) -> Vec<f64> {
    weights.iter().map(|w| w.iter().zip(row).map(|(w, v)| w * v).sum()).collect()
}

fn probabilities(scores: &[f64]) -> Vec<f64> {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = scores.iter().map(|s| (s - top).exp()).collect();
    let sum: f64 = raised.iter().sum();
    raised.into_iter().map(|r| r / sum).collect()
}

/// Fits the weights of each class on some of the faces by gradient descent.
fn fit(rows: &[Vec<f64>], classes: &[usize], faces: &[usize], count: usize) -> Vec<Vec<f64>> {
    let mut weights = vec![vec![0.0; rows.first().map_or(0, Vec::len)]; count];
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

    /// Evidence of three regions for three classes: random, and stronger in the region of the class.
    fn evidence(strength: f64) -> (Vec<Vec<f64>>, Vec<usize>) {
        let mut rng = Rng::new(5, Purpose::Test, 0, 0);
        let classes: Vec<usize> = (0..90).map(|f| f % 3).collect();
        let mut row = |class: &usize| -> Vec<f64> {
            let level = |k: usize| if k / 2 == *class { strength } else { 0.0 };
            (0..6).map(|k| rng.normal() + level(k)).collect()
        };
        (classes.iter().map(&mut row).collect(), classes)
    }

    #[test]
    fn the_place_of_the_evidence_names_the_class_and_noise_does_not() {
        let found = |strength| {
            let (rows, classes) = evidence(strength);
            separation(&rows, 2, &classes, 0).unwrap().unwrap()
        };
        for strong in [found(3.0), found(-3.0)] {
            assert!(strong.accuracy > 0.95, "{strong:?}");
            assert!(strong.shuffled < 0.6, "the region is lost: {strong:?}");
        }
        assert!(found(0.0).accuracy < 0.6, "{:?}", found(0.0));
        assert_eq!((found(3.0).faces, found(3.0).largest), (90, 1.0 / 3.0));
        let (rows, _) = evidence(1.0);
        assert_eq!(separation(&rows, 2, &[1; 90], 0).unwrap(), None);
        assert!(separation(&rows, 2, &[1; 7], 0).is_err());
        assert!(separation(&rows, 4, &[1; 90], 0).is_err());
    }
}
