//! The contents of the two JSON files that the live page shows.

use crate::files::read_limited;
use crate::limits::MAX_RECORD;
use crate::monitor::probe::LayerHealth;
use crate::train::EpochMetrics;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// File of [`RunView`] in the run folder.
pub const LIVE: &str = "live.json";
/// File of [`ProgressView`] in the run folder.
pub const PROGRESS: &str = "progress.json";

/// State of a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainingState {
    /// The training runs.
    Running,
    /// The training is finished.
    Finished,
    /// The training was interrupted and can be resumed.
    Stopped,
    /// The training failed.
    Failed,
}

/// `progress.json`: the current epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProgressView {
    /// State of the training.
    pub state: TrainingState,
    /// Finished epochs.
    pub epoch: usize,
    /// Finished steps of the current epoch.
    pub step: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Finished share of the training, in [0, 1].
    pub fraction: f64,
    /// Mean loss of the current epoch so far.
    pub loss: f64,
    /// Accuracy of the current epoch so far, in [0, 1].
    pub accuracy: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Training faces per second.
    pub images_per_second: f64,
    /// Seconds of training so far.
    pub seconds: f64,
    /// Estimated seconds left.
    pub remaining: Option<f64>,
}

/// `live.json`: the finished epochs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    /// Name of the run folder.
    pub run: String,
    /// Architecture.
    pub network: String,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// Number of training faces.
    pub train: usize,
    /// Number of validation faces.
    pub validation: usize,
    /// Planned epochs; `None` for a training by minutes.
    pub planned: Option<usize>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Finished epochs.
    pub epochs: Vec<EpochMetrics>,
    /// Epoch, and recall of each class after it.
    pub recall: Vec<(usize, Vec<f64>)>,
    /// The last confusion matrix; rows true, columns predicted.
    pub confusion: Vec<Vec<u64>>,
    /// The layers after the last epoch.
    pub layers: Vec<LayerHealth>,
    /// The monitored faces as data URIs, with their classes.
    pub faces: Vec<(String, usize)>,
    /// Names of the filter pictures.
    pub filters: Vec<String>,
    /// Pictures after some of the epochs.
    pub frames: Vec<EpochPictures>,
    /// Share of the time that monitoring took, in [0, 1].
    pub watching: f64,
}

/// Pictures after one epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochPictures {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Saliency of each face.
    pub saliency: Vec<SaliencyView>,
    /// Filter pictures as data URIs; empty if none were made in this epoch.
    pub filters: Vec<String>,
}

/// Saliency and prediction of a monitored face.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SaliencyView {
    /// Saliency map as a data URI.
    pub map: String,
    /// Largest value of the map.
    pub max: f32,
    /// Predicted class.
    pub predicted: usize,
    /// Probability of the true class.
    pub probability: f32,
}

/// Reads `live.json` of an earlier session; `None` if it is missing or damaged.
pub fn read_run_view(folder: &Path) -> Option<RunView> {
    serde_json::from_slice(&read_limited(&folder.join(LIVE), MAX_RECORD).ok()?).ok()
}
