//! Parameter randomisation: a map of the network must change when the network is destroyed.

use super::batch::face;
use super::stats::spearman;
use crate::{Error, PIXELS, Result};

/// Similarity of a randomised network's maps to the original's.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct RandomisationStep {
    /// Layers with parameters that were re-initialised, counted from the output.
    pub layers: usize,
    /// Spearman correlation of |map| before and after, mean over the faces. **About 0 is good.**
    pub spearman: f64,
}

/// Re-initialises from the top layer down and compares.
///
/// `randomised(k)` gives maps `[n, 48, 48]` of the same faces and targets on a copy of the network
/// whose top k layers with parameters were drawn anew by the *training* initialiser (uniform
/// weights, or a batch-norm variance drawn like one, would test another network).
/// **Source**: Adebayo et al. 2018 (arXiv 1810.03292).
///
/// **Errors**: `Shape` where a map is missing.
pub fn randomisation(
    original: &[f32],
    layers: usize,
    randomised: &mut dyn FnMut(usize) -> Result<Vec<f32>>,
) -> Result<Vec<RandomisationStep>> {
    let step = |layers: usize| {
        let maps = randomised(layers)?;
        Ok(RandomisationStep { layers, spearman: mean_spearman(original, &maps)? })
    };
    (1..=layers).map(step).collect()
}

/// Mean over faces of Spearman's correlation of the magnitudes of two sets of maps. A face with an
/// empty map among the two has no correlation and is left out; NaN where none is left.
pub fn mean_spearman(a: &[f32], b: &[f32]) -> Result<f64> {
    if a.len() != b.len() || a.is_empty() || !a.len().is_multiple_of(PIXELS) {
        let detail = format!("{} and {} map values", a.len(), b.len());
        return Err(Error::shape("randomisation", detail));
    }
    let magnitude = |m: &[f32]| m.iter().map(|v| v.abs()).collect::<Vec<f32>>();
    let n = a.len() / PIXELS;
    let is_empty = |map: &[f32]| map.iter().all(|v| *v == 0.0);
    let full = (0..n).filter(|&f| !is_empty(face(a, f)) && !is_empty(face(b, f)));
    let all: Vec<f64> =
        full.map(|f| spearman(&magnitude(face(a, f)), &magnitude(face(b, f)))).collect();
    Ok(all.iter().sum::<f64>() / all.len() as f64)
}
