//! Line charts with bands, such as deletion and insertion curves with intervals.

use crate::Result;
use crate::render::Scene;
use crate::render::chart::axis::Axis;
use crate::render::chart::plot::{Key, Mark, plot};
use crate::render::chart::{ChartOptions, Dash, extent, frame};

/// A line; `x`, `y` and, if there is a band, `low` and `high` have equal lengths.
#[derive(Clone, Debug)]
pub struct Band {
    /// Name in the legend.
    pub name: String,
    /// Positions.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
    /// Lower ends of the band, or empty.
    pub low: Vec<f64>,
    /// Upper ends of the band, or empty.
    pub high: Vec<f64>,
    /// Line style.
    pub dash: Dash,
}

/// Draws lines with bands; x is a share 0…1, shown in per cent. The y axis includes 0.
pub fn bands(
    title: &str,
    subtitle: &str,
    (x_title, y_title): (&str, &str),
    lines: &[Band],
    options: ChartOptions,
) -> Result<Scene> {
    let palette = options.theme.palette();
    let key = |(i, line): (usize, &Band)| Key {
        name: line.name.clone(),
        color: palette.series(i),
        mark: Mark::Line(line.dash),
    };
    let keys: Vec<Key> = lines.iter().enumerate().map(key).collect();
    let (mut scene, area, palette) = frame(options, title, subtitle, &keys);
    let (x_low, x_high) = extent(lines.iter().flat_map(|l| l.x.iter().copied()));
    let values = |l: &'_ Band| l.y.iter().chain(&l.low).chain(&l.high).copied().collect::<Vec<_>>();
    let (y_low, y_high) = extent(lines.iter().flat_map(values));
    let x = Axis { grid: false, ..Axis::percent(x_title, x_low, x_high) };
    let y = Axis::linear(y_title, y_low.min(0.0), y_high);
    plot(&mut scene, area, "", (&x, &y), &palette, |plot| {
        for (i, line) in lines.iter().enumerate() {
            let ends = line.low.iter().zip(&line.high);
            let band: Vec<_> = line.x.iter().zip(ends).map(|(&x, (&l, &h))| (x, l, h)).collect();
            plot.band(&band, palette.series(i), 0.18)?;
        }
        for (i, line) in lines.iter().enumerate() {
            let points: Vec<_> = line.x.iter().copied().zip(line.y.iter().copied()).collect();
            plot.line(&points, palette.series(i), 2.2, line.dash)?;
        }
        Ok(())
    })?;
    Ok(scene)
}
