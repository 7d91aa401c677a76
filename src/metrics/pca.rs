//! Principal components of features.

use crate::{Error, Result};

/// Steps of the orthogonal iteration; the third component's share shrinks by (λ₃/λ₂) in each.
const STEPS: usize = 200;

/// Points on their first two principal components.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// Coordinates, `[n][2]`.
    pub points: Vec<[f64; 2]>,
    /// Share of the variance that each component explains, in \[0, 1\].
    pub shares: [f64; 2],
}

/// Projects features `[n, d]` on their first two principal components: the eigenvectors of the
/// covariance with the largest eigenvalues, found by orthogonal iteration from fixed vectors. Each points
/// where its largest coordinate is positive.
///
/// # Errors
/// [`Error::Shape`] if the values are not a whole number of rows.
pub fn principal_components(features: &[f32], d: usize) -> Result<Projection> {
    if d == 0 || !features.len().is_multiple_of(d) {
        let detail = format!("{} features, rows of {d}", features.len());
        return Err(Error::shape("principal_components", detail));
    }
    let rows = centred(features, d);
    let covariance = covariance(&rows, d);
    let total: f64 = (0..d).map(|i| covariance[i * d + i]).sum();
    let start = |shift: usize| (0..d).map(|i| 1.0 + ((i * (shift + 1)) % 7) as f64).collect();
    let (mut first, mut second): (Vec<f64>, Vec<f64>) = (start(0), start(2));
    for _ in 0..STEPS {
        (first, second) = (apply(&covariance, &first), apply(&covariance, &second));
        normalise(&mut first);
        let along = dot(&first, &second);
        second.iter_mut().zip(&first).for_each(|(s, f)| *s -= along * f);
        normalise(&mut second);
    }
    [&mut first, &mut second].into_iter().for_each(|v| point_up(v));
    let point = |row: &[f64]| [dot(row, &first), dot(row, &second)];
    let share = |v: &[f64]| match total > 0.0 {
        true => dot(v, &apply(&covariance, v)) / total,
        false => 0.0,
    };
    Ok(Projection {
        points: rows.chunks_exact(d).map(point).collect(),
        shares: [share(&first), share(&second)],
    })
}

/// Returns the rows minus their mean.
fn centred(features: &[f32], d: usize) -> Vec<f64> {
    let n = (features.len() / d).max(1) as f64;
    let mut mean = vec![0.0; d];
    for row in features.chunks_exact(d) {
        mean.iter_mut().zip(row).for_each(|(m, &v)| *m += f64::from(v) / n);
    }
    features.iter().enumerate().map(|(i, &v)| f64::from(v) - mean[i % d]).collect()
}

/// Returns Σ rowᵀ·row / n, `[d, d]`.
fn covariance(rows: &[f64], d: usize) -> Vec<f64> {
    let n = (rows.len() / d).max(1) as f64;
    let mut sum = vec![0.0; d * d];
    for row in rows.chunks_exact(d) {
        for (i, &a) in row.iter().enumerate() {
            sum[i * d..][..d].iter_mut().zip(row).for_each(|(s, &b)| *s += a * b / n);
        }
    }
    sum
}

fn apply(matrix: &[f64], v: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(v.len()).map(|row| dot(row, v)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn normalise(v: &mut [f64]) {
    let norm = dot(v, v).sqrt();
    if norm > 0.0 {
        v.iter_mut().for_each(|v| *v /= norm);
    }
}

fn point_up(v: &mut [f64]) {
    let largest = v.iter().copied().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
    if largest < 0.0 {
        v.iter_mut().for_each(|v| *v = -*v);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axes_of_an_ellipse_are_found() {
        // Points at ±3·(0.6, 0.8, 0), ±1·(−0.8, 0.6, 0) about (5, 5, 5): variances 4.5 and 0.5.
        let at = |x: f32, y: f32| [5.0 + x, 5.0 + y, 5.0];
        let points = [at(1.8, 2.4), at(-1.8, -2.4), at(-0.8, 0.6), at(0.8, -0.6)].concat();
        let found = principal_components(&points, 3).unwrap();
        for (point, expected) in found.points.iter().zip([[3.0, 0.0], [-3.0, 0.0]]) {
            assert!((point[0] - expected[0]).abs() < 1e-6 && point[1].abs() < 1e-6, "{point:?}");
        }
        assert!((found.points[2][1].abs() - 1.0).abs() < 1e-6);
        assert!((found.shares[0] - 0.9).abs() < 1e-6 && (found.shares[1] - 0.1).abs() < 1e-6);
    }

    #[test]
    fn equal_points_and_wrong_lengths() {
        let found = principal_components(&[1.0; 6], 2).unwrap();
        assert_eq!((found.points, found.shares), (vec![[0.0; 2]; 3], [0.0; 2]));
        assert!(principal_components(&[1.0; 5], 2).is_err());
        assert!(principal_components(&[], 0).is_err());
    }
}
