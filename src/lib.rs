//! Expression recognition from scratch: a tensor and reverse-mode autograd engine, convolutional
//! networks on top of it, and the explanations of what they learnt.

pub mod autograd;
#[cfg(feature = "cli")]
pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
mod console;
pub mod dataset;
pub mod error;
pub mod explain;
pub mod export;
pub mod files;
pub mod metrics;
pub mod model;
#[cfg(feature = "cli")]
pub mod monitor;
pub mod nn;
pub mod ops;
pub mod optim;
#[cfg(feature = "cli")]
pub mod photo;
pub mod protobuf;
pub mod random;
#[cfg(feature = "cli")]
pub mod render;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(feature = "cli")]
pub mod serve;
pub mod stats;
pub mod tensor;
pub mod train;

pub use error::{Error, Result};

/// The seven expressions, in the order of FER2013's labels 0…6.
pub const CLASS_NAMES: [&str; 7] =
    ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];

/// Side of a face in pixels.
pub const SIDE: usize = 48;

/// Pixels of a face.
pub const PIXELS: usize = SIDE * SIDE;
