//! Monitoring of a training: what is measured after each epoch, and where it is written.
//!
//! ```text
//! Trainer ── after every step and epoch ──▶ Recorder
//!            updates     update ratio of each layer                  ┐
//!            probe       weights, gradients, activations, dead units ├─▶ tensorboard   event files
//!            confusion   confusion matrix, recall, precision, F1     ┘ └▶ live         live.json
//!            saliency, filters   pictures of the same faces and filters
//! ```
//!
//! Monitoring changes nothing: every network is only read, in evaluation mode, and no random number of
//! the training is drawn. Work that costs more than a few batches has a [`time_budget`].

pub mod confusion;
pub mod epoch_view;
pub mod faces;
pub mod filters;
pub mod live;
pub mod probe;
pub mod recorder;
pub mod run_charts;
pub mod saliency;
pub mod tensorboard;
pub mod time_budget;
pub mod updates;

pub use recorder::{Recorder, RecorderOptions};
