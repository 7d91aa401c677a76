//! The integration suite, one module per law.

mod adjoints;
mod engine;
mod golden;
mod gradients;
mod samples;
