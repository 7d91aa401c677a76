//! The few faces that are measured in every epoch.

use crate::dataset::Dataset;

/// Returns the numbers of the first `most` faces of each class, class by class.
pub fn first_of_each_class(data: &Dataset, most: usize) -> Vec<usize> {
    let classes = 0..crate::CLASS_NAMES.len() as u8;
    classes.flat_map(|class| data.indices_of(class).into_iter().take(most)).collect()
}

/// Returns the classes of labelled faces.
pub fn labels(data: &Dataset, faces: &[usize]) -> Vec<usize> {
    faces.iter().map(|&i| usize::from(data.label(i).unwrap_or(0))).collect()
}
