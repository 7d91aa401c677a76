//! Exact duplicates: within a dataset, across two datasets, and with contradicting labels.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use crate::dataset::Dataset;
use crate::dataset::clean::image_hash::ImageHash;

/// Returns the hash of every face, in order.
pub fn hashes(dataset: &Dataset) -> Vec<ImageHash> {
    (0..dataset.len()).into_par_iter().map(|i| ImageHash::of(dataset.image(i))).collect()
}

/// Faces with equal pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DuplicateGroup {
    /// Indices of the faces, ascending; at least two.
    pub faces: Vec<usize>,
    /// True if their labels differ.
    pub conflicting: bool,
}

/// Duplicates within a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Duplicates {
    /// Number of different images.
    pub distinct: usize,
    /// Number of faces that duplicate an earlier one.
    pub repeated: usize,
    /// Number of groups with contradicting labels.
    pub conflicting_groups: usize,
    /// Number of faces in those groups.
    pub conflicting_faces: usize,
    /// Every group, in order of its first face.
    pub groups: Vec<DuplicateGroup>,
}

/// Returns the faces of each different image, in order of the first face.
fn faces_by_image(dataset: &Dataset) -> Vec<Vec<usize>> {
    let mut by_hash: BTreeMap<ImageHash, Vec<usize>> = BTreeMap::new();
    for (i, hash) in hashes(dataset).into_iter().enumerate() {
        by_hash.entry(hash).or_default().push(i);
    }
    let mut groups: Vec<_> = by_hash.into_values().collect();
    groups.sort_by_key(|faces| faces[0]);
    groups
}

fn is_conflicting(dataset: &Dataset, faces: &[usize]) -> bool {
    faces.iter().any(|&i| dataset.label(i) != dataset.label(faces[0]))
}

/// Finds all exact duplicates within a dataset.
pub fn find_duplicates(dataset: &Dataset) -> Duplicates {
    let all = faces_by_image(dataset);
    let distinct = all.len();
    let groups: Vec<DuplicateGroup> = all
        .into_iter()
        .filter(|faces| faces.len() > 1)
        .map(|faces| DuplicateGroup { conflicting: is_conflicting(dataset, &faces), faces })
        .collect();
    let conflicting = || groups.iter().filter(|g| g.conflicting);
    Duplicates {
        distinct,
        repeated: dataset.len() - distinct,
        conflicting_groups: conflicting().count(),
        conflicting_faces: conflicting().map(|g| g.faces.len()).sum(),
        groups,
    }
}

/// Result of [`deduplicate`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deduplicated {
    /// Indices of the faces to keep, ascending: the first of each image whose labels agree.
    pub kept: Vec<usize>,
    /// Number of later duplicates that are dropped.
    pub copies: usize,
    /// Number of faces that are dropped because the labels of their image differ.
    pub conflicts: usize,
}

/// Selects one face of each image, and none of an image whose labels differ.
pub fn deduplicate(dataset: &Dataset) -> Deduplicated {
    let (mut kept, mut copies, mut conflicts) = (Vec::new(), 0, 0);
    for faces in faces_by_image(dataset) {
        if is_conflicting(dataset, &faces) {
            conflicts += faces.len();
        } else {
            copies += faces.len() - 1;
            kept.push(faces[0]);
        }
    }
    Deduplicated { kept, copies, conflicts }
}

/// Faces of one dataset that are exact duplicates of faces of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CrossDuplicates {
    /// Indices of the faces in the second dataset, ascending.
    pub faces: Vec<usize>,
    /// Number of them with the label of a duplicate in the first dataset.
    pub agreeing: usize,
}

/// Finds the faces of `other` that also occur in `dataset`.
pub fn cross_duplicates(dataset: &Dataset, other: &Dataset) -> CrossDuplicates {
    let mut labels: BTreeMap<ImageHash, Vec<Option<u8>>> = BTreeMap::new();
    for (i, hash) in hashes(dataset).into_iter().enumerate() {
        labels.entry(hash).or_default().push(dataset.label(i));
    }
    let mut found = CrossDuplicates::default();
    for (i, hash) in hashes(other).into_iter().enumerate() {
        if let Some(known) = labels.get(&hash) {
            found.faces.push(i);
            found.agreeing += usize::from(known.contains(&other.label(i)));
        }
    }
    found
}

/// Returns true if all pixels are equal.
pub fn is_blank(image: &[u8]) -> bool {
    image.windows(2).all(|p| p[0] == p[1])
}

/// Returns the indices of the faces whose pixels are all equal.
pub fn blank_faces(dataset: &Dataset) -> Vec<usize> {
    (0..dataset.len()).filter(|&i| is_blank(dataset.image(i))).collect()
}
