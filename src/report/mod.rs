//! What a person gets to read: library results as pages and text.
//!
//! Numbers come from [`crate::explain`] and [`crate::metrics`], drawings from [`crate::render`].

pub mod activation_page;
pub mod filter_page;
pub mod filter_proof;
