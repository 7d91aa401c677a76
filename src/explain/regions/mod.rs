//! The parts of a face, and how much attribution falls on each.

pub mod class_maps;
pub mod face_regions;
pub mod region_lift;
