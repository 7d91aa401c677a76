//! The measurements after an epoch, as TensorBoard and the live page receive them.

use crate::metrics::Confusion;
use crate::monitor::probe::ProbeResult;
use crate::monitor::saliency::{FaceSaliency, MonitoredFaces};
use crate::render::RgbImage;
use crate::train::{EpochMetrics, Trainer};

/// The measurements after an epoch.
pub struct EpochView<'a> {
    /// The training.
    pub trainer: &'a Trainer,
    /// Loss, accuracy and time of the epoch.
    pub metrics: &'a EpochMetrics,
    /// Confusion matrix of the validation faces.
    pub confusion: Option<&'a Confusion>,
    /// Norms and distributions of the layers.
    pub probe: &'a ProbeResult,
    /// The monitored faces and their saliency.
    pub saliency: Option<(&'a MonitoredFaces, &'a [FaceSaliency])>,
    /// Pictures of the filters; empty in epochs that make none.
    pub filters: &'a [RgbImage],
}
