//! Reports for people: text for the terminal, pages of pictures, HTML, and JSON for programs.
//!
//! Numbers come from [`crate::metrics`] and [`crate::explain`], drawings from [`crate::render`].
//! Nothing here depends on the command line.

pub mod evaluation;
pub mod explanation;
pub mod face;
pub mod filters;
pub mod gallery;
pub mod html_report;
pub mod i18n;
pub mod json;
pub mod lime;
pub mod saliency;
pub mod typical_faces;

pub use evaluation::contact_sheet::{class_sheet, mistake_sheet};
pub use evaluation::output_dir::write_evaluation_dir;
pub use evaluation::report::EvaluationReport;
pub use face::PredictedFace;
pub use typical_faces::typical_faces;

pub use crate::render::write;
