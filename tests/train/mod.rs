//! Training: checkpoints, calibration, distillation, several processes.

mod calibration;
pub mod checkpoints;
mod distillation;
mod old_files;
mod ranks;
mod remaining_time;
