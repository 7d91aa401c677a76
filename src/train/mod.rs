//! Training: configuration, batches, one step, the loop, its state on disk, evaluation.

pub mod batch;
pub mod calibrate;
pub mod charts;
pub mod config;
pub mod cost;
pub mod course;
pub mod evaluate;
pub mod load;
pub mod mean_face;
mod progress;
pub mod recipes;
pub mod run;
mod start;
mod state;
pub mod step;
pub mod teachers;
pub mod trained;
pub mod trainer;

pub use calibrate::Calibrated;
pub use charts::ClassCounts;
pub use config::{Budget, TrainConfig};
pub use course::Course;
pub use evaluate::{Predictions, predict};
pub use step::{StepResult, train_step};
pub use trained::{Ensemble, Trained};
pub use trainer::{EpochMetrics, Observer, Outcome, Trainer};
