//! How far a training is, and what its epochs showed.

use serde::{Deserialize, Serialize};

/// One line of `metrics.csv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// Epochs done, from 1.
    pub epoch: usize,
    /// Steps done.
    pub step: u64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Mean loss over the epoch's batches, as trained (augmented, smoothed).
    pub loss: f64,
    /// Share of right answers over the epoch's batches, as trained.
    pub accuracy: f64,
    /// Cross-entropy on the validation faces.
    pub val_loss: f64,
    /// Share of right answers on the validation faces.
    pub val_accuracy: f64,
    /// Largest gradient norm of the epoch.
    pub grad_norm: f64,
    /// Training faces a second, validation not counted.
    pub images_per_second: f64,
    /// Wall-clock seconds so far: of training and of asking the teachers.
    pub seconds: f64,
    /// Steps of the epoch that were skipped, because loss or gradient were not finite.
    #[serde(default)]
    pub skipped_steps: u32,
    /// 10¹⁵ floating-point operations of all steps so far and of asking the teachers
    /// ([`crate::model::flops`]).
    #[serde(default)]
    pub pflop: f64,
    /// Those of `seconds` in which the teachers were asked.
    #[serde(default)]
    pub asked_seconds: f64,
}

/// How far a training is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs done.
    pub epoch: usize,
    /// Steps done in the present epoch.
    pub step_in_epoch: usize,
    /// Steps done in all.
    pub step: u64,
    /// Wall-clock seconds of earlier sessions, without those of asking.
    pub seconds: f64,
    /// Wall-clock seconds in which the teachers were asked.
    #[serde(default)]
    pub asked_seconds: f64,
    /// Non-finite steps so far, and how many in a row.
    pub bad_steps: (u32, u32),
    /// Sums over the present epoch.
    pub sums: Sums,
    /// Finished epochs.
    pub history: Vec<EpochMetrics>,
    /// Epoch and accuracy of the best validation so far; only finite values count.
    pub best: Option<(usize, f64)>,
}

/// Running sums over an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Σ loss · faces.
    pub loss: f64,
    /// Right answers.
    pub correct: usize,
    /// Faces seen.
    pub faces: usize,
    /// Largest gradient norm.
    pub grad_norm: f64,
    /// Seconds in steps.
    pub seconds: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Steps that were skipped.
    #[serde(default)]
    pub skipped: u32,
    /// Floating-point operations of the steps; in the epoch after the teachers were asked, of that,
    /// too.
    #[serde(default)]
    pub flop: f64,
}
