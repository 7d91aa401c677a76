//! Bar charts: counts or shares per class, grouped, with intervals and control marks.

use crate::Result;
use crate::render::Scene;
use crate::render::chart::axis::Axis;
use crate::render::chart::plot::{Key, LABEL, Mark, Plot, plot};
use crate::render::chart::{ChartOptions, Dash, extent, frame};
use crate::render::format::{self, thousands};
use crate::render::scene::{Align, Anchor, TextStyle};
use crate::render::theme::Palette;

/// One bar per category.
#[derive(Clone, Debug, Default)]
pub struct BarSeries {
    /// Name in the legend; an unnamed series is not in the legend.
    pub name: String,
    /// One value per category.
    pub values: Vec<f64>,
    /// Interval of each value, or empty.
    pub intervals: Vec<(f64, f64)>,
    /// Text above each bar; the value if empty.
    pub labels: Vec<String>,
}

impl BarSeries {
    /// Creates a series of counts, labelled in full.
    pub fn counts(name: &str, counts: &[u64]) -> Self {
        Self {
            name: name.into(),
            values: counts.iter().map(|&n| n as f64).collect(),
            labels: counts.iter().map(|&n| thousands(n)).collect(),
            ..Self::default()
        }
    }
}

/// Values that the bars are compared with, drawn as marks.
#[derive(Clone, Debug, Default)]
pub struct Control {
    /// Name in the legend.
    pub name: String,
    /// One value per category.
    pub values: Vec<f64>,
}

/// A bar chart.
#[derive(Clone, Debug, Default)]
pub struct BarChart {
    /// Title.
    pub title: String,
    /// Subtitle.
    pub subtitle: String,
    /// Title of the y axis: quantity with unit.
    pub y_title: String,
    /// Category names.
    pub categories: Vec<String>,
    /// Series, drawn side by side.
    pub series: Vec<BarSeries>,
    /// Controls, drawn as marks over the bars.
    pub controls: Vec<Control>,
    /// A reference level and its name in the legend.
    pub reference: Option<(f64, String)>,
    /// Whether values are shares, shown in per cent.
    pub percent: bool,
    /// A value up to which the axis reaches at least, so that charts can be compared.
    pub reach: Option<f64>,
}

const SIGNS: [char; 4] = ['◆', '▲', '■', '○'];

/// Draws the chart.
pub fn bars(chart: &BarChart, options: ChartOptions) -> Result<Scene> {
    let palette = options.theme.palette();
    let (mut scene, area, palette) =
        frame(options, &chart.title, &chart.subtitle, &keys(chart, &palette));
    let stagger = is_crowded(&chart.categories, area.width);
    let blank = vec![String::new(); chart.categories.len()];
    let x = match stagger {
        true => Axis::categories(" ", &blank), // a blank title leaves room for a second row
        false => Axis::categories("", &chart.categories),
    };
    let y = y_axis(chart);
    plot(&mut scene, area, "", (&x, &y), &palette, |plot| {
        if let Some((level, _)) = &chart.reference {
            plot.line(&[(x.low, *level), (x.high, *level)], palette.ink, 1.2, Dash::Dashed)?;
        }
        for category in 0..chart.categories.len() {
            draw_group(plot, chart, category, &palette)?;
        }
        if stagger {
            let style =
                TextStyle::new(LABEL, palette.muted).align(Align::Middle).anchor(Anchor::Top);
            for (i, name) in chart.categories.iter().enumerate() {
                plot.note((i as f64, plot.low()), (0.0, 7.0 + 15.0 * (i % 2) as f32), name, style);
            }
        }
        Ok(())
    })?;
    Ok(scene)
}

/// Returns whether names side by side would touch: then every second one stands a row lower.
fn is_crowded(names: &[String], width: f32) -> bool {
    let style = TextStyle::new(LABEL, [0; 3]);
    let room = 0.85 * width / names.len().max(1) as f32; // the rest is the y axis
    names.windows(2).any(|two| (style.width(&two[0]) + style.width(&two[1])) / 2.0 + 4.0 > room)
}

fn y_axis(chart: &BarChart) -> Axis {
    let bars = chart.series.iter().flat_map(|s| s.values.iter().copied());
    let ends = chart.series.iter().flat_map(|s| s.intervals.iter().flat_map(|i| [i.0, i.1]));
    let controls = chart.controls.iter().flat_map(|c| c.values.iter().copied());
    let level = chart.reference.iter().map(|r| r.0);
    let (low, high) =
        extent(bars.chain(ends).chain(controls).chain(level).chain(chart.reach).chain([0.0]));
    // Room for the text above the highest bar.
    let high = high + (high - low) * 0.06;
    match chart.percent {
        true => Axis::percent(chart.y_title.as_str(), low, high.min(1.06)),
        false => Axis::linear(chart.y_title.as_str(), low, high),
    }
}

