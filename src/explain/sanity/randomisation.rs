//! Parameter randomisation: a map must change when the weights of the network are replaced by
//! random ones.

use crate::explain::batch::face;
use crate::explain::significance::Estimate;
use crate::model::Network;
use crate::stats::spearman;
use crate::{Error, PIXELS, Result};

/// Added (exclusive or) to a seed, so that the random network differs from the start of a training.
const SEED_OFFSET: u64 = 1_000_003;

/// Similarity of the maps after one step of the cascade.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct RandomisationStep {
    /// Number of layers with parameters that were re-initialised, from the output down.
    pub layers: usize,
    /// Spearman correlation of |map| before and after, mean over the faces. **About 0 is good.**
    pub spearman: f64,
}

/// Re-initialises the layers from the top down and compares the maps after every step.
///
/// `randomised(k)` gives maps `[n, 48, 48]` of the same faces and targets on a copy of the network
/// whose top k layers with parameters were drawn anew by the initialiser of the training. (Uniform
/// weights, or a random batch-norm variance, would be a network of another kind.)
///
/// **Errors**: `Shape` where a map is missing; those of `randomised`.
/// **Source**: Adebayo et al. 2018 (arXiv 1810.03292).
pub fn randomisation(
    original: &[f32],
    layers: usize,
    randomised: &mut dyn FnMut(usize) -> Result<Vec<f32>>,
) -> Result<Vec<RandomisationStep>> {
    let step = |layers: usize| {
        let maps = randomised(layers)?;
        Ok(RandomisationStep { layers, spearman: Similarity::of(original, &maps)?.spearman.mean })
    };
    (1..=layers).map(step).collect()
}

/// Similarity of two sets of maps.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Similarity {
    /// Spearman correlation of the magnitudes, over the faces whose first map is not empty; 0 where
    /// the second map is empty.
    pub spearman: Estimate,
    /// Faces left out because their first map is empty.
    pub left_out: usize,
}

impl Similarity {
    /// Compares maps `[n, 48, 48]` with those of another network, face by face.
    ///
    /// **Errors**: `Shape` where the counts differ or are not a whole number of maps.
    pub fn of(maps: &[f32], others: &[f32]) -> Result<Similarity> {
        if maps.len() != others.len() || maps.is_empty() || !maps.len().is_multiple_of(PIXELS) {
            let detail = format!("{} and {} map values", maps.len(), others.len());
            return Err(Error::shape("randomisation", detail));
        }
        let magnitude = |m: &[f32]| m.iter().map(|v| v.abs()).collect::<Vec<f32>>();
        let n = maps.len() / PIXELS;
        let correlation = |f: usize| match is_empty(face(others, f)) {
            true => 0.0,
            false => spearman(&magnitude(face(maps, f)), &magnitude(face(others, f))),
        };
        let full = (0..n).filter(|&f| !is_empty(face(maps, f)));
        let all: Vec<f64> = full.map(correlation).collect();
        Ok(Similarity { spearman: Estimate::of(&all), left_out: n - all.len() })
    }
}

/// Whether a map is zero everywhere.
pub(crate) fn is_empty(map: &[f32]) -> bool {
    map.iter().all(|v| *v == 0.0)
}

/// Returns the network with its top `layers` layers with parameters drawn anew by the initialiser
/// of the training, running statistics included; all layers for `None`. The draw differs from that
/// of a training with the same seed.
pub fn randomised(
    network: &Network<f32>,
    layers: Option<usize>,
    seed: u64,
) -> Result<Network<f32>> {
    let mut out = Network::new(network.spec.clone(), seed ^ SEED_OFFSET)?;
    let names = parametrised_layers(network);
    let kept = names.len() - layers.unwrap_or(names.len()).min(names.len());
    let state = network.state();
    for ((name, value), (_, trained)) in out.state_mut().into_iter().zip(state) {
        if names[..kept].iter().any(|layer| layer_of(&name) == layer) {
            *value = trained.clone();
        }
    }
    Ok(out)
}

/// Returns the names of the layers that have parameters, from the pixels on.
pub fn parametrised_layers(network: &Network<f32>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in network.state() {
        let layer = layer_of(&name);
        if !names.iter().any(|n| n == layer) {
            names.push(layer.to_owned());
        }
    }
    names
}

/// `conv2d_1` from `conv2d_1.weight`.
fn layer_of(tensor: &str) -> &str {
    tensor.split('.').next().unwrap_or(tensor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::architecture;

    #[test]
    fn randomised_draws_the_top_layers_anew_and_keeps_the_rest() {
        let network: Network<f32> = Network::new(architecture("fer-s").unwrap(), 1).unwrap();
        let layers = parametrised_layers(&network);
        assert_eq!(layers.first().map(String::as_str), Some("conv2d_1"));
        assert_eq!(layers.last().map(String::as_str), Some("linear_1"));
        let changed = |top: Option<usize>| -> Vec<String> {
            let other = randomised(&network, top, 2).unwrap();
            let pairs = network.state().into_iter().zip(other.state());
            let differs = pairs.filter(|((_, a), (_, b))| a.to_vec() != b.to_vec());
            differs.map(|((name, _), _)| layer_of(&name).to_owned()).collect()
        };
        assert!(changed(Some(0)).is_empty());
        assert_eq!(changed(Some(1)), ["linear_1"]);
        assert!(changed(None).contains(&"conv2d_1".to_owned()));
        assert!(!changed(Some(layers.len() - 1)).contains(&"conv2d_1".to_owned()));
    }
}
