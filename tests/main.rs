//! One integration binary; its modules are laws that hold for everything they iterate over.

mod adjoints;
mod engine;
mod golden;
mod gradients;
mod kernels_vs_naive;
mod render;
mod samples;
mod tensorboard;
mod tensorboard_run;
