//! Statistics of slices: softmax of one face's logits, correlations, quantiles, intervals. The softmax of
//! whole batches is a kernel.

use crate::random::{Purpose, Rng};

/// Returns the index of the largest value; the first among equals, 0 for an empty slice.
pub fn argmax<T: PartialOrd>(values: &[T]) -> usize {
    (1..values.len()).fold(0, |best, k| if values[k] > values[best] { k } else { best })
}

/// Returns at most `most` of the indices 0…n−1, evenly spread: ⌊i·n/k⌋ for i < k = min(n, most).
pub fn evenly_spread(n: usize, most: usize) -> Vec<usize> {
    let count = most.min(n);
    (0..count).map(|i| i * n / count).collect()
}

/// Returns ln Σ_k e^(x_k), computed with the largest x factored out so that nothing overflows; −∞ for no
/// values.
pub fn logsumexp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = values.clone().fold(f64::NEG_INFINITY, f64::max);
    top + values.map(|v| (v - top).exp()).sum::<f64>().ln()
}

/// Returns ln softmax(scale·logits) of one face in double precision; scale is 1 ÷ temperature.
pub fn log_softmax(logits: &[f32], scale: f64) -> Vec<f64> {
    let scaled = || logits.iter().map(|&v| f64::from(v) * scale);
    let normaliser = logsumexp(scaled());
    scaled().map(|v| v - normaliser).collect()
}

/// Returns softmax(scale·logits) of one face; scale is 1 ÷ temperature.
pub fn softmax(logits: &[f32], scale: f64) -> Vec<f32> {
    log_softmax(logits, scale).into_iter().map(|v| v.exp() as f32).collect()
}

/// Returns the ranks from 0; equal values share the mean of their ranks.
pub fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start]];
        let end = start + order[start..].iter().take_while(|&&i| values[i] == value).count();
        let end = end.max(start + 1); // NaN equals nothing, itself included
        for &i in &order[start..end] {
            ranks[i] = (start + end - 1) as f64 / 2.0;
        }
        start = end;
    }
    ranks
}

/// Returns the Pearson correlation; 0 if one side is constant.
pub fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len()) as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (&x, &y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if aa > 0.0 && bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}

/// Returns the normalised cross-correlation of two images of the same size.
pub fn ncc(a: &[f32], b: &[f32]) -> f64 {
    let wide = |v: &[f32]| v.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
    pearson(&wide(a), &wide(b))
}

/// Returns Spearman's rank correlation: the Pearson correlation of the [`ranks`].
pub fn spearman(a: &[f32], b: &[f32]) -> f64 {
    pearson(&ranks(a), &ranks(b))
}

/// Returns the quantile q in \[0,1\] with linear interpolation between order statistics (numpy's
/// default); NaN for no values.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = q.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (place - low as f64) * (sorted[high] - sorted[low])
}

/// Returns the median; NaN for no values.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Returns the mean; NaN for no values.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns the mean and the population standard deviation.
pub fn mean_sd(values: &[f64]) -> (f64, f64) {
    let m = mean(values);
    (m, mean(&values.iter().map(|v| (v - m) * (v - m)).collect::<Vec<_>>()).sqrt())
}

