//! Watching a training: what is measured at the end of each epoch, and where it is written.
//!
//! ```text
//! Trainer ── after every step, every epoch ──▶ Recorder
//!            updates    how far one step moved each layer          ┐
//!            probe      weights, gradients, activations, dead units ├─▶ events  TensorBoard files
//!            judged     confusion matrix, recall, precision, F1    ┘ └▶ live    live.json
//!            saliency, filters   pictures of the same faces and filters
//! ```
//!
//! Watching changes nothing: every network here is only read, in evaluation mode, and no random
//! number of the training is drawn. What costs more than a few batches is rationed ([`ration`]).

pub mod live;
pub mod probe;
mod recorder;
pub mod run_charts;
pub mod tensorboard;
pub mod time_budget;
pub mod updates;

pub use probe::{LayerHealth, Probe, Probed};
pub use recorder::{Options, Recorder};

/// `conv2d_1` and `weight` of `conv2d_1.weight`.
pub(crate) fn split_name(parameter: &str) -> (&str, &str) {
    parameter.rsplit_once('.').unwrap_or((parameter, ""))
}
