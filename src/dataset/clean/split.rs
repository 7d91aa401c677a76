//! Splits a dataset in two: the same share of every class, and no image in both parts.

use std::collections::BTreeMap;

use crate::dataset::Dataset;
use crate::dataset::clean::{duplicates::hashes, image_hash::ImageHash};
use crate::random::{Purpose, Rng};
use crate::{CLASS_NAMES, Error, Result};

/// Indices of the faces in each part, ascending.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Split {
    /// Training faces.
    pub train: Vec<usize>,
    /// Validation faces.
    pub validation: Vec<usize>,
}

/// Puts about `fraction` of every class into the validation part.
///
/// It draws images, not faces, so exact duplicates stay together. Whether an image is drawn depends on
/// its pixels, its class and the seed, but not on the order of the rows or on other classes. An image
/// whose duplicates have several labels belongs to the most frequent one. A class of two or more images
/// has at least one in each part.
///
/// # Errors
/// [`Error::Usage`] unless 0 < fraction < 1.
pub fn stratified_split(dataset: &Dataset, fraction: f64, seed: u64) -> Result<Split> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(Error::Usage(format!(
            "validation share {fraction}; expected a number between 0 and 1, such as 0.1"
        )));
    }
    let mut images: BTreeMap<ImageHash, Vec<usize>> = BTreeMap::new();
    for (i, hash) in hashes(dataset).into_iter().enumerate() {
        images.entry(hash).or_default().push(i);
    }
    let mut strata = vec![Vec::new(); CLASS_NAMES.len() + 1];
    for (hash, faces) in images {
        let key = Rng::new(seed, Purpose::Split, 0, hash.low()).bits();
        strata[majority(dataset, &faces)].push((key, hash, faces));
    }
    let mut split = Split { train: Vec::new(), validation: Vec::new() };
    for mut stratum in strata {
        stratum.sort(); // by key: a random order that does not depend on the order of the rows
        let total: usize = stratum.iter().map(|(.., faces)| faces.len()).sum();
        let last = stratum.len().saturating_sub(1);
        let wanted = (fraction * total as f64).round().max(1.0) as usize;
        let mut taken = 0;
        for (position, (.., faces)) in stratum.into_iter().enumerate() {
            if taken < wanted && position < last {
                taken += faces.len();
                split.validation.extend(faces);
            } else {
                split.train.extend(faces);
            }
        }
    }
    split.train.sort_unstable();
    split.validation.sort_unstable();
    Ok(split)
}

/// Returns the most frequent class of these faces, the lowest of several; 7 if no face has a label.
fn majority(dataset: &Dataset, faces: &[usize]) -> usize {
    let mut counts = [0; CLASS_NAMES.len()];
    for &i in faces {
        if let Some(label) = dataset.label(i) {
            counts[usize::from(label)] += 1;
        }
    }
    let most = *counts.iter().max().unwrap_or(&0);
    if most == 0 {
        return CLASS_NAMES.len();
    }
    counts.iter().position(|&c| c == most).unwrap_or(CLASS_NAMES.len())
}
