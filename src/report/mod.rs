//! What a person gets to read: text for the terminal, pictures and pages.
//!
//! Numbers come from [`crate::metrics`] and [`crate::explain`], drawings from [`crate::render`]; here
//! they meet the faces they are about. Nothing here knows the command line.

pub mod activation_page;
pub mod check_page;
pub mod class_maps_page;
mod evaluation;
pub mod face;
pub mod filter_page;
pub mod filter_proof;
mod folder;
pub mod gallery;
pub mod lime_page;
pub mod methods_page;
pub mod mistake_maps;
pub mod paper;
pub mod record;
pub mod region_page;
pub mod region_words;
pub mod saliency_page;
mod sheet;
pub mod template_page;
mod text;

pub use crate::render::write;
pub use evaluation::EvaluationReport;
pub use face::ShownFace;
pub use folder::write_folder;
pub use sheet::{class_sheet, mistake_sheet};
