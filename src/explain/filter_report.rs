//! `fer filters`: the pictures of a layer's filters, each with the numbers that judge it.

use super::ascent::{AscentOptions, Goals, Raised, ascend, values_of};
use super::batch::BATCH;
use super::fourier::{DECAY, Fourier};
use super::layers::{check_filters, pre_activation, previous_block, relu_of};
use super::maco::Maco;
use super::model::{Classifier, LayerInfo, Objective};
use super::naturalness::Naturalness;
use super::patches::{
    FilterSurvey, LOGITS, SHOWN, channel_means, find_site, output_maps, receptive_crop, survey,
};
use super::picture::mean_face;
use super::pixels::{Pixels, naive};
use super::spectrum::{Extension, mean_magnitude};
use super::stats::{mean_sd, median, ncc};
use super::warps::{WarpRange, warp_all};
use crate::random::{Purpose, Rng};
use crate::{Error, PIXELS, Result, SIDE};
use std::fmt;
use std::str::FromStr;

/// A recipe of activation maximisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Recipe {
    /// Twenty plain gradient steps: the "QR code", kept as the picture before.
    Naive,
    /// Pixels with Adam, 256 steps.
    Pixels,
    /// Fourier with decay 1.36, warps and total variation.
    Fourier,
    /// The training faces' spectrum, free phase: the main picture.
    Maco,
}

impl Recipe {
    /// All of them.
    pub const ALL: [Recipe; 4] = [Recipe::Naive, Recipe::Pixels, Recipe::Fourier, Recipe::Maco];

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Recipe::Naive => "naive",
            Recipe::Pixels => "pixels",
            Recipe::Fourier => "fourier",
            Recipe::Maco => "maco",
        }
    }

    /// Its usual ascent; the naive recipe has no choices.
    pub fn options(self) -> AscentOptions {
        match self {
            Recipe::Naive | Recipe::Pixels => Pixels::options(),
            Recipe::Fourier => Fourier::options(),
            Recipe::Maco => Maco::options(),
        }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Recipe {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self> {
        Recipe::ALL.into_iter().find(|r| r.name() == name).ok_or_else(|| {
            let names = Recipe::ALL.map(Recipe::name).join(", ");
            Error::Usage(format!("no recipe `{name}`; there are {names}"))
        })
    }
}

/// The training faces, and what the recipes need to know of them.
pub struct TrainingFaces<'a> {
    /// `[n, 48, 48]` in \[0,1\].
    pub faces: &'a [f32],
    /// True classes.
    pub labels: &'a [usize],
    /// Mean magnitude spectrum.
    pub magnitude: Vec<f32>,
    /// Mean pixel.
    pub mean: f64,
    /// Mean over the faces of the standard deviation within a face.
    pub contrast: f64,
    /// Mean face.
    pub mean_face: Vec<f32>,
}

impl<'a> TrainingFaces<'a> {
    /// Measures the faces. A few thousand are enough.
    ///
    /// **Errors**: `Shape` where there is no face, or a label is missing.
    pub fn new(faces: &'a [f32], labels: &'a [usize], extension: Extension) -> Result<Self> {
        let n = super::model::count_faces(faces)?;
        if n == 0 || labels.len() != n {
            let detail = format!("{n} training faces with {} labels", labels.len());
            return Err(Error::shape("filters", detail));
        }
        let spread =
            |face: &[f32]| mean_sd(&face.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
        let each: Vec<(f64, f64)> = faces.chunks_exact(PIXELS).map(spread).collect();
        Ok(TrainingFaces {
            faces,
            labels,
            magnitude: mean_magnitude(faces, extension),
            mean: each.iter().map(|e| e.0).sum::<f64>() / n as f64,
            contrast: each.iter().map(|e| e.1).sum::<f64>() / n as f64,
            mean_face: mean_face(faces),
        })
    }

    /// A picture with the faces' mean and contrast, clipped to \[0,1\]: an activation earned by
    /// contrast alone does not count.
    pub fn match_contrast(&self, picture: &[f32]) -> Vec<f32> {
        let (y, _) = super::ascent::standardise(picture);
        let level = |y: f32| (self.mean + self.contrast * f64::from(y)).clamp(0.0, 1.0) as f32;
        y.into_iter().map(level).collect()
    }
}

/// How a page of filters is made.
#[derive(Clone, Debug)]
pub struct FilterOptions {
    /// Recipes with their ascents.
    pub recipes: Vec<(Recipe, AscentOptions)>,
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
        let recipes = [Recipe::Naive, Recipe::Maco].map(|r| (r, r.options())).to_vec();
        FilterOptions { recipes, seeds: 3, warps: 16, seed: 0 }
    }
}

