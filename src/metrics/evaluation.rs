//! Every number of one evaluation, with the fields that `fer eval --json` prints.

use crate::metrics::calibration::{Reliability, fit_temperature};
use crate::metrics::confusion::Confusion;
use crate::stats::{Interval, argmax, log_softmax, wilson};
use crate::{Error, Result};

/// The metrics of one class.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ClassReport {
    /// Name.
    pub label: String,
    /// Precision.
    pub precision: f64,
    /// Recall.
    pub recall: f64,
    /// F1 score.
    pub f1: f64,
    /// Number of faces of this class.
    pub support: u64,
    /// Wilson's 95 % interval of the precision.
    pub precision_interval: Interval,
    /// Wilson's 95 % interval of the recall.
    pub recall_interval: Interval,
    /// Mean probability of this class over its faces.
    pub mean_probability: f64,
    /// Expected recall if the training set had held every class equally often: each probability is
    /// divided by the class's share of the training set. 0 for a class without training faces; `None`
    /// without training counts.
    pub recall_if_balanced: Option<f64>,
    /// Number of training faces of this class, where known.
    pub trained_on: Option<u64>,
}

/// Faces of one class that were predicted as another.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ConfusedPair {
    /// True class.
    pub truth: String,
    /// Predicted class.
    pub predicted: String,
    /// Number of faces.
    pub count: u64,
    /// Share of the faces of the true class.
    pub share: f64,
}

/// Every number of one evaluation.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Evaluation {
    /// Number of faces.
    pub n: usize,
    /// Mean cross-entropy in nats.
    pub loss: f64,
    /// Accuracy.
    pub accuracy: f64,
    /// Wilson's 95 % interval of the accuracy.
    pub accuracy_interval: Interval,
    /// Share of the faces whose class is among the two most probable.
    pub top2: f64,
    /// Mean F1.
    pub macro_f1: f64,
    /// Mean F1 weighted by support.
    pub weighted_f1: f64,
    /// Mean recall.
    pub balanced_accuracy: f64,
    /// Cohen's kappa: agreement beyond chance.
    pub kappa: f64,
    /// Matthews' correlation coefficient.
    pub mcc: f64,
    /// Accuracy of always predicting the most frequent class of these faces.
    pub majority_accuracy: f64,
    /// Expected calibration error, 15 bins.
    pub ece: f64,
    /// Temperature that would calibrate these predictions; above 1 the network is overconfident.
    pub temperature: f64,
    /// Classes in the order of the labels.
    pub per_class: Vec<ClassReport>,
    /// Confusion matrix: rows true, columns predicted.
    pub confusion: Confusion,
    /// The ten most frequent confusions, by falling count.
    pub confused_pairs: Vec<ConfusedPair>,
    /// Reliability diagram.
    pub reliability: Reliability,
}

