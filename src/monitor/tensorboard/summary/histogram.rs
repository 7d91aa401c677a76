//! Histograms with 30 buckets. TensorBoard draws them twice, as "Histograms" and, by their quantiles, as
//! "Distributions".
//!
//! The tensor is f64 `[30, 3]`; a row is (left edge, right edge, count).

use crate::monitor::tensorboard::format::event::Summary;
use crate::monitor::tensorboard::format::tensor;

/// Number of buckets.
pub const BUCKETS: usize = 30;

/// Bucket counts of some numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// (left edge, right edge, count), from left to right. A value belongs to the bucket with
    /// left ≤ value < right; the last bucket includes its right edge.
    pub rows: [(f64, f64, u64); BUCKETS],
    /// Number of NaN and infinite values, which are in no bucket.
    pub nonfinite: u64,
}

impl Histogram {
    /// Counts values in buckets of equal width from the smallest to the largest finite value:
    ///
    /// edge_i = min + i · (max − min) / 30, with edge_30 = max exactly.
    ///
    /// Equal values give 30 buckets of width 0 with all counts in the last; no finite values give
    /// zeros. TensorBoard's own `summary_v2.histogram` writes the same.
    ///
    /// ```
    /// use fer::monitor::tensorboard::summary::histogram::Histogram;
    /// let h = Histogram::new(&[0.0, 1.0, 29.5, 30.0, f32::NAN]);
    /// assert_eq!((h.rows[0], h.rows[1]), ((0.0, 1.0, 1), (1.0, 2.0, 1)));
    /// assert_eq!((h.rows[29], h.nonfinite), ((29.0, 30.0, 2), 1));
    /// ```
    pub fn new(values: &[f32]) -> Self {
        let (mut count, mut min, mut max) = (0u64, f32::INFINITY, f32::NEG_INFINITY);
        for &v in values.iter().filter(|v| v.is_finite()) {
            (count, min, max) = (count + 1, min.min(v), max.max(v));
        }
        let nonfinite = values.len() as u64 - count;
        if count == 0 {
            return Histogram { rows: [(0.0, 0.0, 0); BUCKETS], nonfinite };
        }
        let (min, max) = (f64::from(min), f64::from(max));
        let edge = |i: usize| match i {
            BUCKETS => max,
            _ => min + i as f64 * (max - min) / BUCKETS as f64,
        };
        let mut rows = std::array::from_fn(|i| (edge(i), edge(i + 1), 0));
        let per_unit = BUCKETS as f64 / (max - min);
        for &v in values.iter().filter(|v| v.is_finite()) {
            let value = f64::from(v);
            rows[bucket_of(value, (value - min) * per_unit, &rows)].2 += 1;
        }
        Histogram { rows, nonfinite }
    }

    /// Returns the summary under a tag.
    pub fn summary(&self, tag: &str) -> Summary {
        let flat: Vec<f64> =
            self.rows.iter().flat_map(|&(left, right, n)| [left, right, n as f64]).collect();
        Summary::new(tag, "histograms", tensor::doubles(&[BUCKETS, 3], &flat))
    }
}

/// Returns the bucket of a value. `place` is its approximate distance from the left, in buckets; NaN
/// if all values are equal.
fn bucket_of(value: f64, place: f64, rows: &[(f64, f64, u64); BUCKETS]) -> usize {
    if place.is_nan() {
        return BUCKETS - 1;
    }
    let guess = (place as usize).min(BUCKETS - 1);
    // Rounding may put a value that lies on an edge one bucket off; the edges decide.
    if value < rows[guess].0 {
        guess - 1
    } else if guess < BUCKETS - 1 && value >= rows[guess].1 {
        guess + 1
    } else {
        guess
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Rng};

    #[test]
    fn equal_values_fill_the_last_bucket() {
        let h = Histogram::new(&[2.5; 7]);
        assert_eq!(h.rows[..29], [(2.5, 2.5, 0); 29]);
        assert_eq!(h.rows[29], (2.5, 2.5, 7));
    }

    #[test]
    fn nothing_finite_gives_zeros() {
        let nothing = Histogram::new(&[]);
        assert_eq!((nothing.rows, nothing.nonfinite), ([(0.0, 0.0, 0); 30], 0));
        let bad = Histogram::new(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
        assert_eq!((bad.rows, bad.nonfinite), ([(0.0, 0.0, 0); 30], 3));
    }

    #[test]
    fn every_value_lies_between_the_edges_of_its_bucket() {
        let mut rng = Rng::new(5, Purpose::Test, 0, 0);
        for _ in 0..50 {
            let mut values: Vec<f32> =
                (0..200).map(|_| (rng.bits() % 1000) as f32 * 0.1 - 37.3).collect();
            values.extend([f32::MIN_POSITIVE, 1e-3, f32::INFINITY]);
            let h = Histogram::new(&values);
            assert_eq!(h.nonfinite, 1);
            for (i, &(left, right, n)) in h.rows.iter().enumerate() {
                let inside = |v: f64| left <= v && (v < right || (i == 29 && v == right));
                let expected = values.iter().filter(|v| inside(f64::from(**v))).count();
                assert_eq!(n, expected as u64, "bucket {i}");
            }
        }
    }

    #[test]
    fn the_widest_range_does_not_overflow() {
        let h = Histogram::new(&[f32::MIN, 0.0, f32::MAX]);
        assert_eq!(h.rows.iter().map(|r| r.2).sum::<u64>(), 3);
        assert_eq!(h.rows[29].1, f64::from(f32::MAX));
        assert!(h.rows.iter().all(|r| r.0.is_finite() && r.0 < r.1));
    }
}
