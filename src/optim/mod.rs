//! How gradients become steps: optimisers, schedules of the learning rate, averages of weights.

mod ema;
mod optimizer;
mod schedule;

pub use ema::Ema;
pub use optimizer::{Kind, Optimizer, OptimizerConfig, gradient_norm};
pub use schedule::{Schedule, Shape};
