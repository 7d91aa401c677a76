//! Distances between the classes in the feature space of the penultimate layer.

use crate::{Error, Result};

/// Fewest faces from which the spread of a class is estimated.
const FEWEST: f64 = 5.0;
/// Largest meaningful distance. Beyond it the faces of both classes are identical up to rounding.
const FARTHEST: f64 = 1e6;

/// Distances between the class means in feature space.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ClassDistances {
    /// `[class][other]`: distance of the means divided by the mean spread of both classes; below
    /// about 1 the classes overlap. 0 on the diagonal; `None` if a class has fewer than five faces or
    /// if all faces of both classes are identical.
    pub distance: Vec<Vec<Option<f64>>>,
    /// Root mean square distance of a class's faces from their mean; `None` for fewer than five faces.
    pub spread: Vec<Option<f64>>,
}

impl ClassDistances {
    /// Computes the distances from features `[n, d]` of the penultimate layer and true classes `[n]`.
    ///
    /// **Errors**: `Shape` if the lengths disagree.
    pub fn new(features: &[f32], labels: &[usize], classes: usize) -> Result<ClassDistances> {
        let n = labels.len();
        if n == 0 || !features.len().is_multiple_of(n) || labels.iter().any(|&c| c >= classes) {
            let detail = format!("{} features for {n} faces of {classes} classes", features.len());
            return Err(Error::shape("class_distances", detail));
        }
        let d = features.len() / n;
        let rows = || features.chunks_exact(d.max(1)).zip(labels);
        let mut counts = vec![0.0; classes];
        let mut means = vec![vec![0.0; d]; classes];
        for (row, &c) in rows() {
            counts[c] += 1.0;
            means[c].iter_mut().zip(row).for_each(|(m, &v)| *m += f64::from(v));
        }
        for (mean, &count) in means.iter_mut().zip(&counts) {
            mean.iter_mut().for_each(|m| *m /= f64::max(count, 1.0));
        }
        let mut squares = vec![0.0; classes];
        for (row, &c) in rows() {
            squares[c] +=
                row.iter().zip(&means[c]).map(|(&v, m)| (f64::from(v) - m).powi(2)).sum::<f64>();
        }
        let spread = |(&sum, &count): (&f64, &f64)| (count >= FEWEST).then(|| (sum / count).sqrt());
        let spread: Vec<Option<f64>> = squares.iter().zip(&counts).map(spread).collect();
        let between = |a: usize, b: usize| {
            let scale = (spread[a]? + spread[b]?) / 2.0;
            if a == b {
                return Some(0.0);
            }
            let gap: f64 = means[a].iter().zip(&means[b]).map(|(a, b)| (a - b).powi(2)).sum();
            let gap = gap.sqrt();
            // Copies of one face spread by rounding alone.
            (gap < FARTHEST * scale).then_some(gap / scale)
        };
        let distance =
            (0..classes).map(|a| (0..classes).map(|b| between(a, b)).collect()).collect();
        Ok(ClassDistances { distance, spread })
    }

    /// Returns the class nearest to `class` and its distance; `None` if it or every other class has too
    /// few faces.
    pub fn nearest(&self, class: usize) -> Option<(usize, f64)> {
        let others = self.distance[class].iter().enumerate().filter(|&(c, _)| c != class);
        others.filter_map(|(c, &d)| Some((c, d?))).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Returns the median distance of a class to its nearest one; NaN without two such classes.
    pub fn typical(&self) -> f64 {
        let nearest = |c: usize| self.nearest(c).map(|(_, d)| d);
        let mut all: Vec<f64> = (0..self.distance.len()).filter_map(nearest).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_by_hand() {
        // Class 0 at 0 ± 1, class 1 at 4 ± 1, six faces each; class 2 with four, too few; class 3
        // without.
        let features = [[-1.0, 1.0].repeat(3), [3.0, 5.0].repeat(3), [8.0; 4].into()].concat();
        let labels = [[0; 6].as_slice(), &[1; 6], &[2; 4]].concat();
        let d = ClassDistances::new(&features, &labels, 4).unwrap();
        assert_eq!(d.spread, [Some(1.0), Some(1.0), None, None]);
        assert_eq!(d.distance[0], [Some(0.0), Some(4.0), None, None]);
        assert_eq!(d.nearest(0), Some((1, 4.0)));
        assert_eq!([d.nearest(2), d.nearest(3)], [None, None]);
        // JSON has no number there, either.
        let json = serde_json::to_value(&d).unwrap();
        assert!(json["distance"][0][2].is_null() && json["spread"][2].is_null());
        // Two classes of copies: no distance in units of nothing.
        let alike = [[1.0; 5], [2.0; 5]].concat();
        let d = ClassDistances::new(&alike, &[[0; 5], [1; 5]].concat(), 2).unwrap();
        assert_eq!((d.distance[0][1], d.nearest(0)), (None, None));
        assert!(ClassDistances::new(&[0.0; 3], &[0, 0], 1).is_err());
    }
}
