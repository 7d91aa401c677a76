//! The report on a layer's filters: pictures by activation maximization with their scores.

use crate::Result;
use crate::SIDE;
use crate::explain::filters::activation_maximization::fourier::{DECAY, Fourier};
use crate::explain::filters::activation_maximization::maco::Maco;
use crate::explain::filters::activation_maximization::method::MaximizationMethod;
use crate::explain::filters::activation_maximization::pixels::{NAIVE_STEPS, Pixels, naive};
use crate::explain::filters::activation_maximization::{
    MaximizationOptions, MaximizationTask, Parametrization, maximize,
};
use crate::explain::filters::filter_scores::FilterScorer;
use crate::explain::filters::top_activations::{
    FilterStatistics, LOGITS, filter_objective, find_layer_or_logits, is_in_first_block,
    receptive_crop,
};
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::layers::{pre_activation, select_filters};
use crate::explain::{Classifier, LayerInfo};
use crate::stats::median;

pub use crate::explain::filters::filter_scores::{FilterOptions, FilterPicture, FilterScores};

/// The report on a layer.
#[derive(Clone, Debug)]
pub struct FilterReport {
    /// The layer.
    pub layer: LayerInfo,
    /// All pictures, by filter in the order asked for, then by method.
    pub pictures: Vec<FilterPicture>,
    /// Statistics of the filters on the training faces.
    pub statistics: Vec<FilterStatistics>,
    /// Filters whose ReLU is 0 on all training faces; `None` where no ReLU rectifies them.
    pub dead: Option<Vec<usize>>,
    /// Whether the layer belongs to the first block, so that one cell is maximized instead of the
    /// mean.
    pub first_block: bool,
}

/// Learning rate of [`MaximizationMethod::Face`] for a class relative to that for a filter: an ideal face is to remain a
/// face.
const CLASS_RATE: f32 = 0.4;
/// Side in pixels from which on the faces that a cell sees are worth starting from.
const WIDE: usize = SIDE / 2;

/// Returns the picture of a filter to show first: that which started from faces where a cell sees at least half the side
/// of a face, MACO elsewhere. On the deep layers measured it is more like the patches that move the filter, and tells
/// its filter more often (docs/believing-the-pictures.md).
pub fn main_picture<'a>(
    layer: &LayerInfo,
    pictures: &'a [FilterPicture],
) -> Option<&'a FilterPicture> {
    let of = |method| pictures.iter().find(|p| p.scores.method == method);
    let wide = layer.name != LOGITS && layer.receptive_field.size >= WIDE;
    let faces = wide.then(|| of(MaximizationMethod::Face)).flatten();
    faces.or(of(MaximizationMethod::Maco)).or(pictures.last())
}

/// Returns the total number of steps of all pictures, for a progress bar.
pub fn total_steps(filters: usize, options: &FilterOptions) -> usize {
    let seeds = options.seeds.max(1);
    let steps = |(method, options): &(MaximizationMethod, MaximizationOptions)| match method {
        MaximizationMethod::Naive => NAIVE_STEPS,
        _ => options.steps * seeds,
    };
    filters * options.methods.iter().map(steps).sum::<usize>()
}

/// Makes and scores pictures of the filters of a layer (all of them for an empty list), or of the
/// class logits for the layer `logits`. `progress` receives the number of steps done since the last
/// call, summed over the pictures.
///
/// **Errors**: `Usage` for an unknown layer or a filter out of range; those of the network.
pub fn filter_report(
    model: &dyn Classifier,
    layer: &str,
    filters: &[usize],
    training: &TrainingFaces<'_>,
    options: &FilterOptions,
    progress: &mut dyn FnMut(usize),
) -> Result<FilterReport> {
    let layer = find_layer_or_logits(model, layer)?;
    let filters = select_filters(&layer, filters)?;
    let statistics = training.filter_statistics(model, &layer, &filters)?;
    let scorer = FilterScorer::new(model, &layer, &statistics, training, options)?;
    let mut pictures = Vec::new();
    for (method, settings) in &options.methods {
        pictures.extend(run_method(model, &scorer, *method, settings, progress)?);
    }
    pictures.sort_by_key(|p| {
        let place = filters.iter().position(|&k| k == p.scores.filter);
        (place, p.scores.method)
    });
    let of_dead =
        |d: &Vec<bool>| filters.iter().zip(d).filter(|(_, d)| **d).map(|(&k, _)| k).collect();
    let dead = scorer.dead.as_ref().map(of_dead);
    let first_block = is_in_first_block(model, &layer);
    Ok(FilterReport { layer, pictures, statistics, dead, first_block })
}

