//! What a measurement over a few faces decides, and what it does not.

use crate::stats::{Interval, bootstrap_mean, mean};

/// Bootstrap resamples of a mean.
const RESAMPLES: usize = 1_000;
/// Fewer faces decide nothing: five on the same side happen by chance once in sixteen times, six
/// once in thirty-two (the two-sided sign test at 5 %).
pub const FEWEST: usize = 6;

/// The answer to: is it good?
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TestResult {
    /// The whole interval is on the good side.
    Passed,
    /// The interval holds the limit, or there are too few faces.
    Undecided,
    /// The whole interval is on the bad side.
    Failed,
}

/// Mean over the faces, with its 95 % bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// The mean; NaN of no face.
    pub mean: f64,
    /// Its interval.
    pub interval: Interval,
    /// Faces behind it.
    pub faces: usize,
}

impl Estimate {
    /// Of one value a face.
    pub fn of(values: &[f64]) -> Estimate {
        let interval = bootstrap_mean(values, RESAMPLES, 0);
        Estimate { mean: mean(values), interval, faces: values.len() }
    }

    /// Whether there are too few faces for any verdict.
    pub fn too_few(&self) -> bool {
        self.faces < FEWEST
    }

    /// “0.31 ± 0.05” with so many decimals; one face has no interval.
    pub fn words(&self, decimals: usize) -> String {
        self.with_margin(format!("{:.decimals$}", self.mean), decimals)
    }

    /// “+0.017 ± 0.109”.
    pub fn signed(&self, decimals: usize) -> String {
        self.with_margin(format!("{:+.decimals$}", self.mean), decimals)
    }

    /// A minus is as long as the plus.
    fn with_margin(&self, mean: String, decimals: usize) -> String {
        let mean = mean.replace('-', "−");
        match self.faces {
            0 | 1 => mean,
            _ => format!("{mean} ± {:.decimals$}", self.interval.margin()),
        }
    }

    /// Whether it is above a limit, where above is good.
    pub fn above(&self, limit: f64) -> TestResult {
        match () {
            () if self.mean.is_nan() => TestResult::Failed, // nothing speaks for it
            () if self.too_few() => TestResult::Undecided,
            () if self.interval.low > limit => TestResult::Passed,
            () if self.interval.high <= limit => TestResult::Failed,
            () => TestResult::Undecided,
        }
    }

    /// Whether it is at most a limit, where low is good.
    pub fn at_most(&self, limit: f64) -> TestResult {
        let turned = Interval { low: -self.interval.high, high: -self.interval.low };
        // -x > -limit leaves out x = limit, which a continuous quantity never is.
        Estimate { mean: -self.mean, interval: turned, ..*self }.above(-limit)
    }
}

#[cfg(test)]
mod tests {
    use crate::explain::sanity::significance::{Estimate, TestResult};

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
        assert_eq!(Estimate::of(&[0.5, 0.5]).words(1), "0.5 ± 0.0");
    }

    #[test]
    fn of_nothing_nothing_speaks_for_it() {
        let none = Estimate::of(&[]);
        assert_eq!((none.above(0.0), none.at_most(0.0)), (TestResult::Failed, TestResult::Failed));
    }
}
