//! Saliency of the same faces after every epoch, one face of each class.

use crate::dataset::augment::View;
use crate::explain::{AttributionOptions, FaceBatch, Method, NetworkClassifier, Target, attribute};
use crate::model::Network;
use crate::monitor::faces::{first_of_each_class, labels};
use crate::render::colormap::draw_map;
use crate::render::{Colormap, RgbImage, Scale};
use crate::stats::{argmax, softmax};
use crate::train::Trainer;
use crate::{PIXELS, Result, SIDE};

/// The faces that are explained after every epoch.
#[derive(Clone, Debug)]
pub struct MonitoredFaces {
    /// `[n, 48, 48]` in [0, 1].
    pixels: Vec<f32>,
    /// Mean training face: where the maps begin.
    mean_face: Vec<f32>,
    /// Their true classes.
    pub labels: Vec<usize>,
}

/// Saliency and prediction of one face.
#[derive(Clone, Debug)]
pub struct FaceSaliency {
    /// What each pixel adds to the logit of the true class, by the default method: red for, blue against.
    pub map: RgbImage,
    /// Largest magnitude of the map.
    pub max: f32,
    /// Predicted class.
    pub predicted: usize,
    /// Probability of the true class.
    pub probability: f32,
}

impl MonitoredFaces {
    /// Takes the first validation face of each class; `None` if the network does not take 48×48 pixels.
    pub fn new(trainer: &Trainer) -> Option<Self> {
        if trainer.network.spec.input != [1, SIDE, SIDE] {
            return None;
        }
        let data = &trainer.validation;
        let faces = first_of_each_class(data, 1);
        let pixels = View::PLAIN.batch(data, &faces, trainer.config.augment.equalize, SIDE);
        let mean_face = trainer.mean_face.clone();
        Some(MonitoredFaces { pixels, mean_face, labels: labels(data, &faces) })
    }

    /// Returns face i as a picture.
    pub fn picture(&self, i: usize) -> Result<RgbImage> {
        RgbImage::from_unit(&self.pixels[i * PIXELS..][..PIXELS], SIDE, SIDE)
    }

    /// Computes the maps, each clipped at the 99th percentile of its own magnitudes.
    pub fn saliency(&self, network: &Network<f32>) -> Result<Vec<FaceSaliency>> {
        let explained = NetworkClassifier::new(network)?;
        let targets: Vec<Target> = self.labels.iter().map(|&c| Target::True(c)).collect();
        let faces = FaceBatch::new(&explained, &self.pixels, &targets)?;
        let options = AttributionOptions::new(self.mean_face.clone(), 0)?;
        let maps = attribute(&faces, Method::DEFAULT, &options)?;
        let scale = Scale { clip: 1.0, max: 1.0 };
        let each = maps.iter().zip(&self.labels).enumerate();
        each.map(|(f, (map, &label))| {
            let row = faces.logits(f);
            let shown = map.signed_display(None);
            Ok(FaceSaliency {
                map: draw_map(&shown, SIDE, SIDE, Colormap::BlueRed, scale)?,
                max: map.raw_max,
                predicted: argmax(row),
                probability: softmax(row, 1.0)[label],
            })
        })
        .collect()
    }
}
