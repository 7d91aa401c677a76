//! Arguments and output that several commands share.

pub(crate) mod attribution;
pub(crate) mod faces;
pub(crate) mod input;
pub(crate) mod network_input;
pub(crate) mod output;
pub(crate) mod photos;
pub(crate) mod precision;
pub(crate) mod predictions;
pub(crate) mod progress;
pub(crate) mod signals;
pub(crate) mod target;
