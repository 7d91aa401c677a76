//! Reading and augmenting faces.

mod augmentation;
mod dataset;
mod photos;
mod pictures;
mod poisoned_data;
