//! Checks a dataset before training: bad rows, blank faces, duplicates, contradicting labels.

use serde::Serialize;

use crate::dataset::clean::duplicates::{blank_faces, cross_duplicates, find_duplicates};
use crate::dataset::{Dataset, Report};
use crate::{CLASS_NAMES, PIXELS};

/// Maximum number of examples to list per problem.
const LISTED: usize = 100;

/// Number of faces of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// Name of the class.
    pub class: &'static str,
    /// Number of its faces.
    pub faces: usize,
}

/// Faces of a second dataset that also occur in the first one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AcrossSplits {
    /// Number of faces of the second dataset.
    pub faces: usize,
    /// Number of them that also occur in the first dataset.
    pub copies: usize,
    /// Number of these with the label of a duplicate in the first dataset.
    pub agreeing: usize,
    /// Origins of the first of them, in the second dataset.
    pub examples: Vec<String>,
}

/// Results of [`check`].
#[derive(Clone, Debug, Serialize)]
pub struct DatasetCheck {
    /// Statistics of the reading: rows, bad rows, notes.
    pub read: Report,
    /// Number of good faces.
    pub faces: usize,
    /// Number of faces without a label.
    pub unlabelled: usize,
    /// Number of faces per class.
    pub classes: Vec<ClassCount>,
    /// Mean of all pixels, in [0, 1].
    pub mean: f64,
    /// Standard deviation of all pixels, in [0, 1].
    pub std: f64,
    /// Number of different images.
    pub distinct: usize,
    /// Number of faces that duplicate an earlier one.
    pub repeated: usize,
    /// Number of images whose duplicates have different labels.
    pub conflicting_groups: usize,
    /// Number of faces in those groups.
    pub conflicting_faces: usize,
    /// The first such groups: origins and labels of their faces.
    pub conflicts: Vec<Vec<String>>,
    /// Number of faces whose pixels are all equal.
    pub blank: usize,
    /// Origins of the first of them.
    pub blank_examples: Vec<String>,
    /// Duplicates across two datasets, if a second one was given.
    pub across: Option<AcrossSplits>,
}

impl DatasetCheck {
    /// Returns true if there is no bad row, duplicate, blank face or duplicate across the datasets.
    pub fn is_clean(&self) -> bool {
        self.read.bad_count == 0
            && self.repeated == 0
            && self.blank == 0
            && self.across.as_ref().is_none_or(|a| a.copies == 0)
    }
}

/// Checks a dataset for blank faces, duplicates, contradicting labels, and duplicates in `other`. The bad
/// rows are those in `report`, from reading with `skip_bad`.
pub fn check(dataset: &Dataset, report: Report, other: Option<&Dataset>) -> DatasetCheck {
    let duplicates = find_duplicates(dataset);
    let blank = blank_faces(dataset);
    let (mean, std) = dataset.mean_and_std();
    let origin = |i: usize| dataset.origin(i).to_string();
    let conflicts = duplicates.groups.iter().filter(|g| g.conflicting).take(LISTED);
    DatasetCheck {
        read: report,
        faces: dataset.len(),
        unlabelled: dataset.labels().iter().filter(|l| l.is_none()).count(),
        classes: class_table(dataset),
        mean,
        std,
        distinct: duplicates.distinct,
        repeated: duplicates.repeated,
        conflicting_groups: duplicates.conflicting_groups,
        conflicting_faces: duplicates.conflicting_faces,
        conflicts: conflicts
            .map(|g| g.faces.iter().map(|&i| labelled_origin(dataset, i)).collect())
            .collect(),
        blank: blank.len(),
        blank_examples: blank.iter().take(LISTED).map(|&i| origin(i)).collect(),
        across: other.map(|other| across(dataset, other)),
    }
}

/// Returns the number of faces per class, in the order of the labels.
pub fn class_table(dataset: &Dataset) -> Vec<ClassCount> {
    CLASS_NAMES
        .into_iter()
        .zip(dataset.class_counts())
        .map(|(class, faces)| ClassCount { class, faces })
        .collect()
}

fn labelled_origin(dataset: &Dataset, i: usize) -> String {
    let name = dataset.label(i).map_or("no label", |l| CLASS_NAMES[usize::from(l)]);
    format!("{} {name}", dataset.origin(i))
}

fn across(dataset: &Dataset, other: &Dataset) -> AcrossSplits {
    let found = cross_duplicates(dataset, other);
    AcrossSplits {
        faces: other.len(),
        copies: found.faces.len(),
        agreeing: found.agreeing,
        examples: found.faces.iter().take(LISTED).map(|&i| other.origin(i).to_string()).collect(),
    }
}

/// Statistics of a dataset.
#[derive(Clone, Debug, Serialize)]
pub struct DatasetStats {
    /// Number of faces.
    pub faces: usize,
    /// Number of faces without a label.
    pub unlabelled: usize,
    /// Number of faces per class.
    pub classes: Vec<ClassCount>,
    /// Mean of all pixels, in [0, 1].
    pub mean: f64,
    /// Standard deviation of all pixels, in [0, 1].
    pub std: f64,
    /// Size of the pixels in memory, in bytes.
    pub bytes: usize,
}

/// Computes the statistics of a dataset.
pub fn stats(dataset: &Dataset) -> DatasetStats {
    let (mean, std) = dataset.mean_and_std();
    DatasetStats {
        faces: dataset.len(),
        unlabelled: dataset.labels().iter().filter(|l| l.is_none()).count(),
        classes: class_table(dataset),
        mean,
        std,
        bytes: dataset.len() * PIXELS,
    }
}
