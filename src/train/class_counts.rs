//! Faces per class of the training and of the validation data.

use crate::dataset::Dataset;
use serde::{Deserialize, Serialize};

/// Faces of each class that a network learnt from and was chosen by; kept in its checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCounts {
    /// Training faces, after copies were dropped.
    pub train: Vec<u64>,
    /// Validation faces.
    pub validation: Vec<u64>,
}

impl ClassCounts {
    /// Counts both sides.
    pub fn of(train: &Dataset, validation: &Dataset) -> Self {
        Self { train: class_counts(train), validation: class_counts(validation) }
    }
}

/// Faces of each class.
pub fn class_counts(data: &Dataset) -> Vec<u64> {
    data.class_counts().map(|n| n as u64).to_vec()
}
