//! Charts: each function draws numbers as a [`Scene`].

mod axis;
mod backend;
mod bars;
mod class_counts;
pub mod confusion_matrix;
mod curves;
mod lines;
mod plot;
mod reliability;
mod roofline;
mod scatter;

pub use bars::{BarChart, BarSeries, Control, bars};
pub use class_counts::class_counts;
pub use curves::{CurveWords, Epoch, Measure, Run, curve_panel, curves, rate_panel};
pub use lines::{LineSeries, lines};
pub use plot::Dash;
pub use reliability::{ReliabilityBin, ReliabilityWords, reliability};
pub use roofline::{Roof, Roofline, RooflinePoint, roofline};
pub use scatter::{ScatterChart, ScatterPoint, scatter};

use crate::render::chart::plot::{Area, Key, legend, legend_height};
use crate::render::scene::{Anchor, TextStyle};
use crate::render::theme::Palette;
use crate::render::{Scene, Theme};

/// Size and theme of a chart.
#[derive(Clone, Copy, Debug)]
pub struct ChartOptions {
    /// Theme.
    pub theme: Theme,
    /// Width in pixels at scale 1.
    pub width: f32,
    /// Height in pixels at scale 1.
    pub height: f32,
}

impl Default for ChartOptions {
    fn default() -> Self {
        ChartOptions { theme: Theme::Light, width: 760.0, height: 440.0 }
    }
}

impl ChartOptions {
    /// Creates options with the default size.
    pub fn new(theme: Theme) -> Self {
        ChartOptions { theme, ..ChartOptions::default() }
    }

    /// Returns the options with another size.
    pub fn sized(self, width: f32, height: f32) -> Self {
        ChartOptions { width, height, ..self }
    }
}

const MARGIN: f32 = 16.0;

/// Draws title, subtitle and legend. Returns the chart and the area that is left for panels.
fn frame(
    options: ChartOptions,
    title: &str,
    subtitle: &str,
    keys: &[Key],
) -> (Scene, Area, Palette) {
    let palette = options.theme.palette();
    // Below this size there is no room for axes and their labels.
    let (width, height) = (options.width.max(240.0), options.height.max(200.0));
    let mut scene = Scene::new(width, height, palette.ground);
    let inner = width - 2.0 * MARGIN;
    let heading = TextStyle::new(17.0, palette.ink).bold().anchor(Anchor::Top);
    let mut top = MARGIN;
    top += scene.paragraph(MARGIN, top, inner, title, heading);
    let small = TextStyle::new(12.5, palette.muted).anchor(Anchor::Top);
    top += scene.paragraph(MARGIN, top, inner, subtitle, small) + 4.0;
    legend(&mut scene, (MARGIN, top), inner, keys, &palette);
    top += legend_height(keys, inner);
    let area = Area { left: MARGIN, top, width: inner, height: height - top - MARGIN };
    (scene, area, palette)
}

/// Returns the smallest and the largest of the finite numbers, or (0, 1) if there are none.
fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low <= high { (low, high) } else { (0.0, 1.0) }
}
