//! Chart axes with round ticks: linear, logarithmic, or categories.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::render::format;

/// One axis of a chart.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Quantity with unit.
    pub title: String,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) logarithmic: bool,
    /// Value and label.
    pub(crate) ticks: Vec<(f64, String)>,
    /// Whether there are grid lines at the ticks.
    pub(crate) grid: bool,
}

impl Axis {
    /// Creates a linear axis that contains `low` and `high`, with round numbers at both ends.
    pub fn linear(title: impl Into<String>, low: f64, high: f64) -> Self {
        let step = round_step(low, high, 6.0);
        let decimals = decimals_of(step);
        let label = move |v: f64| match v {
            v if v >= 1e5 => format::count(v as u64),
            v if v >= 1000.0 && step >= 1.0 => format::thousands(v as u64),
            v => format!("{v:.decimals$}"),
        };
        Self::stepped(title, low, high, step, label)
    }

    /// Creates a linear axis of shares 0…1, labelled in per cent. What little lies above 1, room for
    /// text, has no tick.
    pub fn percent(title: impl Into<String>, low: f64, high: f64) -> Self {
        let step = round_step(low, high, 6.0);
        let decimals = decimals_of(step * 100.0);
        let most = if high > 1.0 && high < 1.1 { 1.0 } else { high };
        let label = move |v: f64| format!("{:.decimals$} %", v * 100.0);
        let mut axis = Self::stepped(title, low, most, step, label);
        axis.high = axis.high.max(if most < high { high } else { most });
        axis
    }

    /// Creates a linear axis of whole numbers from exactly `low` to `high`, such as epochs.
    pub fn whole(title: impl Into<String>, low: f64, high: f64) -> Self {
        let (low, high) = ordered(low, high);
        let step = round_step(low, high, 8.0).max(1.0);
        let mut axis = Self::stepped(title, low, high, step, |v| format!("{v:.0}"));
        (axis.low, axis.high) = (low, high);
        axis.ticks.retain(|t| t.0 >= low && t.0 <= high);
        axis
    }

    /// Creates a logarithmic axis with ticks at powers of ten, and at 2 and 5 between if it is short.
    /// Numbers ≤ 0 are drawn at the low end.
    pub fn log(title: impl Into<String>, low: f64, high: f64) -> Self {
        let low = if low > 0.0 && low.is_finite() { low.clamp(1e-12, 1e12) } else { 1e-3 };
        let high = if high > low && high.is_finite() { high.min(1e15) } else { low * 10.0 };
        let (from, to) = (low.log10(), high.log10());
        let factors: &[f64] = if to - from > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let mut ticks = Vec::new();
        for power in from.floor() as i32..=to.ceil() as i32 {
            for factor in factors {
                let value = factor * 10f64.powi(power);
                if value >= low * 0.999 && value <= high * 1.001 {
                    ticks.push((value, plain(value)));
                }
            }
        }
        Axis { title: title.into(), low, high, logarithmic: true, ticks, grid: true }
    }

    /// Creates an axis of categories at 0, 1, 2, …, without grid lines.
    pub fn categories(title: impl Into<String>, names: &[String]) -> Self {
        let ticks = names.iter().enumerate().map(|(i, n)| (i as f64, n.clone())).collect();
        let high = names.len().max(1) as f64 - 0.5;
        Axis { title: title.into(), low: -0.5, high, logarithmic: false, ticks, grid: false }
    }

    fn stepped(
        title: impl Into<String>,
        low: f64,
        high: f64,
        step: f64,
        label: impl Fn(f64) -> String,
    ) -> Self {
        let (low, high) = ordered(low, high);
        let first = (low / step + 1e-9).floor();
        let last = (high / step - 1e-9).ceil().max(first + 1.0);
        let count = ((last - first) as usize).min(50);
        // Adding 0 turns −0 into 0, which would otherwise be labelled “-0”.
        let ticks = (0..=count).map(|i| (first + i as f64) * step + 0.0);
        let ticks = ticks.map(|v| (v, label(v))).collect();
        Axis {
            title: title.into(),
            low: first * step,
            high: last * step,
            logarithmic: false,
            ticks,
            grid: true,
        }
    }

    /// Returns the position of a value between the ends, 0…1; values outside are clipped.
    pub(crate) fn part(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        match self.logarithmic {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        limit.0 + (self.part(*value) * (limit.1 - limit.0) as f64).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            true => Vec::new(),
            false => self.ticks.iter().map(|t| t.0).collect(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|t| t.0 == *value);
        tick.map(|t| t.1.clone()).unwrap_or_default()
    }
}

/// Largest magnitude on an axis; beyond it, steps would overflow.
const LIMIT: f64 = 1e30;

/// Returns a range that is finite, ordered and not empty.
fn ordered(low: f64, high: f64) -> (f64, f64) {
    let low = if low.is_finite() { low.clamp(-LIMIT, LIMIT) } else { 0.0 };
    let high = if high.is_finite() { high.clamp(-LIMIT, LIMIT) } else { low };
    match high > low {
        true => (low, high),
        false if low == high => (low, low + if low == 0.0 { 1.0 } else { low.abs() * 0.1 }),
        false => (high, low),
    }
}

/// Returns a step of 1, 2 or 5 times a power of ten, with about `count` steps in the range.
fn round_step(low: f64, high: f64, count: f64) -> f64 {
    let (low, high) = ordered(low, high);
    let raw = (high - low) / count;
    let power = 10f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * power >= raw * 0.999).unwrap_or(10.0);
    factor * power
}

fn decimals_of(step: f64) -> usize {
    (-(step.log10() + 1e-9).floor()).clamp(0.0, 9.0) as usize
}

/// Formats a round number without trailing zeros.
fn plain(value: f64) -> String {
    match value {
        v if v >= 1000.0 => format::count(v.round() as u64),
        v if v >= 0.001 => {
            let text = format!("{v:.3}");
            text.trim_end_matches('0').trim_end_matches('.').into()
        }
        v => format!("{v:.0e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|t| t.1.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_hold_the_range() {
        assert_eq!(labels(&Axis::linear("", 0.0, 1.9)), ["0.0", "0.5", "1.0", "1.5", "2.0"]);
        assert_eq!(labels(&Axis::percent("", 0.23, 0.61)).first(), Some(&"20 %"));
        let whole = Axis::percent("", 0.0, 1.06);
        assert_eq!((labels(&whole).last(), whole.high), (Some(&"100 %"), 1.06));
        assert_eq!(labels(&Axis::whole("", 1.0, 13.0)), ["2", "4", "6", "8", "10", "12"]);
        assert_eq!(labels(&Axis::log("", 0.1, 100.0)).len(), 10);
        assert_eq!(labels(&Axis::log("", 1.0, 1e5)), ["1", "10", "100", "1 k", "10 k", "100 k"]);
    }

    #[test]
    fn invalid_ranges_still_make_an_axis() {
        let huge = (f64::MIN, f64::MAX);
        for (low, high) in
            [(0.0, 0.0), (f64::NAN, f64::NAN), (5.0, 1.0), (0.0, f64::INFINITY), huge]
        {
            for axis in [Axis::linear("", low, high), Axis::log("", low, high)] {
                assert!(axis.low.is_finite() && axis.high > axis.low, "{low} {high}");
            }
        }
    }
}
