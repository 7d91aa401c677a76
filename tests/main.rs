//! One integration binary; its modules are laws that hold for everything they iterate over.

mod cli;
mod data;
mod explain;
mod fuzz;
mod kernels;
mod laws;
mod model;
mod monitor;
mod render;
mod serve;
mod support;
mod train;
