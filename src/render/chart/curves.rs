//! Training curves: accuracy and loss over epochs, for one or several runs.

use crate::Result;
use crate::render::canvas::Point;
use crate::render::chart::axis::Axis;
use crate::render::chart::plot::{Area, Key, Mark, Plot, plot};
use crate::render::chart::{ChartOptions, Dash, extent, frame};
use crate::render::scene::{Align, TextStyle};
use crate::render::theme::Palette;
use crate::render::{Rgb, Scene};

/// Results of one epoch; NaN if not measured.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: u32,
    /// Training accuracy, 0…1.
    pub train_accuracy: f64,
    /// Training loss: mean cross-entropy in nats.
    pub train_loss: f64,
    /// Validation accuracy, 0…1.
    pub validation_accuracy: f64,
    /// Validation loss: mean cross-entropy in nats.
    pub validation_loss: f64,
}

/// A training run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Name in the legend.
    pub name: String,
    /// Epochs in order.
    pub epochs: Vec<Epoch>,
    /// Epoch marked as the best.
    pub best: Option<u32>,
}

impl Measure {
    fn panel(self) -> &'static Panel {
        match self {
            Measure::Accuracy => &ACCURACY,
            Measure::Loss => &LOSS,
        }
    }

    fn title<'a>(self, words: &CurveWords<'a>) -> &'a str {
        match self {
            Measure::Accuracy => words.accuracy,
            Measure::Loss => words.loss,
        }
    }
}

impl Run {
    /// Creates a run; its best epoch is the first with the highest validation accuracy.
    pub fn new(name: impl Into<String>, epochs: Vec<Epoch>) -> Self {
        let measured = epochs.iter().filter(|e| e.validation_accuracy.is_finite());
        let best = measured.fold(None::<&Epoch>, |best, e| match best {
            Some(b) if b.validation_accuracy >= e.validation_accuracy => Some(b),
            _ => Some(e),
        });
        let best = best.map(|e| e.epoch);
        Run { name: name.into(), epochs, best }
    }
}

type Pick = fn(&Epoch) -> f64;

/// The texts of the chart.
#[derive(Clone, Copy, Debug)]
pub struct CurveWords<'a> {
    /// Title of the left panel.
    pub accuracy: &'a str,
    /// Title of the right panel.
    pub loss: &'a str,
    /// Title of the panel of learning rates.
    pub rate: &'a str,
    /// Name of the dashed line.
    pub training: &'a str,
    /// Name of the solid line.
    pub validation: &'a str,
    /// Name of the dot.
    pub best_epoch: &'a str,
    /// Title of the horizontal axis, and label before a number.
    pub epoch: &'a str,
}

impl Default for CurveWords<'_> {
    fn default() -> Self {
        CurveWords {
            accuracy: "Accuracy",
            loss: "Loss (cross-entropy)",
            rate: "Learning rate",
            training: "training",
            validation: "validation",
            best_epoch: "best epoch",
            epoch: "epoch",
        }
    }
}

/// Quantity of a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Accuracy.
    Accuracy,
    /// Mean cross-entropy.
    Loss,
}

/// How a panel selects and formats its values.
struct Panel {
    measure: Measure,
    train: Pick,
    validation: Pick,
    words: fn(f64) -> String,
}

const ACCURACY: Panel = Panel {
    measure: Measure::Accuracy,
    train: |e| e.train_accuracy,
    validation: |e| e.validation_accuracy,
    words: crate::render::format::percent,
};

const LOSS: Panel = Panel {
    measure: Measure::Loss,
    train: |e| e.train_loss,
    validation: |e| e.validation_loss,
    words: |v| format!("{v:.3}"),
};

/// Draws two panels, accuracy and loss: training dashed, validation solid, best epoch marked, not
/// smoothed.
pub fn curves(title: &str, runs: &[Run], options: ChartOptions) -> Result<Scene> {
    let (words, palette) = (CurveWords::default(), options.theme.palette());
    let (mut scene, area, palette) = frame(options, title, "", &keys(runs, &words, &palette));
    let gap = 20.0;
    let width = (area.width - gap) / 2.0;
    for (i, measure) in [Measure::Accuracy, Measure::Loss].into_iter().enumerate() {
        let left = area.left + i as f32 * (width + gap);
        draw_panel(&mut scene, Area { left, width, ..area }, measure, runs, &words, &palette)?;
    }
    Ok(scene)
}

