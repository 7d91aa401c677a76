//! Ops that combine the elements along axes: sum, mean, maximum, softmax.

mod log_softmax;
mod max;
mod mean;
mod softmax;
pub(crate) mod sum;

pub use log_softmax::log_softmax;
pub use max::max;
pub use mean::mean;
pub use softmax::softmax;
pub use sum::sum;
