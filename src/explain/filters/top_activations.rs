//! The training faces that activate a filter most, and the statistics of its activation.

use crate::explain::batch::BATCH;
use crate::explain::layers::{find_layer, previous_block};
use crate::explain::regions::face_regions::{REGIONS, Template};
use crate::explain::{Classifier, FeatureMaps, LayerInfo, LayerKind, Objective, ReceptiveField};
use crate::stats::{mean_sd, median};
use crate::{PIXELS, Result, SIDE};

/// Name that stands for the class logits where a layer is expected.
pub const LOGITS: &str = "logits";

/// The cell of one face where a filter is activated most.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct TopActivation {
    /// Activation there.
    pub value: f32,
    /// Index of the face.
    pub face: usize,
    /// Cell of the layer: row.
    pub row: usize,
    /// Cell of the layer: column.
    pub column: usize,
}

/// Statistics of one filter over the training faces.
#[derive(Clone, Debug)]
pub struct FilterStatistics {
    /// The filter.
    pub filter: usize,
    /// The objective ([`filter_objective`]) on every face; empty where a model file gave the rest.
    pub values: Vec<f32>,
    /// Standard deviation of `values`.
    pub sd: f64,
    /// Median of `values`.
    pub median: f64,
    /// Largest of `values`.
    pub best: f32,
    /// Largest activation of any cell on any face, border cells included.
    pub highest: f32,
    /// The strongest activations, at most one per face, strongest first; up to [`TOP_KEPT`].
    pub top: Vec<TopActivation>,
    /// Classes and regions of the strongest activations, where a model file gave them instead of `top`.
    pub counts: Option<TopCounts>,
}

/// Counts of classes and of regions of the face among the strongest activations of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopCounts {
    /// Faces of each class.
    pub classes: Vec<usize>,
    /// Cells with their centre in each region; zeros for a layer without a map.
    pub regions: Vec<usize>,
}

/// Number of strongest activations kept for each filter.
pub const TOP_KEPT: usize = 100;
/// Number of strongest activations shown.
pub const TOP_SHOWN: usize = 9;

impl FilterStatistics {
    /// Counts classes and regions of the strongest activations.
    pub fn counts(&self, layer: &LayerInfo, labels: &[usize], classes: usize) -> TopCounts {
        TopCounts { classes: self.classes(labels, classes), regions: self.regions(layer) }
    }

    /// Counts the regions in which the strongest cells have their centre; zeros for a layer without a map.
    pub fn regions(&self, layer: &LayerInfo) -> Vec<usize> {
        if let Some(counts) = &self.counts {
            return counts.regions.clone();
        }
        let (template, field) = (Template::fixed(), layer.receptive_field);
        let pixel = |cell: usize| {
            let centre = field.start + cell as f64 * field.jump;
            centre.round().clamp(0.0, (SIDE - 1) as f64) as usize
        };
        let mut counts = vec![0; REGIONS];
        for top in self.top.iter().filter(|_| layer.has_map()) {
            let region = template.regions[pixel(top.row) * SIDE + pixel(top.column)];
            counts[region as usize] += 1;
        }
        counts
    }

    /// Counts the classes of the strongest faces.
    pub fn classes(&self, labels: &[usize], classes: usize) -> Vec<usize> {
        if let Some(counts) = &self.counts {
            return counts.classes.clone();
        }
        let mut counts = vec![0; classes];
        for label in self.top.iter().filter_map(|p| labels.get(p.face)).filter(|&&c| c < classes) {
            counts[*label] += 1;
        }
        counts
    }

