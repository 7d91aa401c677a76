//! Training: checkpoints, calibration, distillation.

mod calibration;
pub mod checkpoints;
mod distillation;
mod old_files;
