//! Loss functions.

mod cross_entropy;

pub use cross_entropy::{CrossEntropyOptions, Targets, cross_entropy};
