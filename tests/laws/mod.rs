//! Laws of the engine: gradients, adjoints, golden values.

mod adjoints;
mod engine;
mod extremes;
pub mod golden;
mod gradients;
mod structure;
