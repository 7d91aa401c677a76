//! What a person gets to read: text for the terminal, pictures and a page for a folder.
//!
//! Numbers come from [`crate::metrics`], drawings from [`crate::render`]; here they meet the faces
//! they are about.

pub mod activation_page;
mod evaluation;
pub mod filter_page;
pub mod filter_proof;
mod folder;
mod sheet;
mod text;

pub use evaluation::EvaluationReport;
pub use folder::write_folder;
pub use sheet::{class_sheet, mistake_sheet};
