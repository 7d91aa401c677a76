//! What a person gets to see: results of the library as pages, charts and words.
//!
//! Knows results ([`crate::explain`]) and drawings ([`crate::render`]); no arguments, no files.

pub mod face;
pub mod methods_page;
pub mod record;
pub mod saliency_page;
pub mod write;

pub use face::ShownFace;
