//! The epochs of a training: their numbers, and `metrics.csv` written and read.

#[cfg(feature = "cli")]
use crate::files::read_limited;
#[cfg(feature = "cli")]
use crate::limits::MAX_RECORD;
use crate::model::LoadedModel;
use crate::train::config::{Budget, TrainConfig};
#[cfg(feature = "cli")]
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
#[cfg(feature = "cli")]
use std::path::Path;

/// Name of the file in a run folder.
pub const METRICS: &str = "metrics.csv";

/// The numbers of one epoch: one line of `metrics.csv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// Epochs done, from 1.
    pub epoch: usize,
    /// Steps done.
    pub step: u64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Mean loss over the epoch's batches, augmented and smoothed as in training, in nats.
    pub loss: f64,
    /// Accuracy over the epoch's batches, augmented as in training.
    pub accuracy: f64,
    /// Cross-entropy on the validation faces, in nats.
    pub val_loss: f64,
    /// Accuracy on the validation faces.
    pub val_accuracy: f64,
    /// Largest gradient norm of the epoch.
    pub grad_norm: f64,
    /// Training faces per second, without the validation.
    pub images_per_second: f64,
    /// Wall-clock seconds so far: training and asking the teachers.
    pub seconds: f64,
    /// Steps of the epoch that were skipped because loss or gradient were not finite.
    #[serde(default)]
    pub skipped_steps: u32,
    /// Floating-point operations of all steps so far and of asking the teachers, in 10¹⁵
    /// ([`crate::model::flops`]).
    #[serde(default)]
    pub pflop: f64,
    /// The part of `seconds` in which the teachers were asked.
    #[serde(default)]
    pub asked_seconds: f64,
}

impl EpochMetrics {
    /// Returns whether the training faces had the size of the validation faces at the end of the
    /// epoch.
    pub fn ended_at_full_size(&self, config: &TrainConfig) -> bool {
        let progress = match config.budget {
            Budget::Epochs(epochs) => self.epoch as f64 / epochs as f64,
            Budget::Minutes(minutes) => (self.seconds - self.asked_seconds) / (60.0 * minutes),
        };
        config.side(progress.min(1.0)) == config.final_side()
    }
}

/// Writes the epochs as the text of `metrics.csv`.
pub(crate) fn to_csv(history: &[EpochMetrics]) -> String {
    let mut csv = String::from(
        "epoch,step,lr,loss,accuracy,val_loss,val_accuracy,grad_norm,images_per_second,seconds,\
         skipped_steps,pflop,asked_seconds\n",
    );
    for m in history {
        let lr = m.lr as f32; // as many digits as tell a small rate from its neighbours
        let _ = writeln!(
            csv,
            "{},{},{lr},{:.6},{:.6},{:.6},{:.6},{:.4},{:.1},{:.1},{},{:.9},{:.1}",
            m.epoch,
            m.step,
            m.loss,
            m.accuracy,
            m.val_loss,
            m.val_accuracy,
            m.grad_norm,
            m.images_per_second,
            m.seconds,
            m.skipped_steps,
            m.pflop,
            m.asked_seconds
        );
    }
    csv
}

/// Returns the epochs of the training that made a model; none if the model file does not hold them.
pub fn history_of(model: &LoadedModel) -> Vec<EpochMetrics> {
    let history = model.record.history.clone();
    history.and_then(|history| serde_json::from_value(history).ok()).unwrap_or_default()
}

/// Reads the epochs of a run folder or of a `metrics.csv`.
///
/// # Errors
/// [`Error::Model`] if there is no such file, [`Error::Data`] with the line for a row that is not an
/// epoch.
#[cfg(feature = "cli")]
pub fn read_metrics(run: &Path) -> Result<Vec<EpochMetrics>> {
    let file = if run.is_dir() { run.join(METRICS) } else { run.to_owned() };
    if !file.is_file() {
        let found = match (run.is_dir(), run.exists()) {
            (true, _) => "holds no metrics.csv",
            (_, true) => "is a pipe or a device",
            _ => "does not exist",
        };
        let expected = "expected a run folder with at least one finished epoch";
        return Err(Error::model(run, format!("{found}; {expected}")));
    }
    let text = read_limited(&file, MAX_RECORD).map_err(Error::io(&file))?;
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
