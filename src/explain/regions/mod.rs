//! The parts of a face, how much attribution falls on each, and mean maps of each class.

pub mod class_maps;
pub mod face_regions;
pub mod landmarks;
pub mod region_evidence;
pub mod region_lift;
pub mod separation;
