//! Misclassified faces, and among them those whose label is suspect.

use crate::stats::{argmax, log_softmax};

/// A misclassified face.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Mistake {
    /// Index of the face.
    pub face: usize,
    /// True class.
    pub truth: usize,
    /// Predicted class.
    pub predicted: usize,
    /// Probability of the predicted class.
    pub confidence: f64,
    /// Probability of the true class.
    pub true_probability: f64,
}

/// Returns all misclassified faces, by falling confidence. Faces whose label is not a class are ignored.
///
/// **Shapes**: logits `[n, classes]`, labels `[n]`.
pub fn mistakes(logits: &[f32], labels: &[usize], classes: usize) -> Vec<Mistake> {
    let mut found: Vec<Mistake> = logits
        .chunks_exact(classes.max(1))
        .zip(labels)
        .enumerate()
        .filter(|(_, (_, truth))| **truth < classes)
        .filter_map(|(face, (row, &truth))| {
            let p = log_softmax(row, 1.0);
            let predicted = argmax(row);
            (predicted != truth).then(|| Mistake {
                face,
                truth,
                predicted,
                confidence: p[predicted].exp(),
                true_probability: p[truth].exp(),
            })
        })
        .collect();
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.face.cmp(&b.face)));
    found
}

/// Returns the misclassified faces whose label may be wrong: those where the probability of the
/// predicted class reaches the mean probability of that class over the faces that have its label. They
/// come by falling difference between the probabilities of the predicted and the true class.
///
/// Valid only for faces that the network was not trained on.
/// **Shapes**: logits `[n, classes]`, labels `[n]`.
/// **Source**: Northcutt, Jiang & Chuang 2021, "Confident learning" (arXiv 1911.00068).
pub fn suspected_labels(logits: &[f32], labels: &[usize], classes: usize) -> Vec<Mistake> {
    let mut sums = vec![(0.0, 0.0); classes];
    let rows = logits.chunks_exact(classes.max(1)).zip(labels);
    for (row, &c) in rows.filter(|(_, c)| **c < classes) {
        sums[c].0 += log_softmax(row, 1.0)[c].exp();
        sums[c].1 += 1.0;
    }
    let usual = |c: usize| if sums[c].1 > 0.0 { sums[c].0 / sums[c].1 } else { 1.0 };
    let mut found = mistakes(logits, labels, classes);
    found.retain(|m| m.confidence >= usual(m.predicted));
    let margin = |m: &Mistake| m.confidence - m.true_probability;
    found.sort_by(|a, b| margin(b).total_cmp(&margin(a)).then(a.face.cmp(&b.face)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_come_most_confident_first() {
        // Faces: right (0), wrong and unsure, wrong and sure.
        let logits = [3.0, 0.0, 0.5, 0.0, 4.0, 0.0];
        let found = mistakes(&logits, &[0, 1, 1], 2);
        assert_eq!(found.iter().map(|m| m.face).collect::<Vec<_>>(), [2, 1]);
        // The network is usually 0.95 sure of class 0: only the sure mistake reaches that.
        let suspects = suspected_labels(&logits, &[0, 1, 1], 2);
        assert_eq!(suspects.iter().map(|m| m.face).collect::<Vec<_>>(), [2]);
        assert!((suspects[0].confidence + suspects[0].true_probability - 1.0).abs() < 1e-9);
    }
}
