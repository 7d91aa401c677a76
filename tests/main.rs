//! The integration suite, one module per law.

mod adjoints;
mod golden;
mod gradients;
mod samples;
