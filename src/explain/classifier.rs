//! The trait through which explanations use a network, and the results of its questions.

use crate::explain::layers::{FeatureMaps, LayerInfo};
use crate::explain::objective::Objective;
use crate::explain::target::Target;
use crate::stats::softmax;
use crate::{PIXELS, Result};

/// How a ReLU passes gradients on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackwardRule {
    /// By its derivative.
    #[default]
    Standard,
    /// Guided backpropagation (Springenberg et al. 2014): it blocks negative gradients too.
    Guided,
}

/// Scores of n faces and their gradient.
#[derive(Clone, Debug, Default)]
pub struct InputGradient {
    /// Target score of each face, `[n]`.
    pub scores: Vec<f32>,
    /// Logits, `[n, classes]`.
    pub logits: Vec<f32>,
    /// d score / d pixel, pixel in \[0,1\], `[n, 48, 48]`.
    pub gradient: Vec<f32>,
}

/// Feature maps of a layer with the gradient of the target with respect to them.
#[derive(Clone, Debug, Default)]
pub struct LayerGradient {
    /// The layer's output.
    pub maps: FeatureMaps,
    /// d score / d map, laid out as `maps.data`.
    pub gradient: Vec<f32>,
    /// Target score of each face.
    pub scores: Vec<f32>,
    /// Logits, `[n, classes]`.
    pub logits: Vec<f32>,
}

/// Standardisation of a pixel x in \[0,1\]: z = (x − mean)/std.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    /// Mean pixel.
    pub mean: f32,
    /// Standard deviation.
    pub std: f32,
}

/// Values of an objective and their gradient with respect to the pixels.
#[derive(Clone, Debug, Default)]
pub struct ObjectiveGradient {
    /// Value for each face.
    pub values: Vec<f32>,
    /// d value / d pixel, `[n, 48, 48]`.
    pub gradient: Vec<f32>,
}

/// A network in evaluation mode, as explanations use it.
///
/// There is no training mode: batch normalisation would couple the faces of a batch, and the
/// gradient of one face would depend on the others. Faces are `[n, 48, 48]` in \[0,1\], row-major.
/// An implementation may assume that there is one target per face and that classes are in range:
/// [`FaceBatch`](crate::explain::FaceBatch) checks both.
pub trait Classifier {
    /// Number of classes.
    fn classes(&self) -> usize;
    /// Returns the logits, `[n, classes]`.
    fn logits(&self, faces: &[f32]) -> Result<Vec<f32>>;
    /// Returns the (calibrated) probabilities of one face's logits.
    fn probabilities(&self, logits: &[f32]) -> Vec<f32> {
        softmax(logits, 1.0)
    }
    /// Returns the gradient of each face's target with respect to its pixels.
    fn input_gradient(
        &self,
        faces: &[f32],
        targets: &[Target],
        rule: BackwardRule,
    ) -> Result<InputGradient>;
    /// Returns the feature maps of a layer, and the gradient of the target with respect to them.
    fn layer_gradient(
        &self,
        layer: &str,
        faces: &[f32],
        targets: &[Target],
    ) -> Result<LayerGradient>;
    /// Returns the feature maps of a layer.
    fn activations(&self, layer: &str, faces: &[f32]) -> Result<FeatureMaps>;
    /// Returns the value of an objective and its gradient with respect to the pixels. The forward
    /// pass stops at the objective's layer; the backward pass starts from
    /// [`Objective::map_gradient`].
    fn objective_gradient(&self, objective: &Objective, faces: &[f32])
    -> Result<ObjectiveGradient>;
    /// Returns the layers, from the pixels on.
    fn layers(&self) -> Vec<LayerInfo>;
    /// Returns the standardisation of the pixels.
    fn normalization(&self) -> Normalization;
    /// Returns the logits as feature maps of 1×1 cells.
    fn logit_maps(&self, faces: &[f32]) -> Result<FeatureMaps> {
        let (n, c) = (faces.len() / PIXELS, self.classes());
        Ok(FeatureMaps { n, c, h: 1, w: 1, data: self.logits(faces)? })
    }
}
