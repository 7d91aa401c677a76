//! Networks and trainings on disk.

pub mod archive;

pub use archive::Archive;
