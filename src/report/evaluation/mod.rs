//! The report of an evaluation: text, JSON, a folder of charts.

pub mod class_words;
pub(crate) mod contact_sheet;
pub(crate) mod output_dir;
pub(crate) mod report;
pub(crate) mod text;