    /// Returns the class that is over-represented most among the strongest faces; `None` unless it
    /// has at least five of them and exceeds its expected count by two standard deviations.
    pub fn main_class(&self, labels: &[usize], classes: usize) -> Option<MainClass> {
        let counts = self.classes(labels, classes);
        let total: usize = counts.iter().sum();
        let of = |class: usize| {
            let share = labels.iter().filter(|&&l| l == class).count() as f64 / labels.len() as f64;
            let (count, expected) = (counts[class], total as f64 * share);
            let z = (count as f64 - expected) / (expected * (1.0 - share)).sqrt();
            let lift = count as f64 / expected;
            (count >= 5 && z > 2.0).then_some(MainClass { class, count, total, lift })
        };
        (0..classes).filter_map(of).max_by(|a, b| a.lift.total_cmp(&b.lift))
    }
}

/// The class that is over-represented most among the faces that activate a filter most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MainClass {
    /// Class.
    pub class: usize,
    /// Faces of that class among the strongest.
    pub count: usize,
    /// Number of strongest faces.
    pub total: usize,
    /// `count` divided by the count expected from the class's share of all faces.
    pub lift: f64,
}

/// Returns the layer of this name; for [`LOGITS`] the logits as a layer of one cell.
///
/// **Errors**: `Usage` for an unknown name.
pub fn find_layer_or_logits(model: &dyn Classifier, name: &str) -> Result<LayerInfo> {
    if name != LOGITS {
        return find_layer(&model.layers(), name);
    }
    let whole = ReceptiveField { size: SIDE, jump: 1.0, start: (SIDE as f64 - 1.0) / 2.0 };
    Ok(LayerInfo {
        name: LOGITS.into(),
        kind: LayerKind::Linear,
        output: [model.classes(), 1, 1],
        receptive_field: whole,
        input: None,
        gamma: None,
    })
}

/// Returns the output of a layer, or the logits.
pub fn output_maps(
    model: &dyn Classifier,
    layer: &LayerInfo,
    faces: &[f32],
) -> Result<FeatureMaps> {
    if layer.name == LOGITS {
        model.logit_maps(faces)
    } else {
        model.activations(&layer.name, faces)
    }
}

/// Returns the objective of activation maximization for these units: the logits; the mean of a
/// channel over its interior cells; for a layer of the first block the strongest cell (see
/// [`Objective::Peak`]).
pub fn filter_objective(model: &dyn Classifier, layer: &LayerInfo, units: Vec<usize>) -> Objective {
    match layer.name.as_str() {
        LOGITS => Objective::Logit { units },
        _ if is_in_first_block(model, layer) => Objective::Peak { layer: layer.clone(), units },
        _ => Objective::Channel { layer: layer.clone(), units },
    }
}

/// Whether the layer belongs to the first block, which reads the pixels.
pub fn is_in_first_block(model: &dyn Classifier, layer: &LayerInfo) -> bool {
    layer.name != LOGITS && previous_block(&model.layers(), &layer.name).is_none()
}

/// Returns the mean of every channel over its interior cells, `[n, c]`.
pub fn channel_means(maps: &FeatureMaps, layer: &LayerInfo) -> Vec<f32> {
    let (rows, columns) = (layer.interior(maps.h), layer.interior(maps.w));
    let count = (rows.len() * columns.len()).max(1) as f64;
    let mean = |map: &[f32]| {
        let row = |i: usize| map[i * maps.w..][columns.clone()].iter().map(|&v| f64::from(v));
        (rows.clone().flat_map(row).sum::<f64>() / count) as f32
    };
    maps.data.chunks_exact((maps.h * maps.w).max(1)).map(mean).collect()
}

/// Measures the filters of a layer on faces `[n, 48, 48]`.
pub fn filter_statistics(
    model: &dyn Classifier,
    layer: &LayerInfo,
    filters: &[usize],
    faces: &[f32],
) -> Result<Vec<FilterStatistics>> {
    let mut meter = FilterMeter::new(model, layer, filters);
    for faces in faces.chunks(BATCH * PIXELS) {
        meter.add(&output_maps(model, layer, faces)?);
    }
    Ok(meter.finish())
}