impl Evaluation {
    /// Evaluates logits `[n, classes]` against true classes `[n]`. `trained_on` is the number of
    /// training faces of each class, where known.
    ///
    /// **Errors**: `Shape` if the lengths disagree, there is no face, or a logit is not finite.
    pub fn new(
        logits: &[f32],
        labels: &[usize],
        names: &[&str],
        trained_on: Option<&[u64]>,
    ) -> Result<Evaluation> {
        validate(logits, labels, names, trained_on)?;
        let (n, classes) = (labels.len(), names.len());
        let rows: Vec<Vec<f64>> =
            logits.chunks_exact(classes).map(|row| log_softmax(row, 1.0)).collect();
        let predicted: Vec<usize> = rows.iter().map(|row| argmax(row)).collect();
        let confusion = Confusion::new(labels, &predicted, classes)?;
        let confidence: Vec<f64> =
            rows.iter().zip(&predicted).map(|(row, &p)| row[p].exp()).collect();
        let right: Vec<bool> = labels.iter().zip(&predicted).map(|(a, b)| a == b).collect();
        let reliability = Reliability::new(&confidence, &right);
        let mean = |value: &dyn Fn(usize) -> f64| (0..n).map(value).sum::<f64>() / n as f64;
        let in_top2 = |f: usize| {
            // Ties go to the lower class, as in `argmax`.
            let own = (rows[f][labels[f]], labels[f]);
            let beats = |&(c, v): &(usize, &f64)| *v > own.0 || (*v == own.0 && c < own.1);
            f64::from(u8::from(rows[f].iter().enumerate().filter(beats).count() < 2))
        };
        let balanced = trained_on.map(|counts| balanced_recall(&rows, labels, counts));
        let report = |c: usize| ClassReport {
            label: names[c].into(),
            precision: confusion.precision(c),
            recall: confusion.recall(c),
            f1: confusion.f1(c),
            support: confusion.support(c),
            precision_interval: wilson(confusion.counts[c][c], confusion.predicted(c)),
            recall_interval: wilson(confusion.counts[c][c], confusion.support(c)),
            mean_probability: mean(&|f| if labels[f] == c { rows[f][c].exp() } else { 0.0 })
                * n as f64
                / confusion.support(c).max(1) as f64,
            recall_if_balanced: balanced.as_ref().map(|b| b[c]),
            trained_on: trained_on.map(|counts| counts[c]),
        };
        let majority = (0..classes).map(|c| confusion.support(c)).max().unwrap_or(0);
        Ok(Evaluation {
            n,
            loss: mean(&|f| -rows[f][labels[f]]),
            accuracy: confusion.accuracy(),
            accuracy_interval: wilson(confusion.correct(), n as u64),
            top2: mean(&in_top2),
            macro_f1: confusion.macro_f1(),
            weighted_f1: confusion.weighted_f1(),
            balanced_accuracy: confusion.balanced_accuracy(),
            kappa: confusion.kappa(),
            mcc: confusion.mcc(),
            majority_accuracy: majority as f64 / n as f64,
            ece: reliability.ece,
            temperature: fit_temperature(logits, labels, classes),
            per_class: (0..classes).map(report).collect(),
            confused_pairs: confused_pairs(&confusion, names),
            confusion,
            reliability,
        })
    }
}

fn validate(
    logits: &[f32],
    labels: &[usize],
    names: &[&str],
    trained_on: Option<&[u64]>,
) -> Result<()> {
    let (n, classes) = (labels.len(), names.len());
    let detail = if n == 0 || classes == 0 {
        "no face to evaluate".into()
    } else if logits.len() != n * classes {
        format!("{} logits for {n} faces of {classes} classes", logits.len())
    } else if trained_on.is_some_and(|t| t.len() != classes) {
        format!("training counts of another number of classes than {classes}")
    } else if let Some(at) = logits.iter().position(|v| !v.is_finite()) {
        format!("the logits of face {} are not finite", at / classes)
    } else {
        return Ok(());
    };
    Err(Error::shape("evaluation", detail))
}

/// Returns the recall of each class when every probability is divided by the class's share of the
/// training set (Saerens, Latinne & Decaestecker 2002). A class without training faces is never
/// predicted.
fn balanced_recall(rows: &[Vec<f64>], labels: &[usize], trained_on: &[u64]) -> Vec<f64> {
    let total: u64 = trained_on.iter().sum();
    let adjusted = |row: &[f64]| -> Vec<f64> {
        let divided = |(v, &n): (&f64, &u64)| match n {
            0 => f64::NEG_INFINITY,
            n => v - (n as f64 / total as f64).ln(),
        };
        row.iter().zip(trained_on).map(divided).collect()
    };
    let mut found = vec![(0u64, 0u64); trained_on.len()];
    for (row, &label) in rows.iter().zip(labels) {
        let right = trained_on[label] > 0 && argmax(&adjusted(row)) == label;
        found[label].0 += u64::from(right);
        found[label].1 += 1;
    }
    found.into_iter().map(|(right, n)| right as f64 / n.max(1) as f64).collect()
}

