//! Statistics of filters over the training faces, measured once and kept in the model file: where the
//! faces are not at hand, the numbers of the right kind of faces still are. No picture is kept.
//!
//! | table | columns |
//! |---|---|
//! | `faces` | mean of all pixels, mean contrast of a face |
//! | `classes` | measured faces of each class |
//! | `spectrum` | mean magnitude spectrum, `[48, 25]` |
//! | `filters/LAYER`, a row per filter | deviation, median, best value, highest cell, classes and regions of the 100 strongest faces |

use crate::explain::filters::activation_maximization::spectrum::{BINS, COLUMNS, Extension};
use crate::explain::filters::top_activations::{
    FilterMeter, FilterStatistics, LOGITS, TopCounts, filter_statistics, find_layer_or_logits,
};
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::regions::face_regions::REGIONS;
use crate::explain::{Classifier, LayerInfo, NetworkClassifier};
use crate::model::weights::stored_statistics::StoredStatistics;
use crate::{Error, PIXELS, Result};
use rayon::prelude::*;
use std::borrow::Cow;

/// Faces whose outputs of all layers are in memory at once.
const FACES: usize = 32;

/// Columns of a table of filters before the counts: deviation, median, best value, highest cell.
const NUMBERS: usize = 4;

/// Measures all layers on the training faces, in one forward pass per face. `progress` receives the
/// number of faces done since the last call.
///
/// # Errors
/// Those of the network.
pub fn measure_statistics(
    model: &NetworkClassifier<'_>,
    training: &TrainingFaces<'_>,
    progress: &mut dyn FnMut(usize),
) -> Result<StoredStatistics> {
    let classes = model.classes();
    let mut stored = StoredStatistics::default();
    let count = |class| training.labels.iter().filter(|&&l| l == class).count() as f32;
    stored.put("faces", 2, vec![training.mean as f32, training.contrast as f32]);
    stored.put("classes", classes, (0..classes).map(count).collect());
    stored.put("spectrum", COLUMNS, training.magnitude.clone());
    let mut layers = model.layers();
    layers.push(find_layer_or_logits(model, LOGITS)?);
    let mut meters = Vec::with_capacity(layers.len());
    for layer in &layers {
        let all: Vec<usize> = (0..layer.output[0]).collect();
        meters.push(FilterMeter::new(model, layer, &all));
    }
    for faces in training.faces.chunks(FACES * PIXELS) {
        let outputs = model.all_outputs(faces)?;
        meters.par_iter_mut().zip(&layers).for_each(|(meter, layer)| {
            if let Some(maps) = outputs.get(&layer.name) {
                meter.add(maps);
            }
        });
        progress(faces.len() / PIXELS);
    }
    for (meter, layer) in meters.into_iter().zip(&layers) {
        let row = |s: &FilterStatistics| {
            let counts = s.counts(layer, &training.labels, classes);
            let numbers = [s.sd as f32, s.median as f32, s.best, s.highest];
            let counts = counts.classes.into_iter().chain(counts.regions).map(|n| n as f32);
            numbers.into_iter().chain(counts).collect::<Vec<f32>>()
        };
        let values = meter.finish().iter().flat_map(row).collect();
        stored.put(&table(&layer.name), NUMBERS + classes + REGIONS, values);
    }
    Ok(stored)
}

fn table(layer: &str) -> String {
    format!("filters/{layer}")
}

impl<'a> TrainingFaces<'a> {
    /// Returns the statistics that a model file holds, without faces; `None` if it lacks a part.
    pub fn of_stored(
        stored: &'a StoredStatistics,
        classes: usize,
        mean_face: Vec<f32>,
    ) -> Option<Self> {
        let faces = stored.rows("faces", 2)?.next()?;
        let spectrum = stored.rows("spectrum", COLUMNS)?;
        let magnitude: Vec<f32> = spectrum.flatten().copied().collect();
        let counts = stored.rows("classes", classes)?.next()?;
        let labels = counts.iter().enumerate();
        let labels = labels.flat_map(|(class, &n)| std::iter::repeat_n(class, n.max(0.0) as usize));
        (magnitude.len() == BINS).then_some(TrainingFaces {
            faces: &[],
            labels: Cow::Owned(labels.collect()),
            magnitude,
            mean: faces[0].into(),
            contrast: faces[1].into(),
            mean_face,
            stored: Some(stored),
        })
    }

    /// Returns the statistics of filters of a layer: measured on the faces, or those of the model file.
    ///
    /// # Errors
    /// Those of the network; [`Error::Usage`] if the model file does not hold the layer.
    pub fn filter_statistics(
        &self,
        model: &dyn Classifier,
        layer: &LayerInfo,
        filters: &[usize],
    ) -> Result<Vec<FilterStatistics>> {
        let Some(stored) = self.stored else {
            return filter_statistics(model, layer, filters, self.faces);
        };
        let classes = model.classes();
        let missing = || {
            Error::Usage(format!(
                "the network's file holds no statistics of {}; name faces with --data",
                layer.name
            ))
        };
        let rows = stored.rows(&table(&layer.name), NUMBERS + classes + REGIONS);
        let rows: Vec<&[f32]> = rows.ok_or_else(missing)?.collect();
        let counts = |values: &[f32]| values.iter().map(|&n| n.max(0.0) as usize).collect();
        let of = |&filter: &usize| {
            let row = rows.get(filter).ok_or_else(missing)?;
            let (numbers, of_top) = row.split_at(NUMBERS);
            let (classes, regions) = of_top.split_at(classes);
            Ok(FilterStatistics {
                filter,
                values: vec![],
                sd: numbers[0].into(),
                median: numbers[1].into(),
                best: numbers[2],
                highest: numbers[3],
                top: vec![],
                counts: Some(TopCounts { classes: counts(classes), regions: counts(regions) }),
            })
        };
        filters.iter().map(of).collect()
    }
}

/// The treatment of the edges that the stored spectrum was measured with.
pub const STORED_EDGES: Extension = Extension::Hann;
