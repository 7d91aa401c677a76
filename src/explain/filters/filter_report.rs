//! `fer filters`: the pictures of a layer's filters, each with the numbers that judge it.

use crate::Result;
use crate::explain::filters::activation_maximization::{
    MaximizationOptions, MaximizationTask, maximize,
};
use crate::explain::filters::filter_scores::FilterScorer;
use crate::explain::filters::fourier::{DECAY, Fourier};
use crate::explain::filters::maco::Maco;
use crate::explain::filters::parametrization::MaximizationMethod;
use crate::explain::filters::pixels::{NAIVE_STEPS, Pixels, naive};
use crate::explain::filters::top_activations::{
    FilterStatistics, filter_objective, filter_statistics, find_layer_or_logits, is_in_first_block,
    receptive_crop,
};
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::layers::{check_filters, pre_activation};
use crate::explain::{Classifier, LayerInfo};
use crate::stats::median;

/// How a page of filters is made.
#[derive(Clone, Debug)]
pub struct FilterOptions {
    /// Recipes with their ascents.
    pub recipes: Vec<(MaximizationMethod, MaximizationOptions)>,
    /// Pictures of each filter and recipe from different seeds; the one with the highest robust z
    /// is shown. The naive recipe makes one.
    pub seeds: usize,
    /// Random warps that robust z averages over.
    pub warps: usize,
    /// Seed.
    pub seed: u64,
}

impl Default for FilterOptions {
    /// Naive and MACO, three seeds, 16 warps.
    fn default() -> Self {
        let recipes = [MaximizationMethod::Naive, MaximizationMethod::Maco]
            .map(|r| (r, r.options()))
            .to_vec();
        FilterOptions { recipes, seeds: 3, warps: 16, seed: 0 }
    }
}

/// The numbers of one picture.
#[derive(Clone, Debug, serde::Serialize)]
pub struct FilterScores {
    /// Layer, or `logits`.
    pub layer: String,
    /// Channel.
    pub filter: usize,
    /// MaximizationMethod.
    pub recipe: MaximizationMethod,
    /// Share of power above 0.25 cycles per pixel.
    pub hf: f64,
    /// Lag-1 autocorrelation.
    pub lag1: f64,
    /// Total variation of the standardised picture.
    pub tv: f64,
    /// Slope of the power spectrum.
    pub slope: f64,
    /// HF ≤ 0.19 and lag-1 ≥ 0.8.
    pub natural: bool,
    /// Activation at the faces' contrast, in their standard deviations above their median; not a
    /// number (`null` in JSON) where the filter answers all faces alike.
    pub z: f64,
    /// The same, mean over random warps: a pattern that only works pixel by pixel scores low.
    pub robust_z: f64,
    /// z of the strongest training face.
    pub best_face_z: f64,
    /// Cosine between what the picture's strongest cell and the nine strongest patches show in the
    /// previous block, in deviations from each channel's mean over the training faces (for logits
    /// in channel means); for a first layer the correlation of receptive-field crops, best within
    /// ±3 pixels.
    pub similarity: f64,
    /// Mean correlation of the pictures of different seeds, best within ±3 pixels.
    pub agreement: Option<f64>,
    /// Whether the ReLU behind the filter never fires on the training faces; `None` where none
    /// follows that hears the filter alone.
    pub dead: Option<bool>,
    /// Scale of a batch-normalised channel; below 0 the picture is of what its convolution avoids.
    pub gamma: Option<f32>,
}

impl FilterScores {
    /// Whether there is something to judge: the filter fires, and not on all faces alike.
    pub fn is_alive(&self) -> bool {
        self.dead != Some(true) && self.robust_z.is_finite()
    }
}

/// One picture with its numbers.
#[derive(Clone, Debug)]
pub struct FilterPicture {
    /// Numbers.
    pub numbers: FilterScores,
    /// `[48, 48]` in \[0,1\].
    pub picture: Vec<f32>,
    /// Which pixels mattered, `[48, 48]`; all of them for a layer of the first block.
    pub importance: Vec<f32>,
    /// Row and column of the cell that the picture moves most.
    pub cell: (usize, usize),
}

/// A layer's page.
#[derive(Clone, Debug)]
pub struct FilterReport {
    /// The layer.
    pub layer: LayerInfo,
    /// Every picture: filters in the order asked for, recipes within.
    pub pictures: Vec<FilterPicture>,
    /// The filters on the training faces, with the places that moved them most.
    pub surveys: Vec<FilterStatistics>,
    /// Filters that are dead on all training faces; `None` where no ReLU tells.
    pub dead: Option<Vec<usize>>,
    /// Whether only the pixels lie before the layer's block: one cell is raised, not their mean.
    pub first_block: bool,
}

/// Total picture-steps of a report, for a progress bar.
pub fn total_steps(filters: usize, options: &FilterOptions) -> usize {
    let steps = |(recipe, ascent): &(MaximizationMethod, MaximizationOptions)| match recipe {
        MaximizationMethod::Naive => NAIVE_STEPS,
        _ => ascent.steps * options.seeds.max(1),
    };
    filters * options.recipes.iter().map(steps).sum::<usize>()
}

