//! Layers: ops with parameters and a name.
//!
//! Layers carry Keras-style names (`conv2d_3`, `batch_normalization_3`, `activation_3`), counted
//! from 1 in the order of the network, by which every command addresses them.

mod layer;
pub mod layers;
mod parameter;
mod pass;
pub mod profiler;
mod sequential;

pub use layer::{Activation, Function, Layer, Residual};
pub use layers::batch_norm::BatchNorm2d;
pub use layers::conv2d::Conv2d;
pub use layers::linear::Linear;
pub use layers::squeeze_excite::SqueezeExcite;
pub use parameter::{Parameter, Role};
pub use pass::{Mode, Pass};
pub use sequential::Sequential;

use std::collections::BTreeMap;

/// Hands out names, seeds and places while a network is built.
#[derive(Debug)]
pub struct Builder {
    pub(crate) seed: u64,
    names: BTreeMap<&'static str, usize>,
    parameters: usize,
    batch_norms: usize,
}

impl Builder {
    /// A builder whose networks are initialised from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, names: BTreeMap::new(), parameters: 0, batch_norms: 0 }
    }

    /// `kind_1`, `kind_2`, …
    pub(crate) fn name(&mut self, kind: &'static str) -> String {
        let count = self.names.entry(kind).or_default();
        *count += 1;
        format!("{kind}_{count}")
    }

    /// The next parameter's place.
    pub(crate) fn parameter(&mut self) -> usize {
        self.parameters += 1;
        self.parameters - 1
    }

    /// The next batch norm's place.
    pub(crate) fn batch_norm(&mut self) -> usize {
        self.batch_norms += 1;
        self.batch_norms - 1
    }
}
