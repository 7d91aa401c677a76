//! How far a student is: a file in the folder of the course.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is kept from one call to the next.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The exercise whose hole is open.
    pub current: Option<String>,
    /// Solved exercises.
    pub solved: BTreeSet<String>,
    /// Number of hints that were shown, by exercise.
    pub hints: BTreeMap<String, usize>,
    /// Whether only the exercises of the fast track come next.
    pub fast: bool,
}
