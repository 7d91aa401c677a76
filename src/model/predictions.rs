//! Predictions: the class probabilities that a network gives a set of faces.

use crate::autograd::Var;
use crate::dataset::Dataset;
use crate::dataset::augment::View;
use crate::limits::MAX_PREDICTION_VALUES;
use crate::model::{Inference, Network};
use crate::nn::Pass;
use crate::stats::argmax;
use crate::tensor::{Shape, Tensor};
use crate::{Error, Result};
use fer_kernels::{Layout, softmax};
use std::path::Path;

/// Most faces per forward pass: enough to keep the kernels busy.
const BATCH: usize = 128;

/// Returns the number of faces per forward pass: fewer where the outputs of the layers are large.
pub(crate) fn prediction_batch(network: &Network<f32>) -> usize {
    let layers = network.walk().unwrap_or_default();
    let largest = layers.iter().map(|(_, input)| input.iter().product()).max().unwrap_or(1);
    (MAX_PREDICTION_VALUES / usize::max(largest, 1)).clamp(1, BATCH)
}

/// Class probabilities of a set of faces.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// Number of classes.
    pub classes: usize,
    /// `[n, classes]`, each row sums to 1.
    pub probabilities: Vec<f32>,
}

impl Predictions {
    /// Returns the probabilities of face i.
    pub fn of(&self, i: usize) -> &[f32] {
        &self.probabilities[i * self.classes..][..self.classes]
    }

    /// Returns the number of faces.
    pub fn len(&self) -> usize {
        self.probabilities.len() / self.classes.max(1)
    }

    /// Returns whether there are no faces.
    pub fn is_empty(&self) -> bool {
        self.probabilities.is_empty()
    }

    /// Returns the most probable class of face i.
    pub fn class(&self, i: usize) -> usize {
        argmax(self.of(i))
    }

    /// Returns the mean cross-entropy in nats and the accuracy over the labelled faces of `data`.
    pub fn loss_and_accuracy(&self, data: &Dataset) -> (f64, f64) {
        let (mut loss, mut correct, mut n) = (0.0, 0, 0);
        for i in 0..data.len() {
            if let Some(label) = data.label(i).map(usize::from) {
                let p = f64::from(self.of(i)[label]);
                // `max` alone would hide the NaN of a diverged network.
                loss -= if p.is_nan() { p } else { p.max(f64::from(f32::MIN_POSITIVE)).ln() };
                correct += usize::from(self.class(i) == label);
                n += 1;
            }
        }
        let n = f64::from(n.max(1));
        (loss / n, correct as f64 / n)
    }

    /// Returns the predictions if all probabilities are finite.
    ///
    /// # Errors
    /// [`Error::Model`] that names `model`, which made the predictions.
    pub fn require_finite(self, model: &Path) -> Result<Predictions> {
        let Some(at) = self.probabilities.iter().position(|p| !p.is_finite()) else {
            return Ok(self);
        };
        let face = at / self.classes.max(1);
        let message = format!(
            "predicts {} for face {face}: its sums overflow, as after a training that diverged; use \
             another checkpoint, or train again with a lower --lr",
            self.probabilities[at]
        );
        Err(Error::model(model, message))
    }

    /// Returns the predictions at temperature τ: qᶜ = pᶜ^(1/τ) / Σₖ pₖ^(1/τ), which is the softmax of
    /// logits/τ. Above 1 the confidence falls; the most probable class does not change.
    #[must_use]
    pub fn tempered(mut self, temperature: f64) -> Predictions {
        if temperature == 1.0 {
            return self;
        }
        for row in self.probabilities.chunks_mut(self.classes.max(1)) {
            let raised: Vec<f64> =
                row.iter().map(|&p| f64::from(p).powf(1.0 / temperature)).collect();
            let sum: f64 = raised.iter().sum();
            row.iter_mut().zip(&raised).for_each(|(p, r)| *p = (r / sum) as f32);
        }
        self
    }

