//! Line charts over a share, such as a correlation over the share of randomised layers.

use crate::Result;
use crate::render::Scene;
use crate::render::chart::axis::Axis;
use crate::render::chart::plot::{Key, Mark, plot};
use crate::render::chart::{ChartOptions, Dash, extent, frame};

/// A line.
#[derive(Clone, Debug)]
pub struct LineSeries {
    /// Name in the legend.
    pub name: String,
    /// Points (x, y).
    pub points: Vec<(f64, f64)>,
    /// Line style.
    pub dash: Dash,
}

/// Draws lines; x is a share 0…1, shown in per cent. The y axis includes 0.
pub fn lines(
    title: &str,
    subtitle: &str,
    (x_title, y_title): (&str, &str),
    series: &[LineSeries],
    options: ChartOptions,
) -> Result<Scene> {
    let palette = options.theme.palette();
    let key = |(i, line): (usize, &LineSeries)| Key {
        name: line.name.clone(),
        color: palette.series(i),
        mark: Mark::Line(line.dash),
    };
    let keys: Vec<Key> = series.iter().enumerate().map(key).collect();
    let (mut scene, area, palette) = frame(options, title, subtitle, &keys);
    let points = || series.iter().flat_map(|l| &l.points);
    let (x_low, x_high) = extent(points().map(|p| p.0));
    let (y_low, y_high) = extent(points().map(|p| p.1));
    let x = Axis { grid: false, ..Axis::percent(x_title, x_low, x_high) };
    let y = Axis::linear(y_title, y_low.min(0.0), y_high);
    plot(&mut scene, area, "", (&x, &y), &palette, |plot| {
        let mut numbered = series.iter().enumerate();
        numbered.try_for_each(|(i, l)| plot.line(&l.points, palette.series(i), 2.2, l.dash))
    })?;
    Ok(scene)
}
