//! The probe batch: a few validation faces that pass forward and backward through the network after
//! an epoch, to measure weights, gradients and activations.
//!
//! The pass is in evaluation mode, so that two epochs differ only by the weights. It changes nothing
//! of the training.

use crate::Result;
use crate::autograd::{Gradients, Var};
use crate::dataset::augment::View;
use crate::model::Network;
use crate::model::predictions::batch_tensor;
use crate::monitor::faces::{first_of_each_class, labels};
use crate::monitor::tensorboard::summary::histogram::Histogram;
use crate::nn::{ActivationFunction, Layer, Mode, Parameter, Pass, Role};
use crate::ops::{CrossEntropyOptions, Targets, cross_entropy};
use crate::optim::gradient_norm;
use crate::tensor::Tensor;
use crate::train::Trainer;
use fer_kernels::Layout;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Faces of each class in the batch.
const FACES_A_CLASS: usize = 3;

/// Largest number of values of a layer's output in its histogram: every k-th value.
const MOST_ACTIVATIONS: usize = 100_000;

/// A fixed batch of validation faces.
#[derive(Clone, Debug)]
pub struct Probe {
    pixels: Tensor,
    labels: Vec<usize>,
}

/// Norms of a layer after an epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerHealth {
    /// Its name.
    pub layer: String,
    /// ‖gradient‖₂ over all its parameters; `None` where it has none.
    pub grad_norm: Option<f64>,
    /// ‖parameters‖₂.
    pub weight_norm: Option<f64>,
    /// ‖change of the parameters in one step near the end of the epoch‖₂ / ‖parameters‖₂, if measured.
    pub update_ratio: Option<f64>,
    /// Share of the channels that are 0 on the whole probe batch; for rectifiers.
    pub dead_share: Option<f64>,
}

/// Histograms of a parameter and its gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightHistograms {
    /// Its layer.
    pub layer: String,
    /// `kernel`, `bias`, `gamma` or `beta`.
    pub weight: &'static str,
    /// Its values.
    pub values: Histogram,
    /// Its gradient.
    pub gradient: Histogram,
}

/// The result of the probe.
#[derive(Clone, Debug, Default)]
pub struct ProbeResult {
    /// Layers with parameters, and rectifiers, in the order of the network.
    pub layers: Vec<LayerHealth>,
    /// Histograms of the parameters; empty if not requested.
    pub weights: Vec<WeightHistograms>,
    /// Histograms of the layers' outputs on the batch; empty if not requested.
    pub activations: Vec<(String, Histogram)>,
}

impl Probe {
    /// Takes the first validation faces of each class.
    pub fn new(trainer: &Trainer) -> Self {
        let data = &trainer.validation;
        let faces = first_of_each_class(data, FACES_A_CLASS);
        let side = trainer.network.spec.input[1];
        let pixels = batch_tensor(data, &faces, View::PLAIN, trainer.config.augment.equalize, side);
        Probe { pixels, labels: labels(data, &faces) }
    }

    /// Runs the batch forward and backward, and measures.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] if the network does not take faces of this size.
    pub fn measure(&self, network: &Network<f32>, histograms: bool) -> Result<ProbeResult> {
        let mut pass = Pass::new(Mode::Eval, true);
        pass.watch_all();
        let logits = network.forward(&mut pass, &Var::constant(self.pixels.clone()))?;
        let targets = Targets::Labels(self.labels.clone());
        let options = CrossEntropyOptions { label_smoothing: 0.0, class_weights: None };
        let loss = cross_entropy(&mut pass.tape, &logits, &targets, &options)?;
        let gradients = pass.tape.backward(&loss)?;
        let parameters = network.parameters();
        let mut result =
            ProbeResult { layers: health(network, &pass, &gradients)?, ..ProbeResult::default() };
        if histograms {
            let none: &[f32] = &[];
            let of = |p: &&Parameter| weight_histograms(p, gradient(&pass, &gradients, p, none));
            result.weights = parameters.iter().map(of).collect();
            let outputs: Vec<(&String, &[f32])> =
                pass.outputs().iter().map(|(name, y)| (name, y.value().as_slice())).collect();
            let histogram =
                |(name, y): &(&String, &[f32])| ((*name).clone(), Histogram::new(&sample(y)));
            result.activations = outputs.par_iter().map(histogram).collect();
        }
        Ok(result)
    }
}

