//! Maps of a whole test set: what the faces of a class have in common.

use super::batch::face;
use super::model::Maps;
use super::picture::mean_face;
use crate::{Error, PIXELS, Result};

/// Mean densities (see [`mean_density`]), each `[48, 48]`.
#[derive(Clone, Debug)]
pub struct ClassMaps {
    /// Mean density of each true class; zeros where it has no map.
    pub mean: Vec<Vec<f32>>,
    /// Mean density of correct faces minus that of wrong ones, for each true class; `None`
    /// where one of the two groups is empty.
    pub correct_minus_wrong: Vec<Option<Vec<f32>>>,
    /// Faces of each class with a map.
    pub faces: Vec<usize>,
    /// Faces left out, for their map is blank.
    pub blank: usize,
}

/// Mean density of maps `[n, 48, 48]` by true class, and correct minus wrong.
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
        mean_density(maps, &(0..n).filter(|&f| keep(f)).collect::<Vec<_>>())
    };
    let difference = |c: usize| {
        let correct = mean_of(&|f| labels[f] == c && predicted[f] == c)?;
        let wrong = mean_of(&|f| labels[f] == c && predicted[f] != c)?;
        Some(correct.iter().zip(&wrong).map(|(a, b)| a - b).collect())
    };
    let full = |&f: &usize| !is_blank(face(maps, f));
    Ok(ClassMaps {
        mean: (0..classes)
            .map(|c| mean_of(&|f| labels[f] == c).unwrap_or_else(|| vec![0.0; PIXELS]))
            .collect(),
        correct_minus_wrong: (0..classes).map(difference).collect(),
        faces: (0..classes)
            .map(|c| (0..n).filter(full).filter(|&f| labels[f] == c).count())
            .collect(),
        blank: n - (0..n).filter(full).count(),
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

/// Mean over the chosen ones of maps `[n, 48, 48]`, each as a density: |map| ÷ its mean over the
/// pixels, so that 1 is the even share and a face with a large gradient counts no more than another.
/// Blank maps say nothing and are left out; `None` where no other is left.
pub fn mean_density(maps: &[f32], chosen: &[usize]) -> Option<Vec<f32>> {
    let mut sum = vec![0.0f64; PIXELS];
    let mut n = 0.0;
    for map in chosen.iter().map(|&f| face(maps, f)).filter(|map| !is_blank(map)) {
        let total: f64 = map.iter().map(|v| f64::from(v.abs())).sum();
        for (s, v) in sum.iter_mut().zip(map) {
            *s += f64::from(v.abs()) * PIXELS as f64 / total;
        }
        n += 1.0;
    }
    (n > 0.0).then(|| sum.iter().map(|s| (s / n) as f32).collect())
}

fn is_blank(map: &[f32]) -> bool {
    map.iter().all(|v| *v == 0.0)
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
