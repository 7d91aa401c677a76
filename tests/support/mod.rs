//! What the tests share: samples for every op, small networks, temporary folders.

pub mod models;
pub mod place;
pub mod ranks;
pub mod samples;