/// Makes and scores the pictures of one method, all seeds; keeps the best of each filter.
fn run_method(
    model: &dyn Classifier,
    scorer: &FilterScorer<'_>,
    method: MaximizationMethod,
    settings: &MaximizationOptions,
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<FilterPicture>> {
    let FilterScorer { layer, statistics, training, options, .. } = scorer;
    let mut settings = *settings;
    let seeds = if method == MaximizationMethod::Naive { 1 } else { options.seeds.max(1) };
    let of_pictures = || statistics.iter().flat_map(|s| std::iter::repeat_n(s, seeds));
    let units: Vec<usize> = of_pictures().map(|s| s.filter).collect();
    let numbered = units.iter().enumerate();
    let keys: Vec<u64> = numbered.map(|(i, &unit)| (unit * 64 + i % seeds) as u64).collect();
    let sd: Vec<f32> = of_pictures().map(|s| s.sd as f32).collect();
    let objective = filter_objective(model, layer, units.clone());
    let relu_input = pre_activation(&model.layers(), layer);
    let relu_input = relu_input.map(|input| filter_objective(model, &input, units));
    let task = MaximizationTask {
        objective: &objective,
        pre_activation: relu_input.as_ref(),
        sd: &sd,
        keys: &keys,
        seed: options.seed,
    };
    let magnitude = || training.magnitude.clone();
    let parametrization: Box<dyn Parametrization> = match method {
        MaximizationMethod::Naive => {
            return scorer.score(model, method, &naive(model, &task, progress)?, seeds);
        }
        MaximizationMethod::Pixels => Box::new(Pixels),
        MaximizationMethod::Fourier => Box::new(Fourier::new(DECAY)),
        MaximizationMethod::Maco => Box::new(Maco::new(magnitude())),
        MaximizationMethod::Face if layer.name == LOGITS => {
            settings.learning_rate *= CLASS_RATE;
            Box::new(Maco::starting_at(magnitude(), &training.mean_face))
        }
        MaximizationMethod::Face => {
            let faces: Vec<f32> = of_pictures().flat_map(|s| training.next_strongest(s)).collect();
            Box::new(Maco::starting_at(magnitude(), &faces))
        }
    };
    let images = maximize(model, &*parametrization, &task, &settings, progress)?;
    scorer.score(model, method, &images, seeds)
}

/// The scores of one method, summarised over its filters.
#[derive(Clone, Debug, serde::Serialize)]
pub struct MethodSummary {
    /// Method.
    pub method: MaximizationMethod,
    /// Number of filters.
    pub filters: usize,
    /// Share of natural pictures.
    pub natural: f64,
    /// Median share of power above 0.25 cycles per pixel.
    pub hf: f64,
    /// Median lag-1 autocorrelation.
    pub lag1: f64,
    /// Median robust z.
    pub robust_z: f64,
    /// Median similarity to the strongest activations.
    pub similarity: f64,
    /// Share of the pictures that are told from those of other filters ([`FilterScores::identified`]);
    /// `None` without faces.
    pub identified: Option<f64>,
    /// Median agreement of the seeds; `None` for a single seed.
    pub agreement: Option<f64>,
}

/// Summarises the scores of each method, over any number of layers. Filters that do not vary over
/// the training faces are left out.
pub fn summarise<'a>(
    pictures: impl Iterator<Item = &'a FilterScores> + Clone,
) -> Vec<MethodSummary> {
    let of = |method: MaximizationMethod| {
        let own = || pictures.clone().filter(move |p| p.method == method && p.is_alive());
        let filters = own().count();
        let all = |value: fn(&FilterScores) -> f64| median(&own().map(value).collect::<Vec<_>>());
        (filters > 0).then(|| MethodSummary {
            method,
            filters,
            natural: own().filter(|p| p.natural).count() as f64 / filters as f64,
            hf: all(|p| p.hf),
            lag1: all(|p| p.lag1),
            robust_z: all(|p| p.robust_z),
            similarity: all(|p| p.similarity),
            identified: own().any(|p| p.identified.is_some()).then(|| {
                own().filter(|p| p.identified == Some(true)).count() as f64 / filters as f64
            }),
            agreement: own()
                .all(|p| p.agreement.is_some())
                .then(|| all(|p| p.agreement.unwrap_or_default())),
        })
    };
    MaximizationMethod::ALL.into_iter().filter_map(of).collect()
}

/// Returns the receptive field of the picture's strongest cell, `[side, side]`, and `side`.
pub fn strongest_crop(shown: &FilterPicture, layer: &LayerInfo) -> (Vec<f32>, usize) {
    receptive_crop(&shown.picture, &layer.receptive_field, shown.cell.0, shown.cell.1)
}
