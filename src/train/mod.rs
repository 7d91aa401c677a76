//! Training: configuration, batches, one step, the loop, its state on disk, evaluation.

pub mod batch;
pub mod charts;
pub mod config;
pub mod distillation;
pub mod history;
mod initial_weights;
pub mod load;
mod progress;
pub mod recipes;
pub mod run_dir;
pub(crate) mod state;
pub mod step;
pub mod trainer;

pub use charts::ClassCounts;
pub use config::{Budget, TrainConfig};
pub use history::Course;
pub use progress::{EpochMetrics, Progress, Sums};
pub use step::{StepResult, train_step};
pub use trainer::{Observer, Outcome, Trainer};