fn keys(chart: &BarChart, palette: &Palette) -> Vec<Key> {
    let named = chart.series.iter().enumerate().filter(|(_, s)| !s.name.is_empty());
    let bars = named.map(|(i, s)| Key {
        name: s.name.clone(),
        color: palette.series(i),
        mark: Mark::Square,
    });
    let controls = chart.controls.iter().enumerate().map(|(i, c)| Key {
        name: c.name.clone(),
        color: palette.ink,
        mark: Mark::Sign(SIGNS[i % SIGNS.len()]),
    });
    let reference = chart.reference.iter().filter(|(_, name)| !name.is_empty()).map(|(_, name)| {
        Key { name: name.clone(), color: palette.ink, mark: Mark::Line(Dash::Dashed) }
    });
    bars.chain(controls).chain(reference).collect()
}

/// Draws the bars of one category with intervals and values, and the marks of the controls.
fn draw_group(plot: &mut Plot, chart: &BarChart, category: usize, palette: &Palette) -> Result<()> {
    let pitch = 0.8 / chart.series.len().max(1) as f64;
    for (i, series) in chart.series.iter().enumerate() {
        let Some(&value) = series.values.get(category) else { continue };
        let start = category as f64 - 0.4 + i as f64 * pitch;
        let (left, right) = (start + pitch * 0.04, start + pitch * 0.96);
        plot.bar((left, 0.0), (right, value), palette.series(i), 1.0)?;
        let middle = (left + right) / 2.0;
        let interval = series.intervals.get(category).copied();
        if let Some(interval) = interval {
            plot.whisker(middle, interval, palette.ink, palette.ground)?;
        }
        let top = above_reference(plot, chart, interval.map_or(value, |i| i.1.max(value)));
        let room = plot.pixel((left + pitch, 0.0)).0 - plot.pixel((left, 0.0)).0;
        write_value(plot, (middle, top), room, words(chart, series, category, value), palette);
    }
    draw_controls(plot, chart, category, palette);
    Ok(())
}

/// Draws the marks of the controls of one category side by side, each with an outline.
fn draw_controls(plot: &mut Plot, chart: &BarChart, category: usize, palette: &Palette) {
    let spread = 0.8 / (chart.controls.len() + 1) as f64;
    for (i, control) in chart.controls.iter().enumerate() {
        let Some(&value) = control.values.get(category).filter(|v| v.is_finite()) else { continue };
        let at = (category as f64 - 0.4 + (i + 1) as f64 * spread, value);
        let sign = SIGNS[i % SIGNS.len()];
        let style = TextStyle::new(13.0, palette.ink).align(Align::Middle).anchor(Anchor::Middle);
        let rim = TextStyle { color: palette.ground, ..style };
        for offset in [(-1.5, 0.0), (1.5, 0.0), (0.0, -1.5), (0.0, 1.5)] {
            plot.note(at, offset, sign, rim);
        }
        plot.note(at, (0.0, 0.0), sign, style);
    }
}

fn words(chart: &BarChart, series: &BarSeries, category: usize, value: f64) -> String {
    match series.labels.get(category) {
        Some(label) => label.clone(),
        None if !value.is_finite() => "–".into(),
        None if chart.percent => format::percent(value),
        None if value.fract() == 0.0 && value >= 0.0 => format::thousands(value as u64),
        None => decimals(chart, value),
    }
}

/// Formats a value with as many decimals as the largest value of the chart needs for three digits.
fn decimals(chart: &BarChart, value: f64) -> String {
    let sizes = chart.series.iter().flat_map(|s| &s.values).map(|v| v.abs());
    match sizes.filter(|v| v.is_finite()).fold(0.0, f64::max) {
        v if !(0.1..1e5).contains(&v) => format::short(value),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Returns the position of the text above a bar: above the reference line if that would cross it.
fn above_reference(plot: &Plot, chart: &BarChart, top: f64) -> f64 {
    let Some((level, _)) = &chart.reference else { return top };
    let rise = plot.pixel((0.0, top)).1 - plot.pixel((0.0, *level)).1;
    if (0.0..18.0).contains(&rise) { *level } else { top }
}

/// Writes the value above a bar, upwards if the bar is too narrow.
fn write_value(plot: &mut Plot, at: (f64, f64), room: f32, text: String, palette: &Palette) {
    let style = TextStyle::new(12.0, palette.ink);
    let at = if at.1.is_finite() { at } else { (at.0, 0.0) };
    match style.width(&text) <= room + 2.0 {
        true => plot.note(at, (0.0, -5.0), text, style.align(Align::Middle)),
        false => plot.note(at, (0.0, -5.0), text, style.anchor(Anchor::Middle).upwards()),
    }
}
