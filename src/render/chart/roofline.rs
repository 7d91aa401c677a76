//! Roofline: speed against arithmetic intensity, under the machine's limits.

use super::axis::Axis;
use super::plot::{Dash, Key, Mark, plot};
use super::{Look, extent, sheet};
use crate::Result;
use crate::render::scene::{Align, Scene, TextStyle};

/// A measured kernel.
#[derive(Clone, Debug)]
pub struct RooflinePoint {
    /// Its name.
    pub name: String,
    /// FLOP per byte of memory traffic.
    pub intensity: f64,
    /// GFLOP/s (2 · multiply-adds / 1e9 / s).
    pub gflops: f64,
}

/// A roofline chart.
#[derive(Clone, Debug, Default)]
pub struct Roofline {
    /// What the reader should know.
    pub title: String,
    /// Machine and threads.
    pub subtitle: String,
    /// Name and GB/s of each memory level, fastest first.
    pub bandwidths: Vec<(String, f64)>,
    /// Name and GFLOP/s of each peak.
    pub peaks: Vec<(String, f64)>,
    /// Measured kernels.
    pub points: Vec<RooflinePoint>,
}

/// Draws the chart, both axes logarithmic: the roof of a memory level at intensity i is
/// min(peak, bandwidth · i).
///
/// **Errors**: [`crate::Error::Render`] where the drawing fails.
/// **Source**: Williams, Waterman, Patterson, "Roofline", CACM 52(4), 2009.
pub fn roofline(chart: &Roofline, look: Look) -> Result<Scene> {
    let palette = look.theme.palette();
    let keys = chart.points.iter().enumerate().map(|(i, p)| Key {
        name: p.name.clone(),
        color: palette.series(i),
        mark: Mark::Dot,
    });
    let keys: Vec<Key> = keys.collect();
    let (mut scene, area, palette) = sheet(look, &chart.title, &chart.subtitle, &keys);
    let peak = chart.peaks.iter().map(|p| p.1).fold(1e-3, f64::max);
    let ridges = chart.bandwidths.iter().map(|b| peak / b.1);
    let positive = |v: &f64| *v > 0.0;
    let (low, high) =
        extent(chart.points.iter().map(|p| p.intensity).chain(ridges).filter(positive));
    let (slow, _) = extent(chart.points.iter().map(|p| p.gflops).chain([peak]).filter(positive));
    let x = Axis::log("arithmetic intensity (FLOP/byte)", low / 8.0, high * 6.0);
    let y = Axis::log("speed (GFLOP/s)", slow / 3.0, peak * 2.0);
    plot(&mut scene, area, "", (&x, &y), &palette, |plot| {
        let (left, right) = (x.low, x.high);
        let bottom = y.low;
        let style = TextStyle::new(12.0, palette.muted);
        for (name, bandwidth) in &chart.bandwidths {
            // From where the roof enters the panel to the highest peak.
            let start = left.max(bottom / bandwidth);
            let roof = [(start, bandwidth * start), (peak / bandwidth, peak)];
            plot.line(&roof, palette.axis, 1.5, Dash::Solid)?;
            let at = roof[0].0 * (roof[1].0 / roof[0].0).powf(0.2);
            let text = format!("{name} {bandwidth:.0} GB/s");
            plot.note((at, bandwidth * at), (10.0, 8.0), text, style);
        }
        let first = chart.bandwidths.iter().map(|b| b.1).fold(0.0, f64::max);
        for (name, level) in &chart.peaks {
            let start = if first > 0.0 { level / first } else { left };
            plot.line(&[(start, *level), (right, *level)], palette.ink, 1.8, Dash::Solid)?;
            let text = format!("{name} {level:.0} GFLOP/s");
            plot.note((right, *level), (-2.0, -6.0), text, style.align(Align::End));
        }
        for (i, point) in chart.points.iter().enumerate() {
            let at = (point.intensity, point.gflops);
            plot.dot(at, 5.5, palette.series(i), palette.ground)?;
        }
        Ok(())
    })?;
    Ok(scene)
}