/// A 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Returns whether a value lies inside, ends included.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
    /// Returns half the width.
    pub fn margin(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// Returns the percentile bootstrap interval of the mean (Efron 1979): the 2.5th and 97.5th percentile of
/// the means of `resamples` draws with replacement. The draws depend only on the seed.
pub fn bootstrap_mean(values: &[f64], resamples: usize, seed: u64) -> Interval {
    if values.is_empty() {
        return Interval { low: f64::NAN, high: f64::NAN };
    }
    let means: Vec<f64> = (0..resamples.max(1) as u64)
        .map(|r| {
            let mut rng = Rng::new(seed, Purpose::Bootstrap, 0, r);
            let draw = || values[rng.below(values.len())];
            std::iter::repeat_with(draw).take(values.len()).sum::<f64>() / values.len() as f64
        })
        .collect();
    Interval { low: quantile(&means, 0.025), high: quantile(&means, 0.975) }
}

/// Returns Wilson's 95 % score interval of a share k/n (Wilson 1927); \[0, 1\] for n = 0.
///
/// centre = (p + z²/2n)/(1 + z²/n), half-width = z·sqrt(p(1−p)/n + z²/4n²)/(1 + z²/n). Unlike
/// p ± 1.96·s.e. it stays within \[0,1\] and is accurate for small n.
pub fn wilson(successes: u64, n: u64) -> Interval {
    if n == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let z = 1.959_963_984_540_054;
    let n = n as f64;
    let p = successes as f64 / n;
    let shrink = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / shrink;
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / shrink;
    Interval { low: (centre - half).max(0.0), high: (centre + half).min(1.0) }
}

/// Returns the mean height of a curve with equal steps by the trapezoid rule: area ÷ width.
pub fn trapezoid(curve: &[f64]) -> f64 {
    match curve {
        [] => f64::NAN,
        [only] => *only,
        [first, .., last] => {
            (curve.iter().sum::<f64>() - (first + last) / 2.0) / (curve.len() - 1) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argmax_takes_the_first_among_equals() {
        assert_eq!((argmax(&[1.0, 3.0, 3.0]), argmax(&[2, 1]), argmax::<f32>(&[])), (1, 0, 0));
    }

    #[test]
    fn evenly_spread_begins_at_the_first_and_keeps_all_of_few() {
        assert_eq!(evenly_spread(7, 3), [0, 2, 4]);
        assert_eq!(evenly_spread(2, 5), [0, 1]);
        assert_eq!([evenly_spread(0, 5), evenly_spread(5, 0)], [[0; 0]; 2]);
    }

    #[test]
    fn softmax_by_hand() {
        // e^0 : e^(2·ln 3/2) = 1 : 3, whatever is added to both.
        for shift in [0.0, 1e4] {
            let p = softmax(&[shift, shift + 2.0], 3f64.ln() / 2.0);
            assert!((p[0] - 0.25).abs() < 1e-6 && (p[1] - 0.75).abs() < 1e-6, "{p:?}");
        }
        assert!((log_softmax(&[-1000.0, 0.0], 1.0)[0] + 1000.0).abs() < 1e-9);
        assert_eq!(logsumexp([].into_iter()), f64::NEG_INFINITY);
    }

    #[test]
    fn spearman_of_known_orders() {
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[10.0, 200.0, 3000.0]), 1.0);
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
        // scipy.stats.spearmanr([1,2,2,4],[3,1,2,4]) = 0.31622776601683794
        assert!(
            (spearman(&[1.0, 2.0, 2.0, 4.0], &[3.0, 1.0, 2.0, 4.0]) - 0.316_227_766).abs() < 1e-9
        );
    }

    #[test]
    fn quantile_interpolates() {
        let v = [4.0, 1.0, 3.0, 2.0];
        assert_eq!((quantile(&v, 0.0), quantile(&v, 1.0), median(&v)), (1.0, 4.0, 2.5));
        assert!((quantile(&v, 0.95) - 3.85).abs() < 1e-12);
    }

    #[test]
    fn wilson_matches_published_values() {
        // Newcombe 1998, table I: 81/263 gives 0.2553 to 0.3662; 0/20 gives 0 to 0.1611.
        let i = wilson(81, 263);
        assert!((i.low - 0.2553).abs() < 5e-5 && (i.high - 0.3662).abs() < 5e-5, "{i:?}");
        let i = wilson(0, 20);
        assert!(i.low == 0.0 && (i.high - 0.1611).abs() < 5e-5, "{i:?}");
    }

    #[test]
    fn trapezoid_of_a_line_is_its_middle() {
        assert_eq!(trapezoid(&[0.0, 0.5, 1.0]), 0.5);
        assert_eq!(trapezoid(&[1.0, 0.0, 0.0]), 0.25);
    }

    #[test]
    fn bootstrap_covers_the_mean_and_repeats() {
        let v: Vec<f64> = (0..100).map(f64::from).collect();
        let i = bootstrap_mean(&v, 500, 3);
        // The standard error of the mean is 2.9: the interval is about 49.5 ± 5.7.
        assert!(i.contains(49.5) && (4.5..7.0).contains(&i.margin()), "{i:?}");
        assert_eq!(i, bootstrap_mean(&v, 500, 3));
    }
}
