//! A face with its label and the prediction of the network.

use crate::explain::Classifier;
use crate::explain::batch::{face, logits_of};
use crate::render::RgbImage;
use crate::render::panel::{Line, Tone};
use crate::stats::argmax;
use crate::{Result, SIDE};

/// A face with its label and its predicted class.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedFace {
    /// Pixels, `[48, 48]` in \[0,1\].
    pub pixels: Vec<f32>,
    /// Label, if known.
    pub label: Option<usize>,
    /// Where the face came from: `train.csv:17`, `me.png`.
    pub origin: String,
    /// Most probable class.
    pub predicted: usize,
    /// Its probability.
    pub probability: f32,
}

impl PredictedFace {
    /// Predicts faces `[n, 48, 48]` with their labels and origins.
    pub fn predict(
        model: &dyn Classifier,
        faces: &[f32],
        labels: &[Option<usize>],
        origins: &[String],
    ) -> Result<Vec<PredictedFace>> {
        let draw = |i: usize, out: &mut [f32]| out.copy_from_slice(face(faces, i));
        let logits = logits_of(model, labels.len(), draw)?;
        let predicted_face = |(i, row): (usize, &[f32])| {
            let predicted = argmax(row);
            PredictedFace {
                pixels: face(faces, i).to_vec(),
                label: labels[i],
                origin: origins[i].clone(),
                predicted,
                probability: model.probabilities(row)[predicted],
            }
        };
        Ok(logits.chunks_exact(model.classes()).enumerate().map(predicted_face).collect())
    }

    /// Returns the face as an image.
    ///
    /// # Errors
    /// `Shape` if the face is not 48×48.
    pub fn picture(&self) -> Result<RgbImage> {
        RgbImage::from_unit(&self.pixels, SIDE, SIDE)
    }

    /// Returns the header of a row: label, predicted class with probability, origin.
    pub fn header(&self, names: &[&str]) -> Vec<Line> {
        let predicted = name(names, self.predicted);
        let probability = f64::from(self.probability);
        let mut lines = match self.label {
            Some(c) => vec![
                Line::new(name(names, c), Tone::Strong),
                Line::verdict(predicted, probability, c == self.predicted),
            ],
            None => {
                let percent = crate::render::format::percent(probability);
                vec![Line::new(format!("{predicted} {percent}"), Tone::Strong)]
            }
        };
        lines.push(Line::new(self.origin.as_str(), Tone::Muted));
        lines
    }
}

/// Returns the name of a class, `?` if it has none.
pub fn name<'a>(names: &[&'a str], class: usize) -> &'a str {
    names.get(class).copied().unwrap_or("?")
}
