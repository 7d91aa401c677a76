//! Maps of a whole test set: what the faces of a class have in common.

use super::batch::face;
use super::model::Maps;
use super::picture::mean_face;
use crate::{Error, PIXELS, Result};

/// Mean maps, each `[48, 48]`.
#[derive(Clone, Debug)]
pub struct ClassMaps {
    /// Mean magnitude of each true class; zeros where it has no face.
    pub mean: Vec<Vec<f32>>,
    /// Mean magnitude of correct faces minus that of wrong ones, for each true class; `None`
    /// where one of the two groups is empty.
    pub correct_minus_wrong: Vec<Option<Vec<f32>>>,
    /// Faces of each class.
    pub faces: Vec<usize>,
}

/// Mean magnitude of maps `[n, 48, 48]` by true class, and correct minus wrong.
///
/// **Errors**: `Shape` where counts disagree or a label is out of range.
pub fn class_maps(
    maps: &[f32],
    labels: &[usize],
    predicted: &[usize],
    classes: usize,
) -> Result<ClassMaps> {
    let n = labels.len();
    if maps.len() != n * PIXELS || predicted.len() != n || labels.iter().any(|&c| c >= classes) {
        let detail = format!("{} map values, {n} labels of {classes} classes", maps.len());
        return Err(Error::shape("class_maps", detail));
    }
    let mean_of = |keep: &dyn Fn(usize) -> bool| {
        mean_magnitude(maps, &(0..n).filter(|&f| keep(f)).collect::<Vec<_>>())
    };
    let difference = |c: usize| {
        let correct = mean_of(&|f| labels[f] == c && predicted[f] == c)?;
        let wrong = mean_of(&|f| labels[f] == c && predicted[f] != c)?;
        Some(correct.iter().zip(&wrong).map(|(a, b)| a - b).collect())
    };
    Ok(ClassMaps {
        mean: (0..classes)
            .map(|c| mean_of(&|f| labels[f] == c).unwrap_or_else(|| vec![0.0; PIXELS]))
            .collect(),
        correct_minus_wrong: (0..classes).map(difference).collect(),
        faces: (0..classes).map(|c| labels.iter().filter(|&&l| l == c).count()).collect(),
    })
}

/// Mean face of each class, of faces `[n, 48, 48]`.
pub fn mean_faces(faces: &[f32], labels: &[usize], classes: usize) -> Vec<Vec<f32>> {
    let of_class = |c: usize| {
        let own = (0..labels.len()).filter(|&f| labels[f] == c);
        mean_face(&own.flat_map(|f| face(faces, f)).copied().collect::<Vec<f32>>())
    };
    (0..classes).map(of_class).collect()
}

/// Mean over wrong faces of |map for the true class| − |map for the predicted class|: where the
/// evidence it overlooked lies, minus where the evidence it fell for lies. `None` without errors.
pub fn true_minus_predicted(
    true_maps: &[f32],
    predicted_maps: &[f32],
    labels: &[usize],
    predicted: &[usize],
) -> Option<Vec<f32>> {
    let wrong: Vec<usize> = (0..labels.len()).filter(|&f| labels[f] != predicted[f]).collect();
    let a = mean_magnitude(true_maps, &wrong)?;
    let b = mean_magnitude(predicted_maps, &wrong)?;
    Some(a.iter().zip(&b).map(|(a, b)| a - b).collect())
}

/// Mean magnitude over the chosen ones of maps `[n, 48, 48]`; `None` of none.
pub fn mean_magnitude(maps: &[f32], chosen: &[usize]) -> Option<Vec<f32>> {
    let mut sum = vec![0.0f64; PIXELS];
    for &f in chosen {
        for (s, v) in sum.iter_mut().zip(&maps[f * PIXELS..(f + 1) * PIXELS]) {
            *s += f64::from(v.abs());
        }
    }
    let n = chosen.len() as f64;
    (n > 0.0).then(|| sum.iter().map(|s| (s / n) as f32).collect())
}

/// Mean feature map of each class: channels of `maps` averaged over the faces with that label,
/// `[classes][c·h·w]`, zeros for a class without faces.
pub fn mean_feature_maps(maps: &Maps, labels: &[usize], classes: usize) -> Vec<Vec<f32>> {
    let size = maps.c * maps.h * maps.w;
    let mut sums = vec![vec![0.0f64; size]; classes];
    let mut counts = vec![0.0f64; classes];
    for (f, &c) in labels.iter().enumerate().filter(|&(_, &c)| c < classes) {
        counts[c] += 1.0;
        for (s, &v) in sums[c].iter_mut().zip(maps.face(f)) {
            *s += f64::from(v);
        }
    }
    let scale = |(sum, n): (Vec<f64>, f64)| sum.iter().map(|s| (s / n.max(1.0)) as f32).collect();
    sums.into_iter().zip(counts).map(scale).collect()
}
