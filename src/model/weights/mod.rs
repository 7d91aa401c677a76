//! Networks and trainings on disk.

pub mod archive;
pub mod durable;
pub mod half;
pub mod network_file;

pub use archive::Archive;
