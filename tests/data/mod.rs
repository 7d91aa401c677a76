//! Reading and augmenting faces.

mod augmentation;
mod dataset;
mod photos;
mod poisoned_data;
