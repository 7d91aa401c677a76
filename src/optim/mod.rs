//! Optimisers, learning rate schedules, and the exponential moving average of the weights.

mod ema;
mod optimizer;
mod schedule;

pub use ema::Ema;
pub use optimizer::{Optimizer, OptimizerConfig, OptimizerKind, gradient_norm};
pub use schedule::{Schedule, ScheduleShape};
