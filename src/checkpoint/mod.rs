//! Networks and trainings on disk.

pub mod archive;
pub mod durable;
pub mod half;
pub mod weights;

pub use archive::Archive;
