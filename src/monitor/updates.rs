//! How far one step moves each layer: the sign of a learning rate that is too high (above about
//! 0.01) or too low (below about 0.0001).

use crate::monitor::split_name;
use crate::tensor::Tensor;
use crate::train::Trainer;

/// Steps between two looks within an epoch: a training by minutes may end in the middle of one.
const EVERY: usize = 64;

/// Watches the last step of each epoch, and some before it.
#[derive(Debug, Default)]
pub struct Updates {
    /// The parameters after a step of this number.
    before: Option<(u64, Vec<Tensor>)>,
    /// Layer and ‖change‖₂ / ‖parameters‖₂.
    ratios: Vec<(String, f64)>,
}

impl Updates {
    /// Called after every step: remembers the parameters one step before each that is watched,
    /// and compares after that.
    pub fn step(&mut self, trainer: &Trainer) {
        let (progress, last) = (&trainer.progress, trainer.steps_per_epoch());
        let parameters = trainer.network.parameters();
        if watched(progress.step_in_epoch, last) {
            self.ratios = match self.before.take() {
                Some((step, before)) if step + 1 == progress.step => {
                    let change = |i: usize| difference(&parameters[i].value, &before[i]);
                    let size = |i: usize| squares(&parameters[i].value);
                    by_layer(parameters.iter().map(|p| p.name.as_str()), change, size)
                }
                _ => Vec::new(),
            };
        }
        if watched(progress.step_in_epoch % last + 1, last) {
            let values = parameters.iter().map(|p| p.value.clone()).collect(); // shared, not copied
            self.before = Some((progress.step, values));
        }
    }

    /// The ratio of a layer at the last step that was watched in this epoch; `None` if there was
    /// none, because the training was resumed or ended too near.
    pub fn ratio(&self, layer: &str) -> Option<f64> {
        self.ratios.iter().find(|(name, _)| name == layer).map(|(_, ratio)| *ratio)
    }

    /// Forgets the epoch.
    pub fn clear(&mut self) {
        self.ratios.clear();
    }
}

/// Whether the step of this number, from 1 to `last`, is watched.
fn watched(step: usize, last: usize) -> bool {
    step == last || step.is_multiple_of(EVERY)
}

/// √(Σ change / Σ size) of each layer, over its parameters.
fn by_layer<'a>(
    names: impl Iterator<Item = &'a str>,
    change: impl Fn(usize) -> f64,
    size: impl Fn(usize) -> f64,
) -> Vec<(String, f64)> {
    let mut layers: Vec<(String, f64, f64)> = Vec::new();
    for (i, name) in names.enumerate() {
        let layer = layer_of(name);
        if layers.last().is_none_or(|(last, ..)| last != layer) {
            layers.push((layer.into(), 0.0, 0.0));
        }
        if let Some((_, changes, sizes)) = layers.last_mut() {
            *changes += change(i);
            *sizes += size(i);
        }
    }
    let ratio = |(layer, change, size): (String, f64, f64)| {
        (layer, (change / size.max(f64::MIN_POSITIVE)).sqrt())
    };
    layers.into_iter().map(ratio).collect()
}

/// `squeeze_excite_1` of `squeeze_excite_1.excite.bias`.
fn layer_of(parameter: &str) -> &str {
    split_name(parameter).0.split('.').next().unwrap_or(parameter)
}

fn squares(t: &Tensor) -> f64 {
    t.as_slice().iter().map(|&v| f64::from(v).powi(2)).sum()
}

fn difference(a: &Tensor, b: &Tensor) -> f64 {
    let pairs = a.as_slice().iter().zip(b.as_slice());
    pairs.map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_that_ends_early_was_watched_before() {
        let steps: Vec<usize> = (1..=132).filter(|&step| watched(step, 214)).collect();
        assert_eq!(steps, [64, 128]);
        assert!(watched(214, 214) && watched(1, 1) && !watched(213, 214));
    }

    #[test]
    fn a_layer_is_measured_over_all_its_parameters() {
        let names = ["a.weight", "a.bias", "se.squeeze.weight", "se.excite.weight"];
        let change = [9.0, 16.0, 0.0, 1.0];
        let size = [60.0, 40.0, 3.0, 1.0];
        let found = by_layer(names.into_iter(), |i| change[i], |i| size[i]);
        assert_eq!(found, [("a".to_string(), 0.5), ("se".to_string(), 0.5)]);
    }
}
