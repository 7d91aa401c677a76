//! Training: configuration, batches, one step, the loop, its state on disk, evaluation.

pub mod batch;
#[cfg(feature = "cli")]
pub mod charts;
mod class_counts;
pub mod config;
pub mod distillation;
pub mod history;
mod initial_weights;
pub mod load;
mod progress;
#[cfg(feature = "cli")]
pub mod recipes;
pub mod run_dir;
pub(crate) mod state;
pub mod step;
pub mod trainer;

pub use class_counts::ClassCounts;
pub use config::{Budget, TrainConfig};
pub use history::Course;
pub use progress::{EpochMetrics, Progress, Sums};
pub use step::{StepResult, train_step};
pub use trainer::{Observer, Outcome, Trainer};
