//! Commands that explain a network.

pub(crate) mod activations;
pub(crate) mod filters;
pub(crate) mod gallery;
pub(crate) mod lime;
pub(crate) mod report;
pub(crate) mod saliency;
pub(crate) mod verify;
