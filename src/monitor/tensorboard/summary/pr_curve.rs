//! Precision-recall curves: precision and recall of a class at falling thresholds on its score.
//!
//! The tensor is f32 `[6, 201]`: rows true positives, false positives, true negatives, false
//! negatives, precision, recall; column i belongs to the threshold i / 200.

use crate::monitor::tensorboard::format::event::Summary;
use crate::monitor::tensorboard::format::tensor;
use crate::protobuf::Message;
use crate::{Error, Result};

/// Number of thresholds.
pub const THRESHOLDS: usize = 201;

/// Counts at each threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct PrCurve {
    /// At threshold i / 200: positives with score ≥ threshold.
    pub true_positives: Vec<u64>,
    /// At threshold i / 200: negatives with score ≥ threshold.
    pub false_positives: Vec<u64>,
    /// Scores that are NaN or infinite; they are left out.
    pub nonfinite: u64,
}

impl PrCurve {
    /// Counts positives and negatives at each threshold.
    ///
    /// **Shapes**: `scores` `[n]`, probabilities in [0, 1]; `positive` `[n]`, whether the sample
    /// is of the class. Scores outside are clamped.
    ///
    /// **Errors**: [`Error::Shape`] if the lengths differ.
    ///
    /// ```
    /// use fer::monitor::tensorboard::summary::pr_curve::PrCurve;
    /// let curve = PrCurve::new(&[0.9, 0.6, 0.2], &[true, false, true]).unwrap();
    /// assert_eq!((curve.true_positives[100], curve.false_positives[100]), (1, 1)); // at 0.5
    /// assert_eq!((curve.true_positives[0], curve.false_positives[0]), (2, 1));
    /// ```
    pub fn new(scores: &[f32], positive: &[bool]) -> Result<Self> {
        if scores.len() != positive.len() {
            let found = format!("{} scores, {} labels", scores.len(), positive.len());
            return Err(Error::shape("precision-recall curve", found));
        }
        let mut curve = PrCurve {
            true_positives: vec![0; THRESHOLDS],
            false_positives: vec![0; THRESHOLDS],
            nonfinite: 0,
        };
        for (&score, &positive) in scores.iter().zip(positive) {
            if !score.is_finite() {
                curve.nonfinite += 1;
                continue;
            }
            // The highest threshold below or at the score.
            let steps = f64::from(score.clamp(0.0, 1.0)) * (THRESHOLDS - 1) as f64;
            let counts =
                if positive { &mut curve.true_positives } else { &mut curve.false_positives };
            counts[steps as usize] += 1;
        }
        // A score that reaches a threshold reaches all below it.
        for counts in [&mut curve.true_positives, &mut curve.false_positives] {
            for i in (0..THRESHOLDS - 1).rev() {
                counts[i] += counts[i + 1];
            }
        }
        Ok(curve)
    }

    /// Returns the summary under a tag.
    pub fn summary(&self, tag: &str) -> Summary {
        // The smallest denominator of TensorBoard itself: 0/0 is 0.
        let ratio = |part: u64, rest: u64| part as f64 / ((part + rest) as f64).max(1e-7);
        let (tp, fp) = (&self.true_positives, &self.false_positives);
        let row = |f: &dyn Fn(usize) -> f64| (0..THRESHOLDS).map(|i| f(i) as f32).collect();
        let rows: [Vec<f32>; 6] = [
            row(&|i| tp[i] as f64),
            row(&|i| fp[i] as f64),
            row(&|i| (fp[0] - fp[i]) as f64),
            row(&|i| (tp[0] - tp[i]) as f64),
            row(&|i| ratio(tp[i], fp[i])),
            row(&|i| ratio(tp[i], tp[0] - tp[i])),
        ];
        let tensor = tensor::floats(&[6, THRESHOLDS], &rows.concat());
        // PrCurvePluginData { 2 num_thresholds }
        let content = Message::new().varint(2, THRESHOLDS as u64);
        Summary::new(tag, "pr_curves", tensor).with_content(content)
    }
}
