//! Checks of a dataset: exact duplicates, contradicting labels, splits without duplicates across them.

pub mod check;
pub mod duplicates;
pub mod image_hash;
pub mod split;
