//! One integration binary; its modules are laws that hold for everything they iterate over.

mod checkpoints;
mod dataset;
mod explain;
mod golden;
mod kernels_vs_naive;
mod networks;
mod pictures;
mod poisoned_data;
mod render;
mod tensorboard;
mod tensorboard_run;
