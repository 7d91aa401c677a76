//! The number that activation maximization raises.

use crate::explain::layers::{FeatureMaps, LayerInfo};
use std::ops::Range;

/// What activation maximization raises, with one unit (channel or class) per face of the batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Objective {
    /// Mean of one channel over its interior cells.
    Channel {
        /// The layer.
        layer: LayerInfo,
        /// A channel for each face.
        units: Vec<usize>,
    },
    /// The strongest interior cell of one channel. Used for layers that are linear in the pixels:
    /// there the mean over the cells depends on the border alone, so raising it draws a frame.
    Peak {
        /// The layer.
        layer: LayerInfo,
        /// A channel for each face.
        units: Vec<usize>,
    },
    /// A class logit.
    Logit {
        /// A class for each face.
        units: Vec<usize>,
    },
}

impl Objective {
    /// The layer whose output the objective reads; `None` means the logits.
    pub fn layer(&self) -> Option<&str> {
        match self {
            Objective::Channel { layer, .. } | Objective::Peak { layer, .. } => Some(&layer.name),
            Objective::Logit { .. } => None,
        }
    }
    /// The unit (channel or class) of each face.
    pub fn units(&self) -> &[usize] {
        match self {
            Objective::Channel { units, .. }
            | Objective::Peak { units, .. }
            | Objective::Logit { units } => units,
        }
    }
    /// The same objective with other units.
    pub fn with_units(&self, units: Vec<usize>) -> Objective {
        match self {
            Objective::Channel { layer, .. } => Objective::Channel { layer: layer.clone(), units },
            Objective::Peak { layer, .. } => Objective::Peak { layer: layer.clone(), units },
            Objective::Logit { .. } => Objective::Logit { units },
        }
    }
    /// Rows and columns of a map `[h, w]` that the value is the mean of.
    pub fn cells(&self, map: &[f32], h: usize, w: usize) -> (Range<usize>, Range<usize>) {
        match self {
            Objective::Channel { layer, .. } => (layer.interior(h), layer.interior(w)),
            Objective::Peak { layer, .. } => {
                let (i, j) = layer.strongest_cell(map, h, w);
                (i..i + 1, j..j + 1)
            }
            Objective::Logit { .. } => (0..h, 0..w),
        }
    }
    /// Computes the value of each face from the layer's output (logits as maps of 1×1 cells).
    pub fn values(&self, maps: &FeatureMaps) -> Vec<f32> {
        let mean = |map: &[f32]| {
            let (rows, columns) = self.cells(map, maps.h, maps.w);
            let count = (rows.len() * columns.len()).max(1) as f64;
            let row = |i: usize| map[i * maps.w..][columns.clone()].iter().map(|&v| f64::from(v));
            (rows.flat_map(row).sum::<f64>() / count) as f32
        };
        self.units().iter().enumerate().map(|(f, &k)| mean(maps.channel(f, k))).collect()
    }
    /// Computes d value / d output, laid out as the maps: the start of the backward pass.
    pub fn map_gradient(&self, maps: &FeatureMaps) -> Vec<f32> {
        let mut gradient = vec![0.0; maps.data.len()];
        for (face, &unit) in self.units().iter().enumerate() {
            let (rows, columns) = self.cells(maps.channel(face, unit), maps.h, maps.w);
            let weight = 1.0 / (rows.len() * columns.len()).max(1) as f32;
            let start = (face * maps.c + unit) * maps.h * maps.w;
            for i in rows {
                gradient[start + i * maps.w..][columns.clone()].fill(weight);
            }
        }
        gradient
    }
}
