//! Metrics of a classifier: numbers only; [`crate::report`] makes text and charts of them.
//!
//! [`Evaluation`] holds every number of one labelled set, [`errors`] lists single faces,
//! [`features`] measures how far the classes lie apart.

pub mod calibration;
pub mod confusion;
pub mod errors;
pub mod evaluation;
pub mod features;
pub mod pca;
pub mod tsne;

pub use calibration::{Bin, Reliability};
pub use confusion::Confusion;
pub use evaluation::{ClassReport, ConfusedPair, Evaluation};
