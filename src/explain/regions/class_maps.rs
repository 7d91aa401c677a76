//! Mean maps of each class over a set of faces.

use crate::explain::batch::face;
use crate::model::mean_face::mean_of;
use crate::{Error, PIXELS, Result};

/// Mean densities of each class (see [`mean_density`]), each `[48, 48]`.
#[derive(Clone, Debug)]
pub struct ClassMaps {
    /// Mean density of each true class; zeros where it has no maps.
    pub mean: Vec<Vec<f32>>,
    /// Mean density of each class minus the mean of all classes that have maps: what is its own.
    pub own: Vec<Vec<f32>>,
    /// Mean density of correct faces minus that of wrong ones, for each true class; `None`
    /// where one of the two groups is empty.
    pub correct_minus_wrong: Vec<Option<Difference>>,
    /// Faces of each class whose map is not zero.
    pub faces: Vec<usize>,
    /// Faces left out because their map is zero.
    pub blank: usize,
}

/// Mean density of one group of faces minus that of another.
#[derive(Clone, Debug)]
pub struct Difference {
    /// `[48, 48]`.
    pub map: Vec<f32>,
    /// Faces of each group whose map is not zero.
    pub faces: [usize; 2],
    /// Share of the map's mean square that is noise: the mean over the pixels of the squared
    /// standard error, divided by the mean squared difference. Near 1 the difference is chance.
    pub noise: f64,
}

impl Difference {
    /// `None` where a group is empty.
    fn of(maps: &[f32], groups: [&[usize]; 2]) -> Option<Difference> {
        let [(a, a2, n), (b, b2, m)] =
            [density_moments(maps, groups[0])?, density_moments(maps, groups[1])?];
        let (mut error, mut size) = (0.0, 0.0);
        for p in 0..PIXELS {
            let variance = |mean: f64, square: f64, n: f64| {
                (square - mean * mean).max(0.0) / (n - 1.0).max(1.0)
            };
            error += variance(a[p], a2[p], n) + variance(b[p], b2[p], m);
            size += (a[p] - b[p]).powi(2);
        }
        let map = a.iter().zip(&b).map(|(a, b)| (a - b) as f32).collect();
        let few = n.min(m) < 2.0; // one face has no variance
        let noise = if few { 1.0 } else { (error / size.max(f64::MIN_POSITIVE)).min(1.0) };
        Some(Difference { map, faces: [n as usize, m as usize], noise })
    }
}

/// Computes the mean density of maps `[n, 48, 48]` by true class, and correct minus wrong.
///
/// **Errors**: `Shape` where the counts differ or a label is out of range.
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
        let own = (0..n).filter(|&f| labels[f] == c);
        let (correct, wrong): (Vec<_>, Vec<_>) = own.partition(|&f| predicted[f] == c);
        Difference::of(maps, [&correct, &wrong])
    };
    let full = |&f: &usize| !is_blank(face(maps, f));
    let mean: Vec<Option<Vec<f32>>> = (0..classes).map(|c| mean_of(&|f| labels[f] == c)).collect();
    let all = mean_of_maps(&mean.iter().flatten().collect::<Vec<_>>());
    let or_zeros = |map: Option<Vec<f32>>| map.unwrap_or_else(|| vec![0.0; PIXELS]);
    let minus_all = |map: &Vec<f32>| map.iter().zip(&all).map(|(m, a)| m - a).collect();
    Ok(ClassMaps {
        own: mean.iter().map(|map| or_zeros(map.as_ref().map(minus_all))).collect(),
        mean: mean.into_iter().map(or_zeros).collect(),
        correct_minus_wrong: (0..classes).map(difference).collect(),
        faces: (0..classes)
            .map(|c| (0..n).filter(full).filter(|&f| labels[f] == c).count())
            .collect(),
        blank: n - (0..n).filter(full).count(),
    })
}

fn mean_of_maps(maps: &[&Vec<f32>]) -> Vec<f32> {
    let at = |p: usize| maps.iter().map(|m| m[p]).sum::<f32>() / maps.len().max(1) as f32;
    (0..PIXELS).map(at).collect()
}

/// Returns the mean face of each class, from faces `[n, 48, 48]`.
pub fn mean_faces(faces: &[f32], labels: &[usize], classes: usize) -> Vec<Vec<f32>> {
    let of_class = |c: usize| {
        let own = (0..labels.len()).filter(|&f| labels[f] == c);
        mean_of(&own.flat_map(|f| face(faces, f)).copied().collect::<Vec<f32>>())
    };
    (0..classes).map(of_class).collect()
}

/// Returns the mean density over the chosen maps of `[n, 48, 48]`; `None` where all of them are
/// zero.
///
/// The density is |map| divided by its mean over the pixels, so that every face counts the same
/// however large its gradient. Maps of zeros are left out.
pub fn mean_density(maps: &[f32], chosen: &[usize]) -> Option<Vec<f32>> {
    let (mean, ..) = density_moments(maps, chosen)?;
    Some(mean.iter().map(|&m| m as f32).collect())
}

/// Mean and mean square of the density at every pixel, and the number of maps that are not zero.
fn density_moments(maps: &[f32], chosen: &[usize]) -> Option<(Vec<f64>, Vec<f64>, f64)> {
    let (mut sum, mut square) = (vec![0.0f64; PIXELS], vec![0.0f64; PIXELS]);
    let mut n = 0.0;
    for map in chosen.iter().map(|&f| face(maps, f)).filter(|map| !is_blank(map)) {
        let total: f64 = map.iter().map(|v| f64::from(v.abs())).sum();
        for ((s, s2), v) in sum.iter_mut().zip(&mut square).zip(map) {
            let density = f64::from(v.abs()) * PIXELS as f64 / total;
            *s += density;
            *s2 += density * density;
        }
        n += 1.0;
    }
    let divided = |sums: Vec<f64>| sums.into_iter().map(|s| s / n).collect();
    (n > 0.0).then(|| (divided(sum), divided(square), n))
}

fn is_blank(map: &[f32]) -> bool {
    map.iter().all(|v| *v == 0.0)
}
