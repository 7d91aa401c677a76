//! Exact copies: within a set, across two sets, and those whose labels disagree.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use crate::dataset::Dataset;
use crate::dataset::clean::fingerprint::ImageHash;

/// Fingerprint of every face, in order.
pub fn hashes(dataset: &Dataset) -> Vec<ImageHash> {
    (0..dataset.len()).into_par_iter().map(|i| ImageHash::of(dataset.image(i))).collect()
}

/// Faces that share their pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CopyGroup {
    /// Numbers of the faces, ascending; at least two.
    pub faces: Vec<usize>,
    /// True if their labels disagree.
    pub conflicting: bool,
}

/// What copies a set holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Copies {
    /// Different images.
    pub distinct: usize,
    /// Faces that repeat an earlier one.
    pub repeated: usize,
    /// Groups whose labels disagree.
    pub conflicting_groups: usize,
    /// Faces in those groups.
    pub conflicting_faces: usize,
    /// Every group, in order of its first face.
    pub groups: Vec<CopyGroup>,
}

/// Faces of each image, in order of the first face.
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

/// Finds all exact copies within a set.
pub fn find_copies(dataset: &Dataset) -> Copies {
    let all = faces_by_image(dataset);
    let distinct = all.len();
    let groups: Vec<CopyGroup> = all
        .into_iter()
        .filter(|faces| faces.len() > 1)
        .map(|faces| CopyGroup { conflicting: is_conflicting(dataset, &faces), faces })
        .collect();
    let conflicting = || groups.iter().filter(|g| g.conflicting);
    Copies {
        distinct,
        repeated: dataset.len() - distinct,
        conflicting_groups: conflicting().count(),
        conflicting_faces: conflicting().map(|g| g.faces.len()).sum(),
        groups,
    }
}

/// What [`deduplicate`] kept and dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deduplicated {
    /// Numbers of the faces to keep, ascending: the first of each image whose labels agree.
    pub kept: Vec<usize>,
    /// Later copies dropped.
    pub copies: usize,
    /// Faces dropped because the labels of their image disagree.
    pub conflicts: usize,
}

/// Keeps one face of each image, and none of an image whose labels disagree.
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

/// Faces of one set that are exact copies of faces of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CrossCopies {
    /// Numbers of the second set's faces, ascending.
    pub faces: Vec<usize>,
    /// How many of them carry a label that their copy in the first set carries, too.
    pub agreeing: usize,
}

/// Finds the faces of `other` that also occur in `dataset`.
pub fn cross_copies(dataset: &Dataset, other: &Dataset) -> CrossCopies {
    let mut labels: BTreeMap<ImageHash, Vec<Option<u8>>> = BTreeMap::new();
    for (i, hash) in hashes(dataset).into_iter().enumerate() {
        labels.entry(hash).or_default().push(dataset.label(i));
    }
    let mut found = CrossCopies::default();
    for (i, hash) in hashes(other).into_iter().enumerate() {
        if let Some(known) = labels.get(&hash) {
            found.faces.push(i);
            found.agreeing += usize::from(known.contains(&other.label(i)));
        }
    }
    found
}

/// Whether all pixels are the same.
pub fn is_blank(image: &[u8]) -> bool {
    image.windows(2).all(|p| p[0] == p[1])
}

/// Numbers of the faces whose pixels are all the same.
pub fn blank_faces(dataset: &Dataset) -> Vec<usize> {
    (0..dataset.len()).filter(|&i| is_blank(dataset.image(i))).collect()
}
