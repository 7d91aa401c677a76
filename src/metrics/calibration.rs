//! Calibration: whether predictions with a confidence of 80 % are right in 80 % of the cases.

use crate::stats::log_softmax;

/// Number of bins of the reliability diagram.
pub const BINS: usize = 15;

/// The faces whose confidence lies in one of [`BINS`] equal intervals.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Bin {
    /// Lower edge of the confidence.
    pub low: f64,
    /// Upper edge.
    pub high: f64,
    /// Number of faces.
    pub count: u64,
    /// Mean confidence; 0 if empty.
    pub confidence: f64,
    /// Accuracy; 0 if empty.
    pub accuracy: f64,
}

/// The reliability diagram: accuracy by confidence.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Reliability {
    /// Expected calibration error, Σ (n_b/n)·|accuracy_b − confidence_b|.
    pub ece: f64,
    /// The bins by rising confidence.
    pub bins: Vec<Bin>,
}

impl Reliability {
    /// Computes the diagram from the confidence (largest probability) of every face and whether its
    /// prediction is correct. Bins are (low, high\], so that a confidence of 1 falls into the last.
    /// **Source**: Guo et al. 2017 (arXiv 1706.04599).
    pub fn new(confidence: &[f64], correct: &[bool]) -> Reliability {
        let mut sums = [(0u64, 0.0, 0u64); BINS];
        for (&p, &right) in confidence.iter().zip(correct) {
            let bin = ((p * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
            sums[bin].0 += 1;
            sums[bin].1 += p;
            sums[bin].2 += u64::from(right);
        }
        let edge = |b: usize| b as f64 / BINS as f64;
        let bin = |(b, &(count, sure, right)): (usize, &(u64, f64, u64))| {
            let n = count.max(1) as f64;
            let (confidence, accuracy) = (sure / n, right as f64 / n);
            Bin { low: edge(b), high: edge(b + 1), count, confidence, accuracy }
        };
        let bins: Vec<Bin> = sums.iter().enumerate().map(bin).collect();
        let n = confidence.len().max(1) as f64;
        let gap = |b: &Bin| b.count as f64 / n * (b.accuracy - b.confidence).abs();
        Reliability { ece: bins.iter().map(gap).sum(), bins }
    }
}

/// Returns the temperature T between 1/20 and 20 that minimises the cross-entropy of logits/T. T > 1
/// means that the network is overconfident. The accuracy does not change.
///
/// The loss is convex in 1/T; its minimum is found by golden-section search on ln T. Faces whose
/// label is not a class are ignored; without any other face the result is 1.
/// **Shapes**: logits `[n, classes]`, labels `[n]`.
/// **Source**: Guo et al. 2017, § 4.2. Fit it on validation faces, never on the test set.
pub fn fit_temperature(logits: &[f32], labels: &[usize], classes: usize) -> f64 {
    let rows = logits.chunks_exact(classes.max(1)).zip(labels);
    let rows: Vec<(&[f32], usize)> =
        rows.map(|(row, &c)| (row, c)).filter(|&(_, c)| c < classes).collect();
    if rows.is_empty() {
        return 1.0;
    }
    let loss = |ln_t: f64| {
        let scale = (-ln_t).exp();
        rows.iter().map(|&(row, c)| -log_softmax(row, scale)[c]).sum::<f64>()
    };
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (-(20f64.ln()), 20f64.ln());
    let (mut a, mut b) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut loss_a, mut loss_b) = (loss(a), loss(b));
    while high - low > 1e-5 {
        if loss_a <= loss_b {
            (high, b, loss_b) = (b, a, loss_a);
            a = high - ratio * (high - low);
            loss_a = loss(a);
        } else {
            (low, a, loss_a) = (a, b, loss_b);
            b = low + ratio * (high - low);
            loss_b = loss(b);
        }
    }
    ((low + high) / 2.0).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ece_by_hand() {
        // Bin (13/15, 14/15]: 0.9 twice, one right: gap 0.4. Last bin: 1.0 once, right: gap 0.
        let c = Reliability::new(&[0.9, 0.9, 1.0], &[true, false, true]);
        assert!((c.ece - 0.4 * 2.0 / 3.0).abs() < 1e-12);
        assert_eq!((c.bins[13].count, c.bins[14].count), (2, 1));
        // An edge belongs to the bin below it.
        assert_eq!(Reliability::new(&[0.2], &[true]).bins[2].count, 1);
        assert_eq!(Reliability::new(&[], &[]).ece, 0.0);
    }

    #[test]
    fn temperature_of_known_odds() {
        // Logits (2, 0), right in three of four: calibrated where σ(2/T) = ¾, 2/T = ln 3.
        let logits = [2.0, 0.0].repeat(4);
        let t = fit_temperature(&logits, &[0, 0, 0, 1], 2);
        assert!((t - 2.0 / 3f64.ln()).abs() < 1e-3, "{t}");
        // A face of a class that does not exist changes nothing.
        let more = [&logits[..], &[0.0, 9.0]].concat();
        assert_eq!(fit_temperature(&more, &[0, 0, 0, 1, 2], 2), t);
    }

    #[test]
    fn temperature_of_nothing_is_one() {
        for (logits, labels, classes) in
            [(vec![], vec![], 2), (vec![1.0], vec![0], 0), (vec![1.0, 0.0], vec![2], 2)]
        {
            assert_eq!(fit_temperature(&logits, &labels, classes), 1.0, "{labels:?} of {classes}");
        }
    }
}
