//! What a training records: TensorBoard, the live page.

mod live;
mod observed;
mod tensorboard;
mod tensorboard_run;