/// Pictures and numbers of the filters of a layer (all of them for an empty list), or of class
/// logits for the layer `logits`. `progress` is told the picture-steps done since the last call.
///
/// **Errors**: `Usage` for an unknown layer or a filter out of range.
pub fn filter_report(
    model: &dyn Classifier,
    layer: &str,
    filters: &[usize],
    training: &TrainingFaces<'_>,
    options: &FilterOptions,
    progress: &mut dyn FnMut(usize),
) -> Result<FilterReport> {
    let site = find_layer_or_logits(model, layer)?;
    let filters = check_filters(&site, filters)?;
    let surveys = filter_statistics(model, &site, &filters, training.faces)?;
    let judge = FilterScorer::new(model, &site, &surveys, training, options)?;
    let mut pictures = Vec::new();
    for (recipe, ascent) in &options.recipes {
        pictures.extend(run_recipe(model, &judge, *recipe, ascent, progress)?);
    }
    pictures.sort_by_key(|p| {
        let place = filters.iter().position(|&k| k == p.numbers.filter);
        (place, p.numbers.recipe)
    });
    let of_dead =
        |d: &Vec<bool>| filters.iter().zip(d).filter(|(_, d)| **d).map(|(&k, _)| k).collect();
    let dead = judge.dead.as_ref().map(of_dead);
    let first_block = is_in_first_block(model, &site);
    Ok(FilterReport { layer: site, pictures, surveys, dead, first_block })
}

/// All seeds of one recipe, judged, the best of each filter kept.
fn run_recipe(
    model: &dyn Classifier,
    judge: &FilterScorer<'_>,
    recipe: MaximizationMethod,
    ascent: &MaximizationOptions,
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<FilterPicture>> {
    let seeds = if recipe == MaximizationMethod::Naive { 1 } else { judge.options.seeds.max(1) };
    let places: Vec<usize> =
        (0..judge.surveys.len()).flat_map(|k| std::iter::repeat_n(k, seeds)).collect();
    let units: Vec<usize> = places.iter().map(|&k| judge.surveys[k].filter).collect();
    let numbered = units.iter().enumerate();
    let keys: Vec<u64> = numbered.map(|(i, &unit)| (unit * 64 + i % seeds) as u64).collect();
    let sd: Vec<f32> = places.iter().map(|&k| judge.surveys[k].sd as f32).collect();
    let objective = filter_objective(model, judge.site, units.clone());
    let pre = pre_activation(&model.layers(), judge.site);
    let pre_activation = pre.map(|layer| filter_objective(model, &layer, units));
    let goals = MaximizationTask {
        objective: &objective,
        pre_activation: pre_activation.as_ref(),
        sd: &sd,
        keys: &keys,
        seed: judge.options.seed,
    };
    let magnitude = || judge.training.magnitude.clone();
    let raised = match recipe {
        MaximizationMethod::Naive => naive(model, &goals, progress)?,
        MaximizationMethod::Pixels => maximize(model, &Pixels, &goals, ascent, progress)?,
        MaximizationMethod::Fourier => {
            maximize(model, &Fourier::new(DECAY), &goals, ascent, progress)?
        }
        MaximizationMethod::Maco => {
            maximize(model, &Maco::new(magnitude()), &goals, ascent, progress)?
        }
        MaximizationMethod::Face => {
            let near_face = Maco::starting_at(magnitude(), &judge.training.mean_face);
            maximize(model, &near_face, &goals, ascent, progress)?
        }
    };
    judge.judge(model, recipe, &raised, seeds)
}

/// Whether the cure worked: one recipe over its filters.
#[derive(Clone, Debug, serde::Serialize)]
pub struct MethodSummary {
    /// MaximizationMethod.
    pub recipe: MaximizationMethod,
    /// Filters.
    pub filters: usize,
    /// Share of natural pictures.
    pub natural: f64,
    /// Median share of power above 0.25 cycles per pixel.
    pub hf: f64,
    /// Median lag-1 autocorrelation.
    pub lag1: f64,
    /// Median robust z.
    pub robust_z: f64,
    /// Median similarity to what moves the filter most.
    pub similarity: f64,
    /// Median agreement of the seeds, where there are several.
    pub agreement: Option<f64>,
}

/// One line for each recipe, over any number of layers. Filters that are not alive are left out:
/// nothing they show can be wrong.
pub fn summarise<'a>(
    pictures: impl Iterator<Item = &'a FilterScores> + Clone,
) -> Vec<MethodSummary> {
    let of = |recipe: MaximizationMethod| {
        let own = || pictures.clone().filter(move |p| p.recipe == recipe && p.is_alive());
        let filters = own().count();
        let all = |value: fn(&FilterScores) -> f64| median(&own().map(value).collect::<Vec<_>>());
        (filters > 0).then(|| MethodSummary {
            recipe,
            filters,
            natural: own().filter(|p| p.natural).count() as f64 / filters as f64,
            hf: all(|p| p.hf),
            lag1: all(|p| p.lag1),
            robust_z: all(|p| p.robust_z),
            similarity: all(|p| p.similarity),
            agreement: own()
                .all(|p| p.agreement.is_some())
                .then(|| all(|p| p.agreement.unwrap_or_default())),
        })
    };
    MaximizationMethod::ALL.into_iter().filter_map(of).collect()
}

/// The part of a picture that the cell it moves most sees, for layers that see less than a face:
/// (pixels, side).
pub fn strongest_crop(shown: &FilterPicture, layer: &LayerInfo) -> (Vec<f32>, usize) {
    receptive_crop(&shown.picture, &layer.receptive_field, shown.cell.0, shown.cell.1)
}
