//! Reading and augmenting faces.

mod augmentation;
mod damaged_pictures;
mod dataset;
mod folders;
mod foreign_files;
mod photos;
mod pictures;
mod poisoned_data;
mod tables;
