//! How near the classes lie to each other in what the network sees last.

use crate::{Error, Result};

/// Distances of class means in feature space.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ClassDistances {
    /// `[true][other]`: distance of the means divided by the mean spread of both classes; below
    /// about 1 the classes overlap. 0 on the diagonal and for classes without faces.
    pub distance: Vec<Vec<f64>>,
    /// Root mean square distance of a class's faces from their mean.
    pub spread: Vec<f64>,
}

impl ClassDistances {
    /// From features `[n, d]` of the penultimate layer and true classes.
    ///
    /// **Errors**: `Shape` where counts disagree.
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
        let mut spread = vec![0.0; classes];
        for (row, &c) in rows() {
            spread[c] +=
                row.iter().zip(&means[c]).map(|(&v, m)| (f64::from(v) - m).powi(2)).sum::<f64>();
        }
        for (s, &count) in spread.iter_mut().zip(&counts) {
            *s = (*s / f64::max(count, 1.0)).sqrt();
        }
        let between = |a: usize, b: usize| {
            if a == b || counts[a] == 0.0 || counts[b] == 0.0 {
                return 0.0;
            }
            let gap: f64 = means[a].iter().zip(&means[b]).map(|(a, b)| (a - b).powi(2)).sum();
            gap.sqrt() / ((spread[a] + spread[b]) / 2.0).max(1e-12)
        };
        let distance =
            (0..classes).map(|a| (0..classes).map(|b| between(a, b)).collect()).collect();
        Ok(ClassDistances { distance, spread })
    }

    /// The class nearest to another, with the distance; `None` where no other has faces.
    pub fn nearest(&self, class: usize) -> Option<(usize, f64)> {
        let others = self.distance[class].iter().copied().enumerate();
        others.filter(|&(c, d)| c != class && d > 0.0).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Median distance of a class to its nearest one; NaN where there are no two.
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
        // Class 0 at 0 ± 1, class 1 at 4 ± 1, class 2 without faces.
        let d = ClassDistances::new(&[-1.0, 1.0, 3.0, 5.0], &[0, 0, 1, 1], 3).unwrap();
        assert_eq!(d.spread, [1.0, 1.0, 0.0]);
        assert_eq!(d.distance[0], [0.0, 4.0, 0.0]);
        assert_eq!(d.nearest(0), Some((1, 4.0)));
        assert_eq!(d.nearest(2), None);
        assert!(ClassDistances::new(&[0.0; 3], &[0, 0], 1).is_err());
    }
}
