//! Training: from a configuration and faces to weights in a run folder.
//!
//! A [`Trainer`] holds the state; [`training_loop`] runs epochs of [`step`]s on [`batch`]es and calls an
//! [`Observer`]; `checkpoint` writes and reads checkpoints in the [`run_dir`].

pub mod batch;
pub(crate) mod checkpoint;
pub mod config;
pub mod curve_summary;
pub mod distillation;
pub mod history;
mod initial_weights;
pub mod parallel;
mod progress;
#[cfg(feature = "cli")]
pub mod recipes;
pub mod run_dir;
pub mod step;
pub mod trainer;
pub mod training_loop;

pub use config::{Budget, TrainConfig};
pub use curve_summary::CurveSummary;
pub use history::EpochMetrics;
pub use progress::{Progress, Sums};
pub use step::{StepResult, train_step};
pub use trainer::Trainer;
pub use training_loop::{Observer, Outcome};