/// Gathers the statistics of filters of one layer, batch by batch.
pub(crate) struct FilterMeter<'a> {
    layer: &'a LayerInfo,
    /// Whether the strongest cell counts, as in the first block, not the mean.
    peak: bool,
    /// Faces so far.
    faces: usize,
    /// Of each filter: values, strongest activations, highest cell.
    found: Vec<(usize, Vec<f32>, Vec<TopActivation>, f32)>,
}

impl<'a> FilterMeter<'a> {
    pub fn new(model: &dyn Classifier, layer: &'a LayerInfo, filters: &[usize]) -> Self {
        let empty = |&filter: &usize| (filter, vec![], vec![], f32::NEG_INFINITY);
        let found = filters.iter().map(empty).collect();
        FilterMeter { layer, peak: is_in_first_block(model, layer), faces: 0, found }
    }

    /// Adds the layer's output on further faces.
    pub fn add(&mut self, maps: &FeatureMaps) {
        let means = channel_means(maps, self.layer);
        for (filter, values, top, highest) in &mut self.found {
            for f in 0..maps.n {
                let map = maps.channel(f, *filter);
                *highest = map.iter().copied().fold(*highest, f32::max);
                let (row, column) = self.layer.strongest_cell(map, maps.h, maps.w);
                let value = map[row * maps.w + column];
                values.push(if self.peak { value } else { means[f * maps.c + *filter] });
                top.push(TopActivation { value, face: self.faces + f, row, column });
            }
            top.sort_by(|a, b| b.value.total_cmp(&a.value).then(a.face.cmp(&b.face)));
            top.truncate(TOP_KEPT);
        }
        self.faces += maps.n;
    }

    /// Returns the statistics of each filter.
    pub fn finish(self) -> Vec<FilterStatistics> {
        let finish = |(filter, values, top, highest): (usize, Vec<f32>, Vec<_>, f32)| {
            let wide: Vec<f64> = values.iter().map(|&v| f64::from(v)).collect();
            let (_, sd) = mean_sd(&wide);
            let best = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let median = median(&wide);
            FilterStatistics { filter, sd, median, best, highest, values, top, counts: None }
        };
        self.found.into_iter().map(finish).collect()
    }
}

/// Returns the pixels in the receptive field of one cell, `[side, side]`, and `side` (at most 48).
/// Pixels outside the face repeat its edge.
pub fn receptive_crop(
    picture: &[f32],
    field: &ReceptiveField,
    row: usize,
    column: usize,
) -> (Vec<f32>, usize) {
    let side = field.size.min(SIDE);
    // A receptive field larger than the face is the whole face.
    let first = |cell: usize| if field.size >= SIDE { 0 } else { field.first(cell) };
    let clamp = |at: isize| at.clamp(0, SIDE as isize - 1) as usize;
    let (top, left) = (first(row), first(column));
    let at = |p: usize| {
        let (i, j) = ((p / side) as isize, (p % side) as isize);
        picture[clamp(top + i) * SIDE + clamp(left + j)]
    };
    ((0..side * side).map(at).collect(), side)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receptive_fields_of_a_known_stack() {
        // conv 3 pad 1, pool 2 stride 2, conv 3 pad 1: size 8, jump 2, start 0.5.
        let field =
            ReceptiveField::PIXEL.through(3, 1, 1, 1).through(2, 2, 0, 1).through(3, 1, 1, 1);
        assert_eq!(field, ReceptiveField { size: 8, jump: 2.0, start: 0.5 });
        assert_eq!((field.first(0), field.first(2)), (-3, 1));
    }

    #[test]
    fn crop_repeats_the_edge() {
        let picture: Vec<f32> = (0..PIXELS).map(|p| p as f32).collect();
        let field = ReceptiveField { size: 3, jump: 1.0, start: 0.0 };
        let (crop, side) = receptive_crop(&picture, &field, 0, 5);
        assert_eq!(side, 3);
        assert_eq!(crop, [4.0, 5.0, 6.0, 4.0, 5.0, 6.0, 52.0, 53.0, 54.0]);
    }
}
