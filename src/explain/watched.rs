//! A network that tells of every use, so that long explanations show progress and can be ended.

use crate::explain::{
    BackwardRule, Classifier, FeatureMaps, InputGradient, LayerGradient, LayerInfo, Normalization,
    Objective, ObjectiveGradient, Target,
};
use crate::{PIXELS, Result};

/// Passes that a gradient counts: forward once, and backward as two.
pub const GRADIENT_PASSES: usize = 3;

/// Observer of the uses of a network.
pub trait Watch {
    /// Is told before so many passes of one face each. An error ends the explanation.
    fn before(&self, passes: usize) -> Result<()>;
    /// Is told of the value of an objective on the faces of a gradient ascent.
    fn ascent(&self, _faces: &[f32], _found: &ObjectiveGradient) -> Result<()> {
        Ok(())
    }
}

/// A network that tells `watch` of every use.
pub struct Watched<'a, W> {
    network: &'a dyn Classifier,
    /// The observer.
    pub watch: W,
}

impl<'a, W: Watch> Watched<'a, W> {
    /// Wraps a network.
    pub fn new(network: &'a dyn Classifier, watch: W) -> Self {
        Watched { network, watch }
    }

    fn forward(&self, faces: &[f32]) -> Result<()> {
        self.watch.before(faces.len() / PIXELS)
    }

    fn gradient(&self, faces: &[f32]) -> Result<()> {
        self.watch.before(GRADIENT_PASSES * faces.len() / PIXELS)
    }
}

impl<W: Watch> Classifier for Watched<'_, W> {
    fn classes(&self) -> usize {
        self.network.classes()
    }
    fn logits(&self, faces: &[f32]) -> Result<Vec<f32>> {
        self.forward(faces)?;
        self.network.logits(faces)
    }
    fn probabilities(&self, logits: &[f32]) -> Vec<f32> {
        self.network.probabilities(logits)
    }
    fn input_gradient(
        &self,
        faces: &[f32],
        targets: &[Target],
        rule: BackwardRule,
    ) -> Result<InputGradient> {
        self.gradient(faces)?;
        self.network.input_gradient(faces, targets, rule)
    }
    fn layer_gradient(
        &self,
        layer: &str,
        faces: &[f32],
        targets: &[Target],
    ) -> Result<LayerGradient> {
        self.gradient(faces)?;
        self.network.layer_gradient(layer, faces, targets)
    }
    fn activations(&self, layer: &str, faces: &[f32]) -> Result<FeatureMaps> {
        self.forward(faces)?;
        self.network.activations(layer, faces)
    }
    fn objective_gradient(
        &self,
        objective: &Objective,
        faces: &[f32],
    ) -> Result<ObjectiveGradient> {
        self.gradient(faces)?;
        let found = self.network.objective_gradient(objective, faces)?;
        self.watch.ascent(faces, &found)?;
        Ok(found)
    }
    fn layers(&self) -> Vec<LayerInfo> {
        self.network.layers()
    }
    fn normalization(&self) -> Normalization {
        self.network.normalization()
    }
}
