//! How well the network judges, and what its mistakes have in common.
//!
//! [`Evaluation`] holds every number of a labelled set; [`words`] says in plain sentences what
//! follows from them; [`errors`] lists the faces worth looking at.

pub mod calibration;
pub mod confusion;
pub mod errors;
pub mod evaluation;
pub mod features;

pub use calibration::{Bin, Calibration};
pub use confusion::Confusion;
pub use evaluation::{ClassReport, ConfusedPair, Evaluation};
