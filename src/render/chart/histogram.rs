//! Histograms of one or several samples.

use crate::Result;
use crate::render::Scene;
use crate::render::chart::Dash;
use crate::render::chart::axis::Axis;
use crate::render::chart::plot::{Key, Mark, plot};
use crate::render::chart::{ChartOptions, extent, frame};
use crate::render::format;
use crate::render::scene::{Align, Anchor, TextStyle};

/// A histogram; samples share their bins and are overlaid.
#[derive(Clone, Debug, Default)]
pub struct HistogramChart {
    /// Title.
    pub title: String,
    /// Subtitle.
    pub subtitle: String,
    /// Title of the x axis: quantity with unit.
    pub x_title: String,
    /// Name and values of each sample; values that are not finite are left out, and the legend says so.
    pub samples: Vec<(String, Vec<f64>)>,
    /// Number of bins.
    pub bins: usize,
    /// Marked levels and their names.
    pub marks: Vec<(f64, String)>,
}

/// Draws the chart; the height of a bin is its share of the sample.
///
/// **Errors**: [`crate::Error::Render`] if the drawing fails.
pub fn histogram(chart: &HistogramChart, options: ChartOptions) -> Result<Scene> {
    let palette = options.theme.palette();
    let keys = chart.samples.iter().enumerate().map(|(i, (name, values))| {
        let lost = values.iter().filter(|v| !v.is_finite()).count();
        let lost = if lost > 0 { format!(", {lost} not finite") } else { String::new() };
        let name = format!("{name} (n = {}{lost})", format::thousands(values.len() as u64));
        Key { name, color: palette.series(i), mark: Mark::Square }
    });
    let keys: Vec<Key> = keys.collect();
    let (mut scene, area, palette) = frame(options, &chart.title, &chart.subtitle, &keys);
    let marks = chart.marks.iter().map(|m| m.0);
    let (low, high) = extent(chart.samples.iter().flat_map(|s| s.1.iter().copied()).chain(marks));
    let x = Axis { grid: false, ..Axis::linear(chart.x_title.as_str(), low, high) };
    let count = chart.bins.clamp(1, 1000);
    let shares: Vec<_> =
        chart.samples.iter().map(|s| shares(&s.1, (x.low, x.high), count)).collect();
    let most = shares.iter().flatten().copied().fold(0.0, f64::max);
    let y = Axis::percent("share of the sample", 0.0, most * 1.12);
    let width = (x.high - x.low) / count as f64;
    plot(&mut scene, area, "", (&x, &y), &palette, |plot| {
        for (i, shares) in shares.iter().enumerate() {
            let outline = steps(shares, x.low, width);
            let band: Vec<_> = outline.iter().map(|p| (p.0, 0.0, p.1)).collect();
            plot.band(&band, palette.series(i), 0.35)?;
            plot.line(&outline, palette.series(i), 1.8, Dash::Solid)?;
        }
        for (level, name) in &chart.marks {
            plot.line(&[(*level, 0.0), (*level, y.high)], palette.ink, 1.2, Dash::Dashed)?;
            let late = *level > (x.low + x.high) / 2.0;
            let (dx, align) = if late { (-5.0, Align::End) } else { (5.0, Align::Start) };
            let style = TextStyle::new(12.0, palette.ink).align(align).anchor(Anchor::Top);
            plot.note((*level, y.high), (dx, 2.0), name.as_str(), style);
        }
        Ok(())
    })?;
    Ok(scene)
}

/// Returns the outline of the bars, with a gap (NaN) at empty bins.
fn steps(shares: &[f64], low: f64, width: f64) -> Vec<(f64, f64)> {
    let mut outline = Vec::new();
    let mut before = 0.0;
    for (bin, &share) in shares.iter().chain([&0.0]).enumerate() {
        let left = low + bin as f64 * width;
        if before > 0.0 || share > 0.0 {
            outline.extend([(left, before), (left, share)]);
        }
        if share == 0.0 {
            outline.push((f64::NAN, f64::NAN));
        }
        before = share;
    }
    outline
}

/// Returns the share of the finite values in each of `count` equal bins of `low..=high`.
fn shares(values: &[f64], (low, high): (f64, f64), count: usize) -> Vec<f64> {
    let mut bins = vec![0.0; count];
    let finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    for value in &finite {
        let at = (value - low) / (high - low) * count as f64;
        bins[(at.max(0.0) as usize).min(count - 1)] += 1.0 / finite.len() as f64;
    }
    bins
}

#[cfg(test)]
mod tests {
    #[test]
    fn shares_add_up_and_the_last_bin_is_closed() {
        let shares = super::shares(&[0.0, 0.1, 1.0, f64::NAN], (0.0, 1.0), 2);
        assert_eq!(shares, [2.0 / 3.0, 1.0 / 3.0]);
    }
}
