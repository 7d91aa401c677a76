//! Names, seeds and indices of layers and parameters while a network is built.

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
