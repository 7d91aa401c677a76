//! The event file format: records, checksums, events, tensors, tags.

pub mod decode;
pub mod event;
pub mod record;
pub mod resume;
pub mod tags;
pub mod tensor;
