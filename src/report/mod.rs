//! What a person gets to see: results of the library as pages, charts and words.
//!
//! Knows results ([`crate::explain`]) and drawings ([`crate::render`]); no arguments, no files.

pub mod check_page;
pub mod class_maps_page;
pub mod face;
pub mod gallery;
pub mod lime_page;
pub mod methods_page;
pub mod record;
pub mod region_page;
pub mod region_words;
pub mod saliency_page;
pub mod template_page;
pub mod write;

pub use face::ShownFace;
