//! Reading and augmenting faces.

mod augmentation;
mod damaged_pictures;
mod dataset;
mod folders;
mod foreign_files;
mod found_faces;
mod many_photos;
mod photos;
mod pictures;
mod poisoned_data;
mod tables;
