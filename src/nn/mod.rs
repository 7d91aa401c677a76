//! Layers: ops with parameters and a name; how they run one after the other, fused where possible.
//!
//! Layers carry Keras-style names (`conv2d_3`, `batch_normalization_3`, `activation_3`), counted
//! from 1 in the order of the network. Commands address layers by these names.

pub(crate) mod fusion;
mod layer;
pub mod layers;
mod parameter;
mod pass;
pub mod profiler;
mod sequential;

pub use layer::{Activation, ActivationFunction, Layer, Residual};
pub use layers::batch_norm::BatchNorm2d;
pub use layers::conv2d::Conv2d;
pub use layers::linear::Linear;
pub use layers::squeeze_excite::SqueezeExcite;
pub use parameter::{Parameter, Role};
pub use pass::{Mode, Pass};
pub use sequential::Sequential;

use std::collections::BTreeMap;

/// Gives layers their names, and parameters their seed and index, while a network is built.
#[derive(Debug)]
pub struct LayerBuilder {
    pub(crate) seed: u64,
    names: BTreeMap<&'static str, usize>,
    parameters: usize,
    batch_norms: usize,
}

impl LayerBuilder {
    /// Creates a builder that initialises parameters from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, names: BTreeMap::new(), parameters: 0, batch_norms: 0 }
    }

    /// Returns the next name of this kind of layer: `kind_1`, `kind_2`, …
    pub(crate) fn name(&mut self, kind: &'static str) -> String {
        let count = self.names.entry(kind).or_default();
        *count += 1;
        format!("{kind}_{count}")
    }

    /// Returns the index of the next parameter.
    pub(crate) fn parameter(&mut self) -> usize {
        self.parameters += 1;
        self.parameters - 1
    }

    /// Returns the index of the next batch norm.
    pub(crate) fn batch_norm(&mut self) -> usize {
        self.batch_norms += 1;
        self.batch_norms - 1
    }
}
