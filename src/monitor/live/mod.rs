//! The files of the live page: their contents and their writer.

pub mod files;
pub mod views;
