//! What one should know about a set before training on it.

use serde::Serialize;

use crate::dataset::clean::duplicates::{blank_faces, cross_copies, find_copies};
use crate::dataset::{Dataset, Report};
use crate::{CLASS_NAMES, PIXELS};

/// Most examples of a finding to list.
const LISTED: usize = 100;

/// Faces of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// Name of the class.
    pub class: &'static str,
    /// Number of its faces.
    pub faces: usize,
}

/// Copies of a second set's faces in the first one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AcrossSplits {
    /// Faces of the second set.
    pub faces: usize,
    /// How many of them the first set also holds.
    pub copies: usize,
    /// How many of these carry a label that agrees.
    pub agreeing: usize,
    /// Where the first of them are, in the second set.
    pub examples: Vec<String>,
}

/// The whole finding, ready for a table or JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What reading met: rows, bad rows, notes.
    pub read: Report,
    /// Good faces.
    pub faces: usize,
    /// Faces without a label.
    pub unlabelled: usize,
    /// Faces of each class.
    pub classes: Vec<ClassCount>,
    /// Mean of all pixels, in [0, 1].
    pub mean: f64,
    /// Standard deviation of all pixels, in [0, 1].
    pub std: f64,
    /// Different images.
    pub distinct: usize,
    /// Faces that repeat an earlier one.
    pub repeated: usize,
    /// Images whose copies carry different labels.
    pub conflicting_groups: usize,
    /// Faces in those groups.
    pub conflicting_faces: usize,
    /// Where such groups are: the places of their faces, with their labels.
    pub conflicts: Vec<Vec<String>>,
    /// Faces of one single gray.
    pub blank: usize,
    /// Where the first of them are.
    pub blank_examples: Vec<String>,
    /// Copies across two sets, if a second one was given.
    pub across: Option<AcrossSplits>,
}

impl Check {
    /// True if nothing was found that a careful person would look at: no bad row, no copy, no
    /// conflict, no blank face, no copy across sets.
    pub fn is_clean(&self) -> bool {
        self.read.bad_count == 0
            && self.repeated == 0
            && self.blank == 0
            && self.across.as_ref().is_none_or(|a| a.copies == 0)
    }
}

/// Looks for bad rows (those that `report` of reading with `skip_bad` lists), blank faces, copies,
/// conflicting labels, and copies in a second set.
pub fn check(dataset: &Dataset, report: Report, other: Option<&Dataset>) -> Check {
    let copies = find_copies(dataset);
    let blank = blank_faces(dataset);
    let (mean, std) = dataset.mean_and_std();
    let place = |i: usize| dataset.origin(i).to_string();
    let conflicts = copies.groups.iter().filter(|g| g.conflicting).take(LISTED);
    Check {
        read: report,
        faces: dataset.len(),
        unlabelled: dataset.labels().iter().filter(|l| l.is_none()).count(),
        classes: class_table(dataset),
        mean,
        std,
        distinct: copies.distinct,
        repeated: copies.repeated,
        conflicting_groups: copies.conflicting_groups,
        conflicting_faces: copies.conflicting_faces,
        conflicts: conflicts
            .map(|g| g.faces.iter().map(|&i| labelled_place(dataset, i)).collect())
            .collect(),
        blank: blank.len(),
        blank_examples: blank.iter().take(LISTED).map(|&i| place(i)).collect(),
        across: other.map(|other| across(dataset, other)),
    }
}

/// Number of faces of each class, in the order of the labels.
pub fn class_table(dataset: &Dataset) -> Vec<ClassCount> {
    CLASS_NAMES
        .into_iter()
        .zip(dataset.class_counts())
        .map(|(class, faces)| ClassCount { class, faces })
        .collect()
}

fn labelled_place(dataset: &Dataset, i: usize) -> String {
    let name = dataset.label(i).map_or("no label", |l| CLASS_NAMES[usize::from(l)]);
    format!("{} {name}", dataset.origin(i))
}

fn across(dataset: &Dataset, other: &Dataset) -> AcrossSplits {
    let found = cross_copies(dataset, other);
    AcrossSplits {
        faces: other.len(),
        copies: found.faces.len(),
        agreeing: found.agreeing,
        examples: found.faces.iter().take(LISTED).map(|&i| other.origin(i).to_string()).collect(),
    }
}

/// What `fer data stats` shows.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// Number of faces.
    pub faces: usize,
    /// Faces without a label.
    pub unlabelled: usize,
    /// Faces of each class.
    pub classes: Vec<ClassCount>,
    /// Mean of all pixels, in [0, 1].
    pub mean: f64,
    /// Standard deviation of all pixels, in [0, 1].
    pub std: f64,
    /// Bytes of pixels in memory.
    pub bytes: usize,
}

/// Counts and moments of a set.
pub fn stats(dataset: &Dataset) -> Stats {
    let (mean, std) = dataset.mean_and_std();
    Stats {
        faces: dataset.len(),
        unlabelled: dataset.labels().iter().filter(|l| l.is_none()).count(),
        classes: class_table(dataset),
        mean,
        std,
        bytes: dataset.len() * PIXELS,
    }
}
