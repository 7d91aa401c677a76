//! The commands: one file (or folder) each, from arguments to library calls to files.

pub(crate) mod bench;
mod bulk;
pub(crate) mod crop_calibration;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod info;
pub(crate) mod learn;
pub(crate) mod predict;
pub(crate) mod serve;
pub(crate) mod tape;
pub(crate) mod training;
