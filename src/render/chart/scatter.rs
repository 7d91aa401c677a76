//! Scatter charts of named points, such as recall against the number of training faces.

use crate::Result;
use crate::render::Scene;
use crate::render::canvas::Point;
use crate::render::chart::axis::Axis;
use crate::render::chart::plot::{Plot, plot};
use crate::render::chart::{ChartOptions, extent, frame};
use crate::render::scene::{Anchor, TextStyle};

/// A named point.
#[derive(Clone, Debug)]
pub struct ScatterPoint {
    /// Label.
    pub label: String,
    /// Position.
    pub x: f64,
    /// Position.
    pub y: f64,
    /// Interval of y.
    pub interval: Option<(f64, f64)>,
}

/// A chart of named points.
#[derive(Clone, Debug, Default)]
pub struct ScatterChart {
    /// Title.
    pub title: String,
    /// Subtitle.
    pub subtitle: String,
    /// Title of the x axis, which is logarithmic.
    pub x_title: String,
    /// Title of the y axis, a share.
    pub y_title: String,
    /// The points.
    pub points: Vec<ScatterPoint>,
}

/// Draws the chart; labels are placed with the least overlap.
pub fn scatter(chart: &ScatterChart, options: ChartOptions) -> Result<Scene> {
    let (mut scene, area, palette) = frame(options, &chart.title, &chart.subtitle, &[]);
    let (x_low, x_high) = extent(chart.points.iter().map(|p| p.x).filter(|x| *x > 0.0));
    let x = Axis::log(chart.x_title.as_str(), x_low / 1.5, x_high * 1.6);
    let y = Axis::percent(chart.y_title.as_str(), 0.0, 1.0);
    plot(&mut scene, area, "", (&x, &y), &palette, |plot| {
        for point in &chart.points {
            if let Some(interval) = point.interval {
                plot.whisker(point.x, interval, palette.muted, palette.ground)?;
            }
        }
        for point in &chart.points {
            plot.dot((point.x, point.y), 5.0, palette.series(0), palette.ground)?;
        }
        let style = TextStyle::new(13.0, palette.ink).anchor(Anchor::Middle);
        place_labels(plot, &chart.points, style);
        Ok(())
    })?;
    Ok(scene)
}

/// A box around a label or point: left, top, right, bottom.
type Frame = (f32, f32, f32, f32);

fn overlap(a: &Frame, b: &Frame) -> f32 {
    let width = a.2.min(b.2) - a.0.max(b.0);
    let height = a.3.min(b.3) - a.1.max(b.1);
    width.max(0.0) * height.max(0.0)
}

/// Places each label at the first position with the least overlap: right, left, then diagonal.
fn place_labels(plot: &mut Plot, points: &[ScatterPoint], style: TextStyle) {
    let finite = |p: &&ScatterPoint| p.x.is_finite() && p.y.is_finite();
    let points: Vec<&ScatterPoint> = points.iter().filter(finite).collect();
    let mut taken: Vec<Frame> = Vec::new();
    for point in &points {
        let (x, y) = plot.pixel((point.x, point.y));
        taken.push((x - 7.0, y - 7.0, x + 7.0, y + 7.0));
        if let Some((low, high)) = point.interval {
            let (top, bottom) = (plot.pixel((point.x, high)).1, plot.pixel((point.x, low)).1);
            taken.push((x - 4.0, top, x + 4.0, bottom));
        }
    }
    for point in points {
        let (x, y) = plot.pixel((point.x, point.y));
        let width = style.width(&point.label);
        let (right, left) = (11.0, -11.0 - width);
        let offsets: [Point; 8] = [
            (right, 0.0),
            (left, 0.0),
            (right, -14.0),
            (left, -14.0),
            (right, 14.0),
            (left, 14.0),
            (right, -28.0),
            (right, 28.0),
        ];
        let frame = |o: &Point| (x + o.0, y + o.1 - 7.0, x + o.0 + width, y + o.1 + 7.0);
        let cost = |o: &Point| taken.iter().map(|t| overlap(t, &frame(o))).sum::<f32>();
        let best = offsets.iter().min_by(|a, b| cost(a).total_cmp(&cost(b)));
        let best = *best.unwrap_or(&offsets[0]);
        taken.push(frame(&best));
        plot.note((point.x, point.y), best, point.label.as_str(), style);
    }
}
