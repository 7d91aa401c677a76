//! Attribution by hiding parts of the face and measuring the change of the score.

pub mod occlusion;
pub mod rise;
