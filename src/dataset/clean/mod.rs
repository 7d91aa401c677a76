//! Checks of a dataset: duplicates, contradicting labels, splits without leaks.

pub mod check;
pub mod duplicates;
pub mod fingerprint;
pub mod split;