/// Draws one of the panels of [`curves`].
pub fn curve_panel(
    measure: Measure,
    run: &Run,
    words: &CurveWords<'_>,
    options: ChartOptions,
) -> Result<Scene> {
    let (runs, palette) = (std::slice::from_ref(run), options.theme.palette());
    let (mut scene, area, palette) = frame(options, "", "", &keys(runs, words, &palette));
    draw_panel(&mut scene, area, measure, runs, words, &palette)?;
    Ok(scene)
}

/// Draws the learning rate at the end of each epoch; points are (epoch, rate).
pub fn rate_panel(
    rates: &[(f64, f64)],
    words: &CurveWords<'_>,
    options: ChartOptions,
) -> Result<Scene> {
    let (mut scene, area, palette) = frame(options, "", "", &[]);
    let (first, last) = extent(rates.iter().map(|r| r.0));
    let (low, high) = extent(rates.iter().map(|r| r.1).chain([0.0]));
    let x = Axis { grid: false, ..Axis::whole(words.epoch, first, last.max(first + 1.0)) };
    let y = Axis::linear("", low, high);
    plot(&mut scene, area, words.rate, (&x, &y), &palette, |plot| {
        plot.line(rates, palette.series(2), 2.2, Dash::Solid)?;
        match rates {
            [only] => plot.dot(*only, 3.0, palette.series(2), palette.ground),
            _ => Ok(()),
        }
    })?;
    Ok(scene)
}

fn draw_panel(
    scene: &mut Scene,
    area: Area,
    measure: Measure,
    runs: &[Run],
    words: &CurveWords<'_>,
    palette: &Palette,
) -> Result<()> {
    let panel = measure.panel();
    let (first, last) = extent(runs.iter().flat_map(|r| &r.epochs).map(|e| e.epoch as f64));
    let x = Axis { grid: false, ..Axis::whole(words.epoch, first, last.max(first + 1.0)) };
    let y = y_axis(panel, runs);
    plot(scene, area, measure.title(words), (&x, &y), palette, |plot| {
        for (r, run) in runs.iter().enumerate() {
            let colors = colors(runs.len(), r, palette);
            let best = (runs.len() == 1).then_some(words.epoch);
            draw_run(plot, panel, run, colors, best, palette)?;
        }
        Ok(())
    })
}

/// Returns the colours of training and validation: by role for one run, by run for several runs.
fn colors(runs: usize, run: usize, palette: &Palette) -> (Rgb, Rgb) {
    match runs {
        1 => (palette.series(0), palette.series(1)),
        _ => (palette.series(run), palette.series(run)),
    }
}

fn keys(runs: &[Run], words: &CurveWords<'_>, palette: &Palette) -> Vec<Key> {
    let key = |name: &str, color, dash| Key { name: name.into(), color, mark: Mark::Line(dash) };
    let dot = |color| Key { name: words.best_epoch.into(), color, mark: Mark::Dot };
    if let [_] = runs {
        let (train, validation) = colors(1, 0, palette);
        let lines = [
            key(words.training, train, Dash::Dashed),
            key(words.validation, validation, Dash::Solid),
        ];
        return lines.into_iter().chain([dot(validation)]).collect();
    }
    let runs = runs.iter().enumerate().map(|(i, r)| key(&r.name, palette.series(i), Dash::Solid));
    let roles = [
        key(words.training, palette.muted, Dash::Dashed),
        key(words.validation, palette.muted, Dash::Solid),
        dot(palette.muted),
    ];
    runs.chain(roles).collect()
}

