//! Update ratios: how far one step moves each layer, relative to its size. Above about 0.01 the
//! learning rate is too high, below about 0.0001 it is too low.

use crate::monitor::probe::split_parameter_name;
use crate::tensor::Tensor;
use crate::train::Trainer;

/// Steps between two measurements within an epoch; a training by minutes may end inside an epoch.
const MEASURE_EVERY: usize = 64;

/// Measures the last step of each epoch, and some before it.
#[derive(Debug, Default)]
pub struct Updates {
    /// Number of a step, and the parameters after it.
    before: Option<(u64, Vec<Tensor>)>,
    /// Names of layers, with ‖change‖₂ / ‖parameters‖₂.
    ratios: Vec<(String, f64)>,
}

impl Updates {
    /// To be called after every step. Keeps the parameters before each measured step, and compares
    /// them with the parameters after it.
    pub fn step(&mut self, trainer: &Trainer) {
        let (progress, last) = (&trainer.progress, trainer.steps_per_epoch());
        let parameters = trainer.network.parameters();
        if is_measured(progress.step_in_epoch, last) {
            self.ratios = match self.before.take() {
                Some((step, before)) if step + 1 == progress.step => {
                    let change = |i: usize| difference(&parameters[i].value, &before[i]);
                    let size = |i: usize| squares(&parameters[i].value);
                    by_layer(parameters.iter().map(|p| p.name.as_str()), change, size)
                }
                _ => Vec::new(),
            };
        }
        if is_measured(progress.step_in_epoch % last + 1, last) {
            let values = parameters.iter().map(|p| p.value.clone()).collect(); // shared, not copied
            self.before = Some((progress.step, values));
        }
    }

    /// Returns the ratio of a layer at the last measured step of this epoch; `None` if none was
    /// measured, because the training was resumed or ended within a few steps.
    pub fn ratio(&self, layer: &str) -> Option<f64> {
        self.ratios.iter().find(|(name, _)| name == layer).map(|(_, ratio)| *ratio)
    }

    /// Forgets the measurements of the epoch.
    pub fn clear(&mut self) {
        self.ratios.clear();
    }
}

/// Whether step number `step`, from 1 to `last`, is measured.
fn is_measured(step: usize, last: usize) -> bool {
    step == last || step.is_multiple_of(MEASURE_EVERY)
}

/// Computes √(Σ change / Σ size) of each layer, over its parameters.
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

/// Returns the layer of a parameter: `squeeze_excite_1` of `squeeze_excite_1.excite.bias`.
fn layer_of(parameter: &str) -> &str {
    split_parameter_name(parameter).0.split('.').next().unwrap_or(parameter)
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
    fn an_epoch_that_ends_early_has_a_measured_step() {
        let steps: Vec<usize> = (1..=132).filter(|&step| is_measured(step, 214)).collect();
        assert_eq!(steps, [64, 128]);
        assert!(is_measured(214, 214) && is_measured(1, 1) && !is_measured(213, 214));
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