fn confused_pairs(confusion: &Confusion, names: &[&str]) -> Vec<ConfusedPair> {
    let classes = confusion.classes();
    let mut pairs: Vec<(u64, usize, usize)> = (0..classes)
        .flat_map(|t| (0..classes).map(move |p| (t, p)))
        .filter(|(t, p)| t != p)
        .map(|(t, p)| (confusion.counts[t][p], t, p))
        .filter(|(count, ..)| *count > 0)
        .collect();
    pairs.sort_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    pairs.truncate(10);
    let named = |(count, t, p): (u64, usize, usize)| ConfusedPair {
        truth: names[t].into(),
        predicted: names[p].into(),
        count,
        share: count as f64 / confusion.support(t).max(1) as f64,
    };
    pairs.into_iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluation_by_hand() {
        // Rows: sure of 0 (right), sure of 0 (wrong, truth second), undecided (ties go to 0).
        let logits = [2.0, 0.0, -1.0, 2.0, 1.0, -1.0, 0.0, 0.0, 0.0];
        let e = Evaluation::new(&logits, &[0, 1, 2], &["a", "b", "c"], Some(&[8, 1, 1])).unwrap();
        assert_eq!(e.confusion.counts, [[1, 0, 0], [1, 0, 0], [1, 0, 0]]);
        assert!((e.accuracy - 1.0 / 3.0).abs() < 1e-12);
        assert!((e.top2 - 2.0 / 3.0).abs() < 1e-12, "{}", e.top2);
        let denominator = |row: [f64; 3]| row.iter().map(|v| v.exp()).sum::<f64>().ln();
        let loss = (denominator([2.0, 0.0, -1.0]) - 2.0)
            + (denominator([2.0, 1.0, -1.0]) - 1.0)
            + 3f64.ln();
        assert!((e.loss - loss / 3.0).abs() < 1e-12);
        // Divided by the shares 0.8, 0.1, 0.1 class b gains ln 8 = 2.08 on class a: row 1 turns
        // to b, row 2 to b (not c: first among equals), row 0 stays at a only if 2 > 2.08: no.
        let balanced: Vec<f64> =
            e.per_class.iter().map(|c| c.recall_if_balanced.unwrap()).collect();
        assert_eq!(balanced, [0.0, 1.0, 0.0]);
        assert_eq!((e.confused_pairs[0].truth.as_str(), e.confused_pairs.len()), ("b", 2));
        let json = serde_json::to_value(&e).unwrap();
        for key in ["n", "loss", "accuracy", "top2", "macro_f1", "per_class", "confusion"] {
            assert!(json.get(key).is_some(), "{key}");
        }
        assert_eq!(json["confusion"][1][0], 1);
        assert_eq!(json["per_class"][0]["label"], "a");
    }

    #[test]
    fn a_class_never_trained_on_takes_no_part_in_the_balanced_recall() {
        // Class c has the largest logit of every face; between a and b, class b gains ln 8 = 2.08.
        let logits = [3.0, 0.0, 9.0, 2.0, 0.0, 9.0, 0.0, 0.0, 9.0];
        let balanced = |counts: [u64; 3]| -> Vec<f64> {
            let names = ["a", "b", "c"];
            let e = Evaluation::new(&logits, &[0, 1, 2], &names, Some(&counts)).unwrap();
            e.per_class.iter().map(|c| c.recall_if_balanced.unwrap()).collect()
        };
        assert_eq!(balanced([8, 1, 0]), [1.0, 1.0, 0.0]);
        assert_eq!(balanced([0, 0, 0]), [0.0; 3]);
        assert_eq!(balanced([8, 1, 8]), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn evaluation_refuses_what_it_cannot_count() {
        let names = ["a", "b"];
        for (logits, labels) in [
            (vec![], vec![]),
            (vec![0.0], vec![0]),
            (vec![f32::NAN, 0.0], vec![0]),
            (vec![0.0, 1.0], vec![2]),
        ] {
            assert!(Evaluation::new(&logits, &labels, &names, None).is_err(), "{labels:?}");
        }
    }
}