/// The numbers of one picture.
#[derive(Clone, Debug, serde::Serialize)]
pub struct FilterNumbers {
    /// Layer, or `logits`.
    pub layer: String,
    /// Channel.
    pub filter: usize,
    /// Recipe.
    pub recipe: Recipe,
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
    /// Activation at the faces' contrast, in their standard deviations above their median.
    pub z: f64,
    /// The same, mean over random warps: a pattern that only works pixel by pixel scores low.
    pub robust_z: f64,
    /// z of the strongest training face.
    pub best_face_z: f64,
    /// Cosine between what the picture and the nine strongest faces show the previous block, in
    /// channel means standardised over the training faces; for a first layer the correlation of
    /// receptive-field crops, best within ±3 pixels.
    pub similarity: f64,
    /// Mean correlation of the pictures of different seeds, best within ±3 pixels.
    pub agreement: Option<f64>,
    /// The ReLU behind the filter never fires on the training faces.
    pub dead: bool,
    /// Scale of a batch-normalised channel; below 0 the picture is of what its convolution avoids.
    pub gamma: Option<f32>,
}

/// One picture with its numbers.
#[derive(Clone, Debug)]
pub struct FilterPicture {
    /// Numbers.
    pub numbers: FilterNumbers,
    /// `[48, 48]` in \[0,1\].
    pub picture: Vec<f32>,
    /// Which pixels mattered, `[48, 48]`.
    pub importance: Vec<f32>,
}

/// A layer's page.
#[derive(Clone, Debug)]
pub struct FilterReport {
    /// The layer.
    pub layer: LayerInfo,
    /// Every picture: filters in the order asked for, recipes within.
    pub pictures: Vec<FilterPicture>,
    /// The filters on the training faces, with the places that moved them most.
    pub surveys: Vec<FilterSurvey>,
    /// Filters that are dead on all training faces.
    pub dead: Vec<usize>,
}

