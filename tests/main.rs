//! One integration binary; its modules are laws that hold for everything they iterate over.

mod explain;
mod golden;
mod kernels_vs_naive;
mod render;
mod tensorboard;
mod tensorboard_run;
