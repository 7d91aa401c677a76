//! The confusion matrix and the metrics that follow from its counts.

use crate::{Error, Result};

/// Confusion matrix: number of faces by true class (rows) and predicted class (columns).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Confusion {
    /// `counts[true][predicted]`.
    pub counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// Counts pairs of true and predicted class.
    ///
    /// **Errors**: `Shape` if the lists differ in length or name a class that does not exist.
    pub fn new(labels: &[usize], predicted: &[usize], classes: usize) -> Result<Confusion> {
        if labels.len() != predicted.len() {
            let detail = format!("{} labels, {} predictions", labels.len(), predicted.len());
            return Err(Error::shape("confusion", detail));
        }
        let mut counts = vec![vec![0; classes]; classes];
        for (&t, &p) in labels.iter().zip(predicted) {
            if t >= classes || p >= classes {
                let detail = format!("class {} of {classes}", t.max(p));
                return Err(Error::shape("confusion", detail));
            }
            counts[t][p] += 1;
        }
        Ok(Confusion { counts })
    }

    /// Returns the number of classes.
    pub fn classes(&self) -> usize {
        self.counts.len()
    }
    /// Returns the number of faces.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }
    /// Returns the number of correct predictions.
    pub fn correct(&self) -> u64 {
        (0..self.classes()).map(|c| self.counts[c][c]).sum()
    }
    /// Returns the number of faces of a class.
    pub fn support(&self, class: usize) -> u64 {
        self.counts[class].iter().sum()
    }
    /// Returns the number of faces predicted as a class.
    pub fn predicted(&self, class: usize) -> u64 {
        self.counts.iter().map(|row| row[class]).sum()
    }
    /// Returns the recall TP/(TP + FN) of a class; 0 for a class without faces, as in scikit-learn.
    pub fn recall(&self, class: usize) -> f64 {
        share(self.counts[class][class], self.support(class))
    }
    /// Returns the precision TP/(TP + FP) of a class; 0 for a class that is never predicted.
    pub fn precision(&self, class: usize) -> f64 {
        share(self.counts[class][class], self.predicted(class))
    }
    /// Returns the F1 score, the harmonic mean of precision and recall: 2·TP/(2·TP + FP + FN).
    pub fn f1(&self, class: usize) -> f64 {
        share(2 * self.counts[class][class], self.support(class) + self.predicted(class))
    }
    /// Returns the accuracy.
    pub fn accuracy(&self) -> f64 {
        share(self.correct(), self.total())
    }
    /// Returns the mean F1 over the classes that occur as true or predicted class.
    pub fn macro_f1(&self) -> f64 {
        self.mean_over(|c| self.support(c) + self.predicted(c) > 0, |c| self.f1(c))
    }
    /// Returns the mean recall over the classes that have faces.
    pub fn balanced_accuracy(&self) -> f64 {
        self.mean_over(|c| self.support(c) > 0, |c| self.recall(c))
    }
    /// Returns the mean F1 weighted by the faces of each class.
    pub fn weighted_f1(&self) -> f64 {
        let sum: f64 = (0..self.classes()).map(|c| self.support(c) as f64 * self.f1(c)).sum();
        sum / (self.total().max(1)) as f64
    }

    fn mean_over(&self, keep: impl Fn(usize) -> bool, value: impl Fn(usize) -> f64) -> f64 {
        let kept: Vec<f64> = (0..self.classes()).filter(|&c| keep(c)).map(value).collect();
        kept.iter().sum::<f64>() / kept.len().max(1) as f64
    }

    /// Returns Cohen's kappa (1960): (accuracy − chance)/(1 − chance), chance = Σ_c support·predicted/n².
    /// 0 if chance is 1.
    pub fn kappa(&self) -> f64 {
        let n = self.total() as f64;
        let chance: f64 = (0..self.classes())
            .map(|c| self.support(c) as f64 * self.predicted(c) as f64)
            .sum::<f64>()
            / (n * n).max(1.0);
        if chance < 1.0 { (self.accuracy() - chance) / (1.0 - chance) } else { 0.0 }
    }

    /// Returns Matthews' correlation coefficient for several classes (Gorodkin 2004); 0 where it is
    /// undefined.
    pub fn mcc(&self) -> f64 {
        let n = self.total() as f64;
        let sums = |value: &dyn Fn(usize) -> f64| (0..self.classes()).map(value).sum::<f64>();
        let (s, p) = (|c: usize| self.support(c) as f64, |c: usize| self.predicted(c) as f64);
        let covariance = self.correct() as f64 * n - sums(&|c| s(c) * p(c));
        let spread = (n * n - sums(&|c| p(c) * p(c))) * (n * n - sums(&|c| s(c) * s(c)));
        if spread > 0.0 { covariance / spread.sqrt() } else { 0.0 }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Class 0: 2 right, 1 as class 1. Class 1: 1 right. Class 2: 1 as 0, 1 right.
    fn small() -> Confusion {
        Confusion::new(&[0, 0, 0, 1, 2, 2], &[0, 0, 1, 1, 0, 2], 3).unwrap()
    }

    #[test]
    fn scores_by_hand() {
        let c = small();
        assert_eq!(c.counts, [[2, 1, 0], [0, 1, 0], [1, 0, 1]]);
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        near(c.accuracy(), 4.0 / 6.0);
        near(c.recall(0), 2.0 / 3.0);
        near(c.precision(0), 2.0 / 3.0);
        near(c.precision(1), 0.5);
        near(c.f1(1), 2.0 / 3.0);
        near(c.macro_f1(), 2.0 / 3.0);
        near(c.balanced_accuracy(), (2.0 / 3.0 + 1.0 + 0.5) / 3.0);
        // chance = (3·3 + 1·2 + 2·1)/36 = 13/36; kappa = (24 − 13)/(36 − 13)
        near(c.kappa(), 11.0 / 23.0);
        // (4·6 − 13)/sqrt((36 − 14)(36 − 14)) = 11/22
        near(c.mcc(), 0.5);
    }

    #[test]
    fn empty_classes_do_not_divide_by_zero() {
        let c = Confusion::new(&[0, 0], &[0, 0], 3).unwrap();
        assert_eq!((c.recall(1), c.precision(1), c.f1(1)), (0.0, 0.0, 0.0));
        assert_eq!((c.macro_f1(), c.balanced_accuracy(), c.kappa(), c.mcc()), (1.0, 1.0, 0.0, 0.0));
        assert_eq!(Confusion::new(&[], &[], 3).unwrap().accuracy(), 0.0);
        assert!(Confusion::new(&[3], &[0], 3).is_err());
        assert!(Confusion::new(&[0], &[], 3).is_err());
    }
}
