//! The report of an evaluation as text, as JSON, and as a folder with charts.

mod charts;
pub mod class_sentences;
pub(crate) mod contact_sheet;
pub(crate) mod output_dir;
pub(crate) mod report;
pub(crate) mod text;
