//! Attribution: how much each pixel of a face contributes to a score. One file per method.

pub mod attribute;
pub mod cam;
pub mod gradient;
pub mod lime;
pub mod method;
pub mod perturbation;
