//! Attribution by hiding parts of the face and measuring the score.

pub mod occlusion;
pub mod rise;
