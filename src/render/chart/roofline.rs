//! Roofline: speed against arithmetic intensity below the limits of the machine.

use crate::Result;
use crate::render::Scene;
use crate::render::chart::axis::Axis;
use crate::render::chart::plot::{Key, Mark, Plot, plot};
use crate::render::chart::{ChartOptions, Dash, extent, frame};
use crate::render::scene::TextStyle;
use crate::render::theme::Palette;

/// The limits of a machine for a number of threads.
#[derive(Clone, Debug)]
pub struct Roof {
    /// Name.
    pub name: String,
    /// Memory bandwidth in GB/s.
    pub bandwidth: f64,
    /// Peak speed in GFLOP/s.
    pub peak: f64,
}

/// A measured kernel.
#[derive(Clone, Debug)]
pub struct RooflinePoint {
    /// Name.
    pub name: String,
    /// FLOP per byte of memory traffic.
    pub intensity: f64,
    /// Nominal GFLOP/s: 2 · multiply-adds / 1e9 / s.
    pub gflops: f64,
    /// Executed GFLOP/s, if the kernel executes fewer operations than nominal.
    pub executed: Option<f64>,
}

/// A roofline chart.
#[derive(Clone, Debug, Default)]
pub struct Roofline {
    /// Title.
    pub title: String,
    /// Subtitle: machine and threads.
    pub subtitle: String,
    /// The limits.
    pub roofs: Vec<Roof>,
    /// Measured kernels.
    pub points: Vec<RooflinePoint>,
}

/// Draws the chart with logarithmic axes: the roof at intensity i is min(peak, bandwidth · i). A kernel
/// that executes fewer operations than nominal has a ring below its dot.
///
/// **Source**: Williams, Waterman, Patterson, "Roofline", CACM 52(4), 2009.
pub fn roofline(chart: &Roofline, options: ChartOptions) -> Result<Scene> {
    let palette = options.theme.palette();
    let keys = chart.points.iter().enumerate().map(|(i, p)| Key {
        name: format!("{}: {} GFLOP/s", p.name, speed(p.gflops)),
        color: palette.series(i),
        mark: Mark::Dot,
    });
    let keys: Vec<Key> = keys.collect();
    let (mut scene, area, palette) = frame(options, &chart.title, &chart.subtitle, &keys);
    let ridges = chart.roofs.iter().map(|r| r.peak / r.bandwidth);
    let positive = |v: &f64| *v > 0.0;
    let (low, high) =
        extent(chart.points.iter().map(|p| p.intensity).chain(ridges).filter(positive));
    let peaks = chart.roofs.iter().map(|r| r.peak);
    let (slow, fast) = extent(chart.points.iter().map(|p| p.gflops).chain(peaks).filter(positive));
    let x = Axis::log("arithmetic intensity (FLOP/byte)", low / 8.0, high * 4.0);
    let y = Axis::log("speed (GFLOP/s)", slow / 3.0, fast * 2.0);
    plot(&mut scene, area, "", (&x, &y), &palette, |plot| {
        for roof in &chart.roofs {
            let highest = chart.roofs.iter().all(|other| other.peak <= roof.peak);
            draw_roof(plot, roof, (&x, &y), highest, &palette)?;
        }
        for (i, point) in chart.points.iter().enumerate() {
            let (at, color) = ((point.intensity, point.gflops), palette.series(i));
            if let Some(executed) = point.executed {
                let below = (point.intensity, executed);
                plot.line(&[at, below], color, 1.5, Dash::Dotted)?;
                plot.dot(below, 4.0, palette.ground, color)?;
            }
            plot.dot(at, 5.5, color, palette.ground)?;
        }
        Ok(())
    })?;
    Ok(scene)
}

/// Two significant digits below 10, whole numbers above.
fn speed(gflops: f64) -> String {
    let decimals = if gflops >= 9.95 { 0 } else { 1 + usize::from(gflops < 0.995) };
    format!("{gflops:.decimals$}")
}

/// Draws the slope, the flat part, and the label: above the highest roof, below the others.
fn draw_roof(
    plot: &mut Plot,
    roof: &Roof,
    (x, y): (&Axis, &Axis),
    highest: bool,
    palette: &Palette,
) -> Result<()> {
    let Roof { name, bandwidth, peak } = roof;
    let start = x.low.max(y.low / bandwidth);
    let ridge = (peak / bandwidth, *peak);
    let line = [(start, bandwidth * start), ridge, (x.high, *peak)];
    plot.line(&line, palette.ink, 1.8, Dash::Solid)?;
    let style = TextStyle::new(12.0, palette.muted);
    let text = format!("{name}: {peak:.0} GFLOP/s, DRAM {bandwidth:.0} GB/s");
    plot.note(ridge, (6.0, if highest { -5.0 } else { 15.0 }), text, style);
    Ok(())
}
