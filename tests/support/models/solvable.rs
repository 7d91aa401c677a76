//! Models small enough to be solved by hand.

use crate::support::models::{CLASSES, layer, normals};
use fer::explain::{
    BackwardRule, Classifier, FeatureMaps, InputGradient, LayerGradient, LayerInfo, LayerKind,
    Normalization, Objective, ObjectiveGradient, Target,
};
use fer::{PIXELS, Result};

/// S_c = b_c + Σ_p w_cp·x_p + ½·Σ_p q_cp·x_p²: linear for q = 0.
pub struct Polynomial {
    pub bias: Vec<f32>,
    pub linear: Vec<f32>,
    pub square: Vec<f32>,
}

impl Polynomial {
    pub fn linear() -> Self {
        Polynomial {
            bias: vec![0.3, -0.2, 0.1],
            linear: normals(1, CLASSES * PIXELS, 0.05),
            square: vec![0.0; CLASSES * PIXELS],
        }
    }
    pub fn quadratic() -> Self {
        Polynomial { square: normals(2, CLASSES * PIXELS, 0.05), ..Polynomial::linear() }
    }
}

impl Classifier for Polynomial {
    fn classes(&self) -> usize {
        CLASSES
    }
    fn logits(&self, faces: &[f32]) -> Result<Vec<f32>> {
        let score = |x: &[f32], c: usize| {
            let term = |p: usize| {
                let (w, q) = (self.linear[c * PIXELS + p], self.square[c * PIXELS + p]);
                f64::from(w * x[p]) + 0.5 * f64::from(q * x[p] * x[p])
            };
            (f64::from(self.bias[c]) + (0..PIXELS).map(term).sum::<f64>()) as f32
        };
        let row = |x| (0..CLASSES).map(move |c| score(x, c));
        Ok(faces.chunks_exact(PIXELS).flat_map(row).collect())
    }
    fn input_gradient(
        &self,
        faces: &[f32],
        targets: &[Target],
        _rule: BackwardRule,
    ) -> Result<InputGradient> {
        let logits = self.logits(faces)?;
        let mut found = InputGradient { logits: logits.clone(), ..Default::default() };
        let rows = logits.chunks_exact(CLASSES);
        for ((x, target), row) in faces.chunks_exact(PIXELS).zip(targets).zip(rows) {
            found.scores.push(target.score(row));
            let seed = target.logit_gradient(row);
            found.gradient.extend((0..PIXELS).map(|p| {
                let slope =
                    |c: usize| self.linear[c * PIXELS + p] + self.square[c * PIXELS + p] * x[p];
                (0..CLASSES).map(|c| seed[c] * slope(c)).sum::<f32>()
            }));
        }
        Ok(found)
    }
    fn layer_gradient(&self, _: &str, _: &[f32], _: &[Target]) -> Result<LayerGradient> {
        Ok(LayerGradient::default())
    }
    fn activations(&self, _: &str, _: &[f32]) -> Result<FeatureMaps> {
        Ok(FeatureMaps::default())
    }
    fn objective_gradient(&self, _: &Objective, _: &[f32]) -> Result<ObjectiveGradient> {
        Ok(ObjectiveGradient::default())
    }
    fn layers(&self) -> Vec<LayerInfo> {
        vec![layer("dense", LayerKind::Linear, [CLASSES, 1, 1], None)]
    }
    fn normalization(&self) -> Normalization {
        Normalization { mean: 0.5, std: 0.25 }
    }
}

/// A model that answers with the maps and gradients it was given; its probability of class 0 is
/// a function of the mean pixel.
pub struct Canned {
    pub maps: FeatureMaps,
    pub gradient: Vec<f32>,
}

impl Classifier for Canned {
    fn classes(&self) -> usize {
        2
    }
    /// Logits (4·mean, 0).
    fn logits(&self, faces: &[f32]) -> Result<Vec<f32>> {
        let mean = |x: &[f32]| x.iter().sum::<f32>() / PIXELS as f32;
        Ok(faces.chunks_exact(PIXELS).flat_map(|x| [4.0 * mean(x), 0.0]).collect())
    }
    fn input_gradient(
        &self,
        faces: &[f32],
        _: &[Target],
        _: BackwardRule,
    ) -> Result<InputGradient> {
        Ok(InputGradient { gradient: vec![0.0; faces.len()], ..Default::default() })
    }
    fn layer_gradient(&self, _: &str, _: &[f32], _: &[Target]) -> Result<LayerGradient> {
        let (maps, gradient) = (self.maps.clone(), self.gradient.clone());
        Ok(LayerGradient { maps, gradient, ..Default::default() })
    }
    fn activations(&self, _: &str, _: &[f32]) -> Result<FeatureMaps> {
        Ok(self.maps.clone())
    }
    fn objective_gradient(&self, _: &Objective, _: &[f32]) -> Result<ObjectiveGradient> {
        Ok(ObjectiveGradient::default())
    }
    fn layers(&self) -> Vec<LayerInfo> {
        let [c, h, w] = [self.maps.c, self.maps.h, self.maps.w];
        vec![
            layer("activation_1", LayerKind::Relu, [c, h, w], None),
            layer("dense", LayerKind::Linear, [2, 1, 1], Some("activation_1")),
        ]
    }
    fn normalization(&self) -> Normalization {
        Normalization { mean: 0.5, std: 0.25 }
    }
}