    /// Returns ln p, which can be used in place of logits. A probability of 0 counts as the smallest
    /// positive number.
    pub fn log_probabilities(&self) -> Vec<f32> {
        self.probabilities.iter().map(|p| p.max(f32::MIN_POSITIVE).ln()).collect()
    }

    /// Returns the mean of several predictions; `None` without any.
    pub fn mean(all: &[Predictions]) -> Option<Predictions> {
        let mut sum = all.first()?.clone();
        for p in &all[1..] {
            sum.probabilities.iter_mut().zip(&p.probabilities).for_each(|(s, &p)| *s += p);
        }
        sum.probabilities.iter_mut().for_each(|s| *s /= all.len() as f32);
        Some(sum)
    }
}

/// Returns the class probabilities, averaged over `views` of each face: one plain view, or
/// [`View::tta`] for test-time augmentation. `progress` is called with the faces done so far.
///
/// # Errors
/// [`Error::Shape`] if the network does not take faces.
pub fn predict(
    network: &Network<f32>,
    data: &Dataset,
    views: &[View],
    equalize: bool,
    mut progress: impl FnMut(usize),
) -> Result<Predictions> {
    let classes = network.spec.classes.len();
    let side = network.spec.input[1];
    let mut probabilities = vec![0.0; data.len() * classes];
    let all: Vec<usize> = (0..data.len()).collect();
    let (inference, batch) = (Inference::new(network), prediction_batch(network));
    for (faces, out) in all.chunks(batch).zip(probabilities.chunks_mut(batch * classes)) {
        let mut p = vec![0.0; out.len()];
        for view in views {
            let logits = inference.logits(&batch_tensor(data, faces, *view, equalize, side))?;
            softmax::softmax(classes, logits.as_slice(), &mut p);
            out.iter_mut().zip(&p).for_each(|(o, &p)| *o += p / views.len() as f32);
        }
        progress(faces.last().map_or(0, |&i| i + 1));
    }
    Ok(Predictions { classes, probabilities })
}

/// Returns the features of each face, `[n, d]`: the input of the last layer. `None` for a network of a
/// single layer.
pub fn features(
    network: &Network<f32>,
    data: &Dataset,
    equalize: bool,
) -> Result<Option<Vec<f32>>> {
    Ok(features_and_classes(network, data, equalize)?.map(|(features, _)| features))
}

/// Returns the features of each face as [`features`] does, and the predicted class.
pub fn features_and_classes(
    network: &Network<f32>,
    data: &Dataset,
    equalize: bool,
) -> Result<Option<(Vec<f32>, Vec<usize>)>> {
    let [.., penultimate, last] = network.layers() else { return Ok(None) };
    let side = network.spec.input[1];
    let (mut features, mut classes) = (Vec::new(), Vec::new());
    for faces in (0..data.len()).collect::<Vec<_>>().chunks(prediction_batch(network)) {
        let mut pass = Pass::eval();
        pass.watch(&[penultimate.name()]);
        let x = Var::constant(batch_tensor(data, faces, View::PLAIN, equalize, side));
        network.forward_to_watched(&mut pass, &x)?;
        let Some(output) = pass.output(penultimate.name()).cloned() else { return Ok(None) };
        let logits = last.forward(&mut pass, &output)?.into_value();
        features.extend(output.value().to_vec());
        classes.extend(logits.to_vec().chunks_exact(network.spec.classes.len()).map(argmax));
    }
    Ok(Some((features, classes)))
}

/// Returns a view of some faces as a batch, `[n, 1, side, side]` in [0, 1].
pub(crate) fn batch_tensor(
    data: &Dataset,
    faces: &[usize],
    view: View,
    equalize: bool,
    side: usize,
) -> Tensor {
    let shape = Shape::new(&[faces.len(), 1, side, side]);
    Tensor::build(shape, Layout::Nchw, |x| view.fill_batch(data, faces, equalize, side, x))
}