/// Returns every k-th value. k is odd, so that it does not select the same channels again and again.
fn sample(values: &[f32]) -> Vec<f32> {
    let step = match values.len().div_ceil(MOST_ACTIVATIONS) {
        0 | 1 => 1,
        step => step | 1,
    };
    values.iter().step_by(step).copied().collect()
}

fn gradient<'a>(
    pass: &Pass,
    gradients: &'a Gradients,
    p: &Parameter,
    none: &'a [f32],
) -> &'a [f32] {
    pass.gradient(gradients, p).map_or(none, Tensor::as_slice)
}

fn weight_histograms(p: &Parameter, gradient: &[f32]) -> WeightHistograms {
    WeightHistograms {
        layer: split_parameter_name(&p.name).0.into(),
        weight: keras_name(p.role),
        values: Histogram::new(p.value.as_slice()),
        gradient: Histogram::new(gradient),
    }
}

/// Splits the name of a parameter: `conv2d_1` and `weight` of `conv2d_1.weight`.
pub(crate) fn split_parameter_name(parameter: &str) -> (&str, &str) {
    parameter.rsplit_once('.').unwrap_or((parameter, ""))
}

/// The name of a parameter in Keras.
fn keras_name(role: Role) -> &'static str {
    match role {
        Role::Weight => "kernel",
        Role::Bias => "bias",
        Role::Gamma => "gamma",
        Role::Beta => "beta",
    }
}

/// Measures the norms of each layer with parameters and the dead share of each rectifier.
fn health(network: &Network<f32>, pass: &Pass, gradients: &Gradients) -> Result<Vec<LayerHealth>> {
    let mut layers = Vec::new();
    for (layer, _) in network.walk()? {
        let mut parameters = Vec::new();
        if layer.children().is_empty() {
            layer.parameters(&mut parameters); // the parameters of a block belong to its children
        }
        let dead_share = match layer {
            Layer::Activation(l) if l.function == ActivationFunction::Relu => {
                pass.output(&l.name).map(|y| dead_share(y.value()))
            }
            _ => None,
        };
        if parameters.is_empty() && dead_share.is_none() {
            continue;
        }
        let norm = |norm: f64| (!parameters.is_empty()).then_some(norm);
        layers.push(LayerHealth {
            layer: layer.name().into(),
            grad_norm: norm(gradient_norm(
                parameters.iter().filter_map(|p| pass.gradient(gradients, p)),
            )),
            weight_norm: norm(gradient_norm(parameters.iter().map(|p| &p.value))),
            update_ratio: None,
            dead_share,
        });
    }
    Ok(layers)
}

/// Returns the share of the channels that are 0 everywhere, in [0, 1].
fn dead_share(y: &Tensor) -> f64 {
    let shape = y.shape();
    let (channels, cells) = (shape[1], shape[2..].iter().product::<usize>());
    let mut alive = vec![false; channels];
    match y.layout() {
        Layout::Nhwc => {
            for row in y.as_slice().chunks_exact(channels) {
                alive.iter_mut().zip(row).for_each(|(alive, &v)| *alive |= v != 0.0);
            }
        }
        Layout::Nchw => {
            for (i, map) in y.as_slice().chunks_exact(cells).enumerate() {
                alive[i % channels] |= map.iter().any(|&v| v != 0.0);
            }
        }
    }
    alive.iter().filter(|a| !**a).count() as f64 / channels.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_channels_are_counted_in_both_layouts() {
        // Two faces, three channels of 1×2 cells; only channel 1 is 0 in both.
        let values = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0];
        let rows = Tensor::from_slice(&values, &[2, 3, 1, 2]).unwrap();
        assert_eq!(dead_share(&rows), 1.0 / 3.0);
        assert_eq!(dead_share(&rows.to_layout(Layout::Nhwc)), 1.0 / 3.0);
    }
}
