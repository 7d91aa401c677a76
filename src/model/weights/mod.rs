//! Networks and trainings on disk: one file format, written so that a crash never loses a good file.

pub mod archive;
pub mod crash_safe;
pub mod half;
pub mod network_file;
pub mod stored_statistics;

pub use archive::Archive;
