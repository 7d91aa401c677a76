//! Pictures of a run folder: the faces of each class at the start, the curves as they grow.

use crate::render::Scene;
use crate::render::chart::{BarChart, BarSeries, ChartOptions, Epoch, Run, bars, curves};
use crate::render::format::thousands;
use crate::render::write::write_both;
pub use crate::train::class_counts::{ClassCounts, class_counts};
use crate::train::run_dir::METRICS;
use crate::train::{EpochMetrics, Trainer};
use crate::{Error, Result};
use std::path::Path;

/// A bar a class for each named set of counts.
///
/// # Errors
/// [`Error::Render`] where the drawing fails.
pub fn class_chart(
    title: &str,
    names: &[&str],
    sets: &[(&str, &[u64])],
    look: ChartOptions,
) -> Result<Scene> {
    let total = |counts: &[u64]| thousands(counts.iter().sum());
    let words = |(name, counts): &(&str, &[u64])| match *name {
        "" => format!("{} faces", total(counts)),
        name => format!("{} {name}", total(counts)),
    };
    let chart = BarChart {
        title: title.into(),
        subtitle: sets.iter().map(words).collect::<Vec<_>>().join(", "),
        y_title: "faces".into(),
        categories: names.iter().map(|n| n.to_string()).collect(),
        series: sets.iter().map(|(name, counts)| BarSeries::counts(name, counts)).collect(),
        ..BarChart::default()
    };
    bars(&chart, look)
}

/// A run's epochs as the chart wants them.
pub fn epochs(history: &[EpochMetrics]) -> Vec<Epoch> {
    let epoch = |m: &EpochMetrics| Epoch {
        epoch: m.epoch as u32,
        train_accuracy: m.accuracy,
        train_loss: m.loss,
        validation_accuracy: m.val_accuracy,
        validation_loss: m.val_loss,
    };
    history.iter().map(epoch).collect()
}

/// Two panels, accuracy and loss, of one run or of several on top of each other.
///
/// # Errors
/// [`Error::Render`] where the drawing fails.
pub fn curve_chart(runs: &[(String, Vec<EpochMetrics>)], look: ChartOptions) -> Result<Scene> {
    let title = match runs {
        [(name, _)] => format!("Training of {name}"),
        _ => format!("Training of {} runs", runs.len()),
    };
    let runs: Vec<Run> = runs.iter().map(|(name, h)| Run::new(name, epochs(h))).collect();
    curves(&title, &runs, look.sized(980.0, 440.0))
}

/// Reads the epochs of a run folder or of a `metrics.csv`.
///
/// # Errors
/// [`Error::Model`] if there is no such file, [`Error::Data`] with the line for a row that is none.
pub fn read_metrics(run: &Path) -> Result<Vec<EpochMetrics>> {
    let file = if run.is_dir() { run.join(METRICS) } else { run.to_owned() };
    if !file.is_file() {
        let found = if run.is_dir() { "holds no metrics.csv" } else { "does not exist" };
        let expected = "expected a run folder with at least one finished epoch";
        return Err(Error::model(run, format!("{found}; {expected}")));
    }
    let text = std::fs::read(&file).map_err(Error::io(&file))?;
    let mut history = Vec::new();
    for row in csv::Reader::from_reader(text.as_slice()).deserialize() {
        history.push(row.map_err(|e: csv::Error| {
            let line = e.position().map_or(1, csv::Position::line);
            Error::data_at(&file, line, format!("is not an epoch of a training: {e}"))
        })?);
    }
    if history.is_empty() {
        return Err(Error::data(&file, "holds no epoch; expected at least one finished epoch"));
    }
    Ok(history)
}

impl Trainer {
    /// Draws `class_counts` (of the data) and `class_counts_split` (training against validation).
    pub(crate) fn draw_class_counts(&self, folder: &Path) -> Result<()> {
        let names: Vec<&str> = self.network.spec.classes.iter().map(String::as_str).collect();
        let counts = ClassCounts::of(&self.train, &self.validation);
        let one_source = self.config.val.is_none() && self.config.overfit.is_none();
        let data: Vec<u64> = match one_source {
            true => counts.train.iter().zip(&counts.validation).map(|(a, b)| a + b).collect(),
            false => counts.train.clone(),
        };
        let look = ChartOptions::default();
        let scene = class_chart("Faces of each class in the data", &names, &[("", &data)], look)?;
        write_both(&scene, folder, "class_counts")?;
        let sets: [(&str, &[u64]); 2] =
            [("training", &counts.train), ("validation", &counts.validation)];
        let scene = class_chart("Faces of each class in the split", &names, &sets, look)?;
        write_both(&scene, folder, "class_counts_split")
    }

    /// Draws `curves` anew.
    pub(crate) fn draw_curves(&self) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        if self.progress.history.is_empty() {
            return Ok(());
        }
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
        let scene = curve_chart(&[(name, self.progress.history.clone())], ChartOptions::default())?;
        write_both(&scene, folder, "curves")
    }
}
