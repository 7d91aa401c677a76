//! The report of an evaluation: text, JSON, a folder of charts.

pub mod class_words;
pub(crate) mod evaluation_dir;
pub(crate) mod evaluation_report;
pub(crate) mod sheet;
pub(crate) mod text;
