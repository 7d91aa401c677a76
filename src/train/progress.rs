//! How far a training is.

use crate::train::history::EpochMetrics;
use serde::{Deserialize, Serialize};

/// How far a training is; part of each checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs done.
    pub epoch: usize,
    /// Steps done in the current epoch.
    pub step_in_epoch: usize,
    /// Steps done in total.
    pub step: u64,
    /// Wall-clock seconds of training in earlier sessions.
    pub seconds: f64,
    /// Wall-clock seconds in which the teachers were asked.
    #[serde(default)]
    pub asked_seconds: f64,
    /// Steps with a non-finite loss or gradient: in total, and since the last finite one.
    pub bad_steps: (u32, u32),
    /// Sums over the current epoch.
    pub sums: Sums,
    /// Finished epochs.
    pub history: Vec<EpochMetrics>,
    /// Epoch and accuracy of the best validation so far.
    pub best: Option<(usize, f64)>,
}

/// Running sums over an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Σ loss · faces.
    pub loss: f64,
    /// Correct answers.
    pub correct: usize,
    /// Faces seen.
    pub faces: usize,
    /// Largest gradient norm.
    pub grad_norm: f64,
    /// Seconds spent in steps.
    pub seconds: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Steps that were skipped.
    #[serde(default)]
    pub skipped: u32,
    /// Floating-point operations of the steps, and of asking the teachers before them.
    #[serde(default)]
    pub flop: f64,
}
