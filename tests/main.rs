//! One integration binary; its modules are laws that hold for everything they iterate over.

mod adjoints;
mod checkpoints;
mod cli;
mod dataset;
mod distillation;
mod engine;
mod explain;
mod explain_cli;
mod filters_cli;
mod fusion;
mod golden;
mod gradients;
mod journey;
mod kernels_vs_naive;
mod live;
mod networks;
mod observed;
mod pictures;
mod poisoned_data;
mod render;
mod report;
mod samples;
mod tensorboard;
mod tensorboard_run;