fn y_axis(panel: &Panel, runs: &[Run]) -> Axis {
    let epochs = || runs.iter().flat_map(|r| &r.epochs);
    let (low, high) = extent(epochs().map(panel.train).chain(epochs().map(panel.validation)));
    match panel.measure {
        Measure::Accuracy => Axis::percent("", low, high),
        // Room for the text below the best loss.
        Measure::Loss => Axis::linear("", (low - 0.1 * (high - low)).max(0.0), high),
    }
}

fn draw_run(
    plot: &mut Plot,
    panel: &Panel,
    run: &Run,
    (train, validation): (Rgb, Rgb),
    note: Option<&str>,
    palette: &Palette,
) -> Result<()> {
    let points = |pick: Pick| -> Vec<(f64, f64)> {
        run.epochs.iter().map(|e| (e.epoch as f64, pick(e))).collect()
    };
    plot.line(&points(panel.train), train, 1.8, Dash::Dashed)?;
    plot.line(&points(panel.validation), validation, 2.2, Dash::Solid)?;
    if let [only] = run.epochs[..] {
        plot.dot((only.epoch as f64, (panel.train)(&only)), 3.0, train, palette.ground)?;
    }
    let Some(best) = run.epochs.iter().find(|e| Some(e.epoch) == run.best) else { return Ok(()) };
    let at = (best.epoch as f64, (panel.validation)(best));
    plot.dot(at, 4.5, validation, palette.ground)?;
    if let Some(epoch) = note.filter(|_| at.1.is_finite()) {
        let text = format!("{epoch} {}: {}", best.epoch, (panel.words)(at.1));
        note_best(plot, run, panel, best, text, TextStyle::new(12.0, palette.ink).bold());
    }
    Ok(())
}

/// Baselines of the text at a dot: below it, above it, and one line further below.
const BASELINES: [f32; 3] = [24.0, -16.0, 40.0];

/// Writes the best value below or above the validation curve, where the text covers the lines least; at
/// the first of [`BASELINES`] if there is no difference.
fn note_best(
    plot: &mut Plot,
    run: &Run,
    panel: &Panel,
    best: &Epoch,
    text: String,
    style: TextStyle,
) {
    let at = (best.epoch as f64, (panel.validation)(best));
    let (first, last) = extent(run.epochs.iter().map(|e| e.epoch as f64));
    let align = if at.0 - first > (last - first) * 0.3 { Align::End } else { Align::Start };
    let (width, dx) = (style.width(&text), if align == Align::End { 8.0 } else { -8.0 });
    let (x, y) = plot.pixel(at);
    let left = x + dx - if align == Align::End { width } else { 0.0 };
    let behind = |dy: f32| {
        let words = Area { left, top: y + dy - style.size, width, height: style.size * 1.3 };
        [panel.train, panel.validation].map(|pick| covered(plot, run, pick, words)).iter().sum()
    };
    let room = plot.pixel((at.0, plot.low())).1 - y;
    let fits = |dy: &f32| *dy < 0.0 || room > dy + 8.0;
    let least = BASELINES.into_iter().filter(fits).min_by_key(|&dy| -> usize { behind(dy) });
    let dy = least.unwrap_or(BASELINES[1]);
    plot.note(at, (dx, dy), text, style.align(align));
}

/// Returns the length of a line inside an area in pixels, sampled once per pixel.
fn covered(plot: &Plot, run: &Run, pick: Pick, area: Area) -> usize {
    let values: Vec<_> = run.epochs.iter().map(|e| (e.epoch as f64, pick(e))).collect();
    let drawn = values.windows(2).filter(|p| p.iter().all(|v| v.1.is_finite()));
    let tried = drawn.flat_map(|p| along(plot.pixel(p[0]), plot.pixel(p[1])));
    let (right, bottom) = (area.left + area.width, area.top + area.height);
    tried.filter(|p| (area.left..right).contains(&p.0) && (area.top..bottom).contains(&p.1)).count()
}

/// Returns points of a segment, about one pixel apart.
fn along(from: Point, to: Point) -> impl Iterator<Item = Point> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let steps = dx.hypot(dy).ceil().clamp(1.0, 1e4);
    (0..steps as usize)
        .map(move |i| i as f32 / steps)
        .map(move |t| (from.0 + t * dx, from.1 + t * dy))
}
