//! What a training records: TensorBoard, the live page.

mod live;
mod observed;
pub mod tensorboard;
mod tensorboard_run;
