//! Commands that explain a network.

pub(crate) mod activations;
#[allow(clippy::module_inception)] // named as its command
pub(crate) mod explain;
pub(crate) mod filters;
pub(crate) mod gallery;
pub(crate) mod lime;
pub(crate) mod report;
pub(crate) mod saliency;
pub(crate) mod verify;
