//! Reliability diagram: accuracy against confidence.

use crate::Result;
use crate::render::chart::axis::Axis;
use crate::render::chart::plot::{Area, Key, Mark, plot};
use crate::render::chart::{ChartOptions, Dash, frame};
use crate::render::scene::{Align, Anchor, TextStyle};
use crate::render::{Scene, format};

/// The predictions in one bin of confidence; the bins divide 0…1 evenly.
#[derive(Clone, Copy, Debug)]
pub struct ReliabilityBin {
    /// Number of predictions.
    pub count: u64,
    /// Mean confidence, 0…1.
    pub confidence: f64,
    /// Accuracy, 0…1.
    pub accuracy: f64,
}

/// The texts of the diagram.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReliabilityWords<'a> {
    /// Title of the diagram.
    pub title: &'a str,
    /// Name of the bars.
    pub accuracy: &'a str,
    /// Name of the difference between accuracy and confidence.
    pub gap: &'a str,
    /// Name of the diagonal.
    pub perfect: &'a str,
    /// Title of the upper vertical axis.
    pub accuracy_axis: &'a str,
    /// Title of the lower vertical axis.
    pub count: &'a str,
    /// Title of the horizontal axis.
    pub confidence: &'a str,
}

/// Draws the accuracy per bin of confidence against the diagonal, and the counts below.
pub fn reliability(
    words: &ReliabilityWords<'_>,
    subtitle: &str,
    bins: &[ReliabilityBin],
    options: ChartOptions,
) -> Result<Scene> {
    let palette = options.theme.palette();
    let key = |name: &str, color, mark| Key { name: name.into(), color, mark };
    let keys = [
        key(words.accuracy, palette.series(0), Mark::Square),
        key(words.gap, palette.series(1), Mark::Square),
        key(words.perfect, palette.muted, Mark::Line(Dash::Dashed)),
    ];
    let (mut scene, area, palette) = frame(options, words.title, subtitle, &keys);
    let width = 1.0 / bins.len().max(1) as f64;
    let x = Axis { title: String::new(), grid: false, ..Axis::percent("", 0.0, 1.0) };
    let y = Axis::percent(words.accuracy_axis, 0.0, 1.0);
    let upper = Area { height: area.height * 0.66, ..area };
    plot(&mut scene, upper, "", (&x, &y), &palette, |plot| {
        for (i, bin) in bins.iter().enumerate().filter(|(_, b)| b.count > 0) {
            let (left, right) = (i as f64 * width, (i + 1) as f64 * width);
            let inset = width * 0.04;
            let span = |low, high| ((left + inset, low), (right - inset, high));
            let (from, to) = span(0.0, bin.accuracy);
            plot.bar(from, to, palette.series(0), 1.0)?;
            let (from, to) = span(bin.accuracy, bin.confidence);
            plot.bar(from, to, palette.series(1), 0.55)?;
            // The gap lies on the bar or above it; a line marks the end that is the accuracy.
            let (from, to) = span(bin.accuracy, bin.accuracy);
            plot.line(&[from, to], palette.ink, 2.0, Dash::Solid)?;
        }
        plot.line(&[(0.0, 0.0), (1.0, 1.0)], palette.muted, 1.5, Dash::Dashed)
    })?;
    let most = bins.iter().map(|b| b.count).max().unwrap_or(0) as f64;
    let x = Axis { title: words.confidence.into(), ..x };
    let mut y = Axis::linear(words.count, 0.0, most * 1.25);
    // The counts are above the bars, so two ticks are enough.
    let ends = (y.ticks.first().cloned(), y.ticks.last().cloned());
    y.ticks = [ends.0, ends.1].into_iter().flatten().collect();
    // As wide as the labels of the upper panel, so that the bins are aligned.
    let label = TextStyle::new(crate::render::chart::plot::LABEL, palette.muted);
    let widest = y.ticks.iter().map(|t| label.width(&t.1)).fold(0.0, f32::max);
    let shift = label.width("100 %") - widest;
    let lower = Area {
        left: area.left + shift,
        top: upper.top + upper.height,
        width: area.width - shift,
        height: area.height - upper.height,
    };
    plot(&mut scene, lower, "", (&x, &y), &palette, |plot| {
        for (i, bin) in bins.iter().enumerate() {
            let (left, right) = ((i as f64 + 0.04) * width, (i as f64 + 0.96) * width);
            plot.bar((left, 0.0), (right, bin.count as f64), palette.series[6], 1.0)?;
            let at = ((left + right) / 2.0, bin.count as f64);
            let style =
                TextStyle::new(12.0, palette.ink).align(Align::Middle).anchor(Anchor::Baseline);
            plot.note(at, (0.0, -4.0), format::count(bin.count), style);
        }
        Ok(())
    })?;
    Ok(scene)
}
