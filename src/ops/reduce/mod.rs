//! Ops that combine the elements along axes: sums, means, maxima, softmax.

pub mod log_softmax;
pub mod max;
pub mod mean;
pub mod softmax;
pub mod sum;
