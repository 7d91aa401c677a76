//! Significance of a mean over a few faces: bootstrap interval and test against a limit.

use crate::stats::{Interval, bootstrap_mean, mean};

/// Bootstrap resamples.
const RESAMPLES: usize = 1_000;
/// Fewest faces that can pass or fail a test: by the two-sided sign test, five values of one sign
/// happen by chance with probability 1/16, six with 1/32 < 5 %.
pub const MIN_FACES: usize = 6;

/// The result of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TestResult {
    /// The whole interval lies on the good side of the limit.
    Passed,
    /// The interval contains the limit, or there are too few faces.
    Undecided,
    /// The whole interval lies on the bad side of the limit.
    Failed,
}

/// A mean over faces with its 95 % bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// The mean; NaN without faces.
    pub mean: f64,
    /// The interval.
    pub interval: Interval,
    /// Number of faces.
    pub faces: usize,
}

impl Estimate {
    /// Estimates the mean of one value per face.
    pub fn of(values: &[f64]) -> Estimate {
        let interval = bootstrap_mean(values, RESAMPLES, 0);
        Estimate { mean: mean(values), interval, faces: values.len() }
    }

    /// Whether there are fewer than [`MIN_FACES`] faces.
    pub fn too_few(&self) -> bool {
        self.faces < MIN_FACES
    }

    /// Formats as “0.31 ± 0.05”; without the interval for a single face.
    pub fn plain(&self, decimals: usize) -> String {
        self.with_margin(format!("{:.decimals$}", self.mean), decimals)
    }

    /// Formats with a sign, as “+0.017 ± 0.109”.
    pub fn signed(&self, decimals: usize) -> String {
        self.with_margin(format!("{:+.decimals$}", self.mean), decimals)
    }

    /// Writes a typographic minus, which is as wide as the plus.
    fn with_margin(&self, mean: String, decimals: usize) -> String {
        let mean = mean.replace('-', "−");
        match self.faces {
            0 | 1 => mean,
            _ => format!("{mean} ± {:.decimals$}", self.interval.margin()),
        }
    }

    /// Tests whether the mean is above a limit.
    pub fn above(&self, limit: f64) -> TestResult {
        match () {
            () if self.mean.is_nan() => TestResult::Failed,
            () if self.too_few() => TestResult::Undecided,
            () if self.interval.low > limit => TestResult::Passed,
            () if self.interval.high <= limit => TestResult::Failed,
            () => TestResult::Undecided,
        }
    }

    /// Tests whether the mean is at most a limit.
    pub fn at_most(&self, limit: f64) -> TestResult {
        let negated = Interval { low: -self.interval.high, high: -self.interval.low };
        // −x > −limit excludes x = limit, which has probability 0 for a continuous quantity.
        Estimate { mean: -self.mean, interval: negated, ..*self }.above(-limit)
    }
}

#[cfg(test)]
mod tests {
    use super::{Estimate, TestResult};

    #[test]
    fn six_faces_on_one_side_decide_and_five_do_not() {
        let lead = [0.2, 0.1, 0.3, 0.2, 0.1, 0.2];
        assert_eq!(Estimate::of(&lead).above(0.0), TestResult::Passed);
        assert_eq!(Estimate::of(&lead[..5]).above(0.0), TestResult::Undecided);
        assert_eq!(Estimate::of(&lead.map(|v| -v)).above(0.0), TestResult::Failed);
        assert_eq!(Estimate::of(&lead).at_most(0.5), TestResult::Passed);
        assert_eq!(Estimate::of(&lead).at_most(0.05), TestResult::Failed);
    }

    #[test]
    fn a_mean_beyond_the_limit_by_chance_is_undecided() {
        let values = [0.9, -0.5, 0.4, -0.6, 0.3, 0.1, -0.2, 0.0];
        let found = Estimate::of(&values);
        assert!(found.mean > 0.0);
        assert_eq!(
            (found.above(0.0), found.at_most(0.0)),
            (TestResult::Undecided, TestResult::Undecided)
        );
    }

    #[test]
    fn one_face_has_no_interval() {
        assert_eq!(Estimate::of(&[-0.25]).signed(2), "−0.25");
        assert_eq!(Estimate::of(&[0.5, 0.5]).signed(2), "+0.50 ± 0.00");
        assert_eq!(Estimate::of(&[0.5, 0.5]).plain(1), "0.5 ± 0.0");
    }

    #[test]
    fn a_mean_of_no_faces_fails() {
        let none = Estimate::of(&[]);
        assert_eq!((none.above(0.0), none.at_most(0.0)), (TestResult::Failed, TestResult::Failed));
    }
}