/// Total picture-steps of a report, for a progress bar.
pub fn total_steps(filters: usize, options: &FilterOptions) -> usize {
    let steps = |(recipe, ascent): &(Recipe, AscentOptions)| match recipe {
        Recipe::Naive => super::pixels::NAIVE_STEPS,
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
    let site = find_site(model, layer)?;
    let filters = check_filters(&site, filters)?;
    let surveys = survey(model, &site, &filters, training.faces)?;
    let judge = Judge::new(model, &site, &surveys, training, options)?;
    let mut pictures = Vec::new();
    for (recipe, ascent) in &options.recipes {
        pictures.extend(run_recipe(model, &judge, *recipe, ascent, progress)?);
    }
    pictures.sort_by_key(|p| {
        let place = filters.iter().position(|&k| k == p.numbers.filter);
        (place, p.numbers.recipe)
    });
    let dead = filters.iter().zip(&judge.dead).filter(|(_, d)| **d).map(|(&k, _)| k).collect();
    Ok(FilterReport { layer: site, pictures, surveys, dead })
}

/// All seeds of one recipe, judged, the best of each filter kept.
fn run_recipe(
    model: &dyn Classifier,
    judge: &Judge<'_>,
    recipe: Recipe,
    ascent: &AscentOptions,
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<FilterPicture>> {
    let seeds = if recipe == Recipe::Naive { 1 } else { judge.options.seeds.max(1) };
    let places: Vec<usize> =
        (0..judge.surveys.len()).flat_map(|k| std::iter::repeat_n(k, seeds)).collect();
    let units: Vec<usize> = places.iter().map(|&k| judge.surveys[k].filter).collect();
    let numbered = units.iter().enumerate();
    let keys: Vec<u64> = numbered.map(|(i, &unit)| (unit * 64 + i % seeds) as u64).collect();
    let sd: Vec<f32> = places.iter().map(|&k| judge.surveys[k].sd as f32).collect();
    let objective = objective_of(judge.site, units.clone());
    let pre = pre_activation(&model.layers(), judge.site);
    let while_dead = pre.map(|layer| Objective::Channel { layer, units });
    let goals = Goals {
        objective: &objective,
        while_dead: while_dead.as_ref(),
        sd: &sd,
        keys: &keys,
        seed: judge.options.seed,
    };
    let magnitude = || judge.training.magnitude.clone();
    let raised = match recipe {
        Recipe::Naive => naive(model, &goals, progress)?,
        Recipe::Pixels => ascend(model, &Pixels, &goals, ascent, progress)?,
        Recipe::Fourier => ascend(model, &Fourier::new(DECAY), &goals, ascent, progress)?,
        Recipe::Maco => ascend(model, &Maco::new(magnitude()), &goals, ascent, progress)?,
    };
    judge.judge(model, recipe, &raised, seeds)
}

fn objective_of(site: &LayerInfo, units: Vec<usize>) -> Objective {
    if site.name == LOGITS {
        Objective::Logit { units }
    } else {
        Objective::Channel { layer: site.clone(), units }
    }
}

/// What pictures of a layer are judged against.
struct Judge<'a> {
    site: &'a LayerInfo,
    surveys: &'a [FilterSurvey],
    training: &'a TrainingFaces<'a>,
    options: &'a FilterOptions,
    dead: Vec<bool>,
    /// The block before, with mean and deviation of its channel means over the faces; and for
    /// every filter the mean of its strongest faces there. `None` for a first layer.
    features: Option<Features>,
}

struct Features {
    layer: LayerInfo,
    moments: Vec<(f64, f64)>,
    top: Vec<Vec<f64>>,
}

impl<'a> Judge<'a> {
    fn new(
        model: &dyn Classifier,
        site: &'a LayerInfo,
        surveys: &'a [FilterSurvey],
        training: &'a TrainingFaces<'a>,
        options: &'a FilterOptions,
    ) -> Result<Self> {
        let layers = model.layers();
        let filters: Vec<usize> = surveys.iter().map(|s| s.filter).collect();
        let dead = match relu_of(&layers, &site.name) {
            Some(relu) if relu.name == site.name => {
                surveys.iter().map(|s| s.highest <= 0.0).collect()
            }
            Some(relu) if relu.output[0] == site.output[0] => {
                let found = survey(model, relu, &filters, training.faces)?;
                found.iter().map(|s| s.highest <= 0.0).collect()
            }
            _ => vec![false; filters.len()],
        };
        let before = if site.name == LOGITS {
            layers.iter().rev().find(|l| l.kind == super::model::LayerKind::Relu)
        } else {
            previous_block(&layers, &site.name)
        };
        let features = before
            .map(|layer| Features::new(model, layer.clone(), surveys, training))
            .transpose()?;
        Ok(Judge { site, surveys, training, options, dead, features })
    }

    /// Numbers of every picture, `seeds` in a row for each filter; the best is kept.
    fn judge(
        &self,
        model: &dyn Classifier,
        recipe: Recipe,
        raised: &[Raised],
        seeds: usize,
    ) -> Result<Vec<FilterPicture>> {
        let matched: Vec<f32> =
            raised.iter().flat_map(|r| self.training.match_contrast(&r.picture)).collect();
        let units: Vec<usize> = (0..raised.len()).map(|i| self.surveys[i / seeds].filter).collect();
        let plain = values_of(model, &objective_of(self.site, units.clone()), &matched)?;
        let robust = self.robust_values(model, &matched, &units)?;
        let features = match &self.features {
            Some(f) => f.of(model, &matched)?,
            None => vec![vec![]; raised.len()],
        };
        let judged = |k: usize| {
            let own = k * seeds..(k + 1) * seeds;
            let best =
                own.clone().fold(own.start, |b, i| if robust[i] > robust[b] { i } else { b });
            let s = &self.surveys[k];
            let z = |value: f64| (value - s.median) / s.sd.max(1e-12);
            let n = Naturalness::of(&raised[best].picture);
            let highest = s.values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let numbers = FilterNumbers {
                layer: self.site.name.clone(),
                filter: s.filter,
                recipe,
                hf: n.hf,
                lag1: n.lag1,
                tv: n.tv,
                slope: n.slope,
                natural: n.is_natural(),
                z: z(f64::from(plain[best])),
                robust_z: z(robust[best]),
                best_face_z: z(f64::from(highest)),
                similarity: match &self.features {
                    Some(f) => cosine(&features[best], &f.top[k]),
                    None => self.patch_similarity(s, &raised[best].picture),
                },
                agreement: agreement(&raised[own]),
                dead: self.dead[k],
                gamma: self.site.gamma.as_ref().and_then(|g| g.get(s.filter).copied()),
            };
            let Raised { picture, importance, .. } = raised[best].clone();
            FilterPicture { numbers, picture, importance }
        };
        Ok((0..self.surveys.len()).map(judged).collect())
    }

    /// Mean objective of every picture over the same random warps.
    fn robust_values(
        &self,
        model: &dyn Classifier,
        pictures: &[f32],
        units: &[usize],
    ) -> Result<Vec<f64>> {
        let each = self.options.warps.max(1);
        let mut rng = Rng::new(self.options.seed, Purpose::Explain, 7, 0);
        let views: Vec<_> = (0..each).map(|_| WarpRange::default().draw(&mut rng)).collect();
        let mut values = Vec::with_capacity(units.len());
        for (pictures, units) in pictures.chunks(BATCH * PIXELS).zip(units.chunks(BATCH)) {
            let views = views.repeat(units.len());
            let warped = warp_all(pictures, &views, each);
            let repeated = units.iter().flat_map(|&u| std::iter::repeat_n(u, each)).collect();
            let found = values_of(model, &objective_of(self.site, repeated), &warped)?;
            let mean = |v: &[f32]| v.iter().map(|&v| f64::from(v)).sum::<f64>() / each as f64;
            values.extend(found.chunks_exact(each).map(mean));
        }
        Ok(values)
    }

    /// Best correlation within ±3 pixels of the picture's centre crop with the mean top patch.
    fn patch_similarity(&self, s: &FilterSurvey, picture: &[f32]) -> f64 {
        let field = &self.site.receptive_field;
        let shown = &s.top[..s.top.len().min(SHOWN)];
        let patches: Vec<Vec<f32>> = shown
            .iter()
            .map(|p| {
                let face = &self.training.faces[p.face * PIXELS..][..PIXELS];
                receptive_crop(face, field, p.row, p.column).0
            })
            .collect();
        let Some(first) = patches.first() else { return 0.0 };
        let mean: Vec<f32> = (0..first.len())
            .map(|q| patches.iter().map(|p| p[q]).sum::<f32>() / patches.len() as f32)
            .collect();
        let (h, w) = (self.site.output[1] as isize, self.site.output[2] as isize);
        let reach = |cells: isize| (cells / 2 - 3).max(0)..=(cells / 2 + 3).min(cells - 1);
        reach(h)
            .flat_map(|i| reach(w).map(move |j| (i as usize, j as usize)))
            .map(|(i, j)| ncc(&receptive_crop(picture, field, i, j).0, &mean))
            .fold(-1.0, f64::max)
    }
}

impl Features {
    fn new(
        model: &dyn Classifier,
        layer: LayerInfo,
        surveys: &[FilterSurvey],
        training: &TrainingFaces<'_>,
    ) -> Result<Self> {
        let mut features = Features { layer, moments: vec![], top: vec![] };
        let all = features.of(model, training.faces)?;
        let column = |c: usize| all.iter().map(|f| f[c]).collect::<Vec<f64>>();
        features.moments = (0..features.layer.output[0]).map(|c| mean_sd(&column(c))).collect();
        let standard = |f: usize, c: usize| {
            let (mean, sd) = features.moments[c];
            (all[f][c] - mean) / sd.max(1e-12)
        };
        let top = |s: &FilterSurvey| {
            let shown = &s.top[..s.top.len().min(SHOWN)];
            let mean = |c: usize| {
                shown.iter().map(|p| standard(p.face, c)).sum::<f64>() / shown.len().max(1) as f64
            };
            (0..features.layer.output[0]).map(mean).collect()
        };
        let top = surveys.iter().map(top).collect();
        features.top = top;
        Ok(features)
    }

    /// Channel means of pictures, standardised once the moments are known.
    fn of(&self, model: &dyn Classifier, pictures: &[f32]) -> Result<Vec<Vec<f64>>> {
        let mut rows = Vec::with_capacity(pictures.len() / PIXELS);
        for faces in pictures.chunks(BATCH * PIXELS) {
            let maps = output_maps(model, &self.layer, faces)?;
            for row in channel_means(&maps, &self.layer).chunks_exact(maps.c) {
                rows.push(row.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>());
            }
        }
        for row in &mut rows {
            for (v, (mean, sd)) in row.iter_mut().zip(&self.moments) {
                *v = (*v - mean) / sd.max(1e-12);
            }
        }
        Ok(rows)
    }
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norm = (dot(a, a) * dot(b, b)).sqrt();
    if norm > 0.0 { dot(a, b) / norm } else { 0.0 }
}

/// Mean over pairs of the best correlation within ±3 pixels; `None` for a single picture.
fn agreement(raised: &[Raised]) -> Option<f64> {
    const REACH: usize = 3;
    let inner = SIDE - 2 * REACH;
    let cut = |x: &[f32], top: usize, left: usize| -> Vec<f32> {
        (0..inner * inner).map(|p| x[(top + p / inner) * SIDE + left + p % inner]).collect()
    };
    let mut found = vec![];
    for (i, a) in raised.iter().enumerate() {
        for b in &raised[i + 1..] {
            let middle = cut(&a.picture, REACH, REACH);
            let shifts = (0..=2 * REACH).flat_map(|i| (0..=2 * REACH).map(move |j| (i, j)));
            let best = shifts
                .map(|(i, j)| ncc(&middle, &cut(&b.picture, i, j)))
                .fold(f64::NEG_INFINITY, f64::max);
            found.push(best);
        }
    }
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}

/// Whether the cure worked: one recipe over its filters.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RecipeSummary {
    /// Recipe.
    pub recipe: Recipe,
    /// Filters.
    pub filters: usize,
    /// Share of natural pictures.
    pub natural: f64,
    /// Median robust z.
    pub robust_z: f64,
    /// Median similarity to what moves the filter most.
    pub similarity: f64,
}

/// One line for each recipe, over any number of layers. Dead filters are left out: nothing they
/// show can be wrong.
pub fn summarise<'a>(
    pictures: impl Iterator<Item = &'a FilterNumbers> + Clone,
) -> Vec<RecipeSummary> {
    let of = |recipe: Recipe| {
        let own = || pictures.clone().filter(move |p| p.recipe == recipe && !p.dead);
        let filters = own().count();
        let all = |value: fn(&FilterNumbers) -> f64| median(&own().map(value).collect::<Vec<_>>());
        (filters > 0).then(|| RecipeSummary {
            recipe,
            filters,
            natural: own().filter(|p| p.natural).count() as f64 / filters as f64,
            robust_z: all(|p| p.robust_z),
            similarity: all(|p| p.similarity),
        })
    };
    Recipe::ALL.into_iter().filter_map(of).collect()
}

/// The part of a picture that the middle cell of the layer sees, for layers that see less than a
/// face: (pixels, side).
pub fn centre_crop(picture: &[f32], layer: &LayerInfo) -> (Vec<f32>, usize) {
    receptive_crop(picture, &layer.receptive_field, layer.output[1] / 2, layer.output[2] / 2)
}
