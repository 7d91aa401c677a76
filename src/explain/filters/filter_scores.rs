//! Scores of a filter's picture: activation, stability, naturalness, and similarity to the training
//! faces that activate the filter most.

use crate::explain::batch::BATCH;
use crate::explain::filters::activation_maximization::method::MaximizationMethod;
use crate::explain::filters::activation_maximization::warps::{WarpRange, warp_all};
use crate::explain::filters::activation_maximization::{
    MaximizationOptions, MaximizedImage, values_of,
};
use crate::explain::filters::filter_features::Features;
use crate::explain::filters::naturalness::Naturalness;
use crate::explain::filters::top_activations::{
    FilterStatistics, LOGITS, TOP_SHOWN, filter_objective, output_maps, receptive_crop,
};
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::layers::{previous_block, relu_of};
use crate::explain::{Classifier, LayerInfo, LayerKind};
use crate::random::{Purpose, Rng};
use crate::stats::ncc;
use crate::{PIXELS, Result, SIDE};

/// Settings of [`crate::explain::filters::filter_report::filter_report`].
#[derive(Clone, Debug)]
pub struct FilterOptions {
    /// Methods with their settings.
    pub methods: Vec<(MaximizationMethod, MaximizationOptions)>,
    /// Number of pictures per filter and method, from different seeds; the one with the highest
    /// robust z is kept. The naive method makes one.
    pub seeds: usize,
    /// Number of random warps that robust z averages over.
    pub warps: usize,
    /// Seed.
    pub seed: u64,
}

impl Default for FilterOptions {
    /// Naive and MACO, three seeds, 16 warps.
    fn default() -> Self {
        let methods = [MaximizationMethod::Naive, MaximizationMethod::Maco]
            .map(|m| (m, m.options()))
            .to_vec();
        FilterOptions { methods, seeds: 3, warps: 16, seed: 0 }
    }
}

/// The scores of one picture.
#[derive(Clone, Debug, serde::Serialize)]
pub struct FilterScores {
    /// Layer, or `logits`.
    pub layer: String,
    /// Channel.
    pub filter: usize,
    /// Method.
    pub method: MaximizationMethod,
    /// Share of power above 0.25 cycles per pixel.
    pub hf: f64,
    /// Lag-1 autocorrelation.
    pub lag1: f64,
    /// Total variation of the standardised picture.
    pub tv: f64,
    /// Slope of the power spectrum.
    pub slope: f64,
    /// Whether HF ≤ 0.19 and lag-1 ≥ 0.8.
    pub natural: bool,
    /// Activation by the picture at the contrast of the training faces, in standard deviations
    /// above their median; NaN (`null` in JSON) where the filter does not vary over the faces.
    pub z: f64,
    /// The same, mean over random warps. Low for patterns that depend on exact pixels.
    pub robust_z: f64,
    /// z of the strongest training face.
    pub best_face_z: f64,
    /// Cosine between the features of the previous block at the picture's strongest cell and at the
    /// nine strongest activations, standardised per channel (for logits: of channel means). For the
    /// first block the correlation of receptive-field crops, the best within ±3 pixels. NaN (`null` in
    /// JSON) without faces.
    pub similarity: f64,
    /// Whether the picture tells its filter: among the nine strongest activations of its own filter and of 19 others,
    /// its own are nearest by the cosine of `similarity`. `None` with fewer filters, without faces, and for the first
    /// block.
    pub identified: Option<bool>,
    /// Mean correlation of the pictures from different seeds, the best within ±3 pixels.
    pub agreement: Option<f64>,
    /// Whether the ReLU after the filter is 0 on all training faces; `None` where no ReLU rectifies
    /// this filter alone.
    pub dead: Option<bool>,
    /// Scale of a batch-normalised channel. Below 0 the picture lowers the output of the
    /// convolution.
    pub gamma: Option<f32>,
}

impl FilterScores {
    /// Whether the filter fires on some training faces, and not equally on all.
    pub fn is_alive(&self) -> bool {
        self.dead != Some(true) && self.robust_z.is_finite()
    }
}

/// One picture with its scores.
#[derive(Clone, Debug)]
pub struct FilterPicture {
    /// Scores.
    pub scores: FilterScores,
    /// `[48, 48]` in \[0,1\].
    pub picture: Vec<f32>,
    /// Importance of each pixel, `[48, 48]`; 1 everywhere for a layer of the first block.
    pub importance: Vec<f32>,
    /// Row and column of the cell with the largest activation.
    pub cell: (usize, usize),
}

/// Scores the pictures of a layer's filters.
pub(crate) struct FilterScorer<'a> {
    pub layer: &'a LayerInfo,
    pub statistics: &'a [FilterStatistics],
    pub training: &'a TrainingFaces<'a>,
    pub options: &'a FilterOptions,
    /// Whether the ReLU after each filter is 0 on all training faces; `None` where there is no such
    /// ReLU.
    pub dead: Option<Vec<bool>>,
    /// Whether no block comes before the layer.
    first_block: bool,
    /// Features of the previous block; `None` for the first block, and without faces.
    features: Option<Features>,
}

impl<'a> FilterScorer<'a> {
    pub fn new(
        model: &dyn Classifier,
        layer: &'a LayerInfo,
        statistics: &'a [FilterStatistics],
        training: &'a TrainingFaces<'a>,
        options: &'a FilterOptions,
    ) -> Result<Self> {
        let layers = model.layers();
        let filters: Vec<usize> = statistics.iter().map(|s| s.filter).collect();
        let never_fires = |s: &[FilterStatistics]| s.iter().map(|s| s.highest <= 0.0).collect();
        let dead = match relu_of(&layers, &layer.name) {
            Some(relu) if relu.name == layer.name => Some(never_fires(statistics)),
            Some(relu) if relu.output[0] == layer.output[0] => {
                Some(never_fires(&training.filter_statistics(model, relu, &filters)?))
            }
            _ => None,
        };
        let block = if layer.name == LOGITS {
            layers.iter().rev().find(|l| l.kind == LayerKind::Relu)
        } else {
            previous_block(&layers, &layer.name)
        };
        let first_block = block.is_none();
        let features = block
            .filter(|_| !training.faces.is_empty())
            .map(|block| Features::new(model, block.clone(), layer, statistics, training))
            .transpose()?;
        Ok(FilterScorer { layer, statistics, training, options, dead, first_block, features })
    }

    /// Scores every picture, with `seeds` consecutive ones per filter, and keeps the best of each
    /// filter.
    pub fn score(
        &self,
        model: &dyn Classifier,
        method: MaximizationMethod,
        images: &[MaximizedImage],
        seeds: usize,
    ) -> Result<Vec<FilterPicture>> {
        let matched: Vec<f32> =
            images.iter().flat_map(|i| self.training.match_contrast(&i.picture)).collect();
        let units: Vec<usize> =
            (0..images.len()).map(|i| self.statistics[i / seeds].filter).collect();
        let plain =
            values_of(model, &filter_objective(model, self.layer, units.clone()), &matched)?;
        let robust = self.robust_values(model, &matched, &units)?;
        let own = |k: usize| k * seeds..(k + 1) * seeds;
        let best_of =
            |k: usize| own(k).fold(k * seeds, |b, i| if robust[i] > robust[b] { i } else { b });
        let of_best = |k: usize| &matched[best_of(k) * PIXELS..][..PIXELS];
        let shown: Vec<f32> = (0..self.statistics.len()).flat_map(of_best).copied().collect();
        let cells = self.strongest_cells(model, &shown)?;
        let similarity = match &self.features {
            Some(features) => features.similarity(model, &shown, &cells)?,
            None => vec![(f64::NAN, None); cells.len()],
        };
        let score = |k: usize| {
            let best = best_of(k);
            let s = &self.statistics[k];
            // Without variation beyond rounding there is no scale for z.
            let varies = s.sd > 1e-9 * s.median.abs();
            let z = |v: f64| if varies { (v - s.median) / s.sd } else { f64::NAN };
            let n = Naturalness::of(&images[best].picture);
            let scores = FilterScores {
                layer: self.layer.name.clone(),
                filter: s.filter,
                method,
                hf: n.hf,
                lag1: n.lag1,
                tv: n.tv,
                slope: n.slope,
                natural: n.is_natural(),
                z: z(f64::from(plain[best])),
                robust_z: z(robust[best]),
                best_face_z: z(f64::from(s.best)),
                similarity: match self.first_block && !s.top.is_empty() {
                    true => self.crop_similarity(s, &images[best].picture),
                    false => similarity[k].0,
                },
                identified: self.features.as_ref().and_then(|_| similarity[k].1),
                agreement: agreement(&images[own(k)]),
                dead: self.dead.as_ref().map(|d| d[k]),
                gamma: self.layer.gamma.as_ref().and_then(|g| g.get(s.filter).copied()),
            };
            let MaximizedImage { picture, mut importance, .. } = images[best].clone();
            if self.first_block {
                importance.fill(1.0); // fading would hide the surroundings of the one small cell
            }
            FilterPicture { scores, picture, importance, cell: cells[k] }
        };
        Ok((0..self.statistics.len()).map(score).collect())
    }

    /// The interior cell with the largest activation on each filter's picture.
    fn strongest_cells(
        &self,
        model: &dyn Classifier,
        pictures: &[f32],
    ) -> Result<Vec<(usize, usize)>> {
        let mut cells = Vec::with_capacity(self.statistics.len());
        for (faces, statistics) in
            pictures.chunks(BATCH * PIXELS).zip(self.statistics.chunks(BATCH))
        {
            let maps = output_maps(model, self.layer, faces)?;
            for (face, s) in statistics.iter().enumerate() {
                let map = maps.channel(face, s.filter);
                cells.push(self.layer.strongest_cell(map, maps.h, maps.w));
            }
        }
        Ok(cells)
    }

    /// The mean objective of every picture over random warps, the same for all pictures.
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
            let found = values_of(model, &filter_objective(model, self.layer, repeated), &warped)?;
            let mean = |v: &[f32]| v.iter().map(|&v| f64::from(v)).sum::<f64>() / each as f64;
            values.extend(found.chunks_exact(each).map(mean));
        }
        Ok(values)
    }

    /// The best correlation, within ±3 pixels, of the picture's centre crop with the mean of the
    /// strongest crops.
    fn crop_similarity(&self, s: &FilterStatistics, picture: &[f32]) -> f64 {
        let field = &self.layer.receptive_field;
        let shown = &s.top[..s.top.len().min(TOP_SHOWN)];
        let crops: Vec<Vec<f32>> = shown
            .iter()
            .map(|p| {
                let face = &self.training.faces[p.face * PIXELS..][..PIXELS];
                receptive_crop(face, field, p.row, p.column).0
            })
            .collect();
        let Some(first) = crops.first() else { return 0.0 };
        let mean: Vec<f32> = (0..first.len())
            .map(|q| crops.iter().map(|p| p[q]).sum::<f32>() / crops.len() as f32)
            .collect();
        let (h, w) = (self.layer.output[1] as isize, self.layer.output[2] as isize);
        let reach = |cells: isize| (cells / 2 - 3).max(0)..=(cells / 2 + 3).min(cells - 1);
        reach(h)
            .flat_map(|i| reach(w).map(move |j| (i as usize, j as usize)))
            .map(|(i, j)| ncc(&receptive_crop(picture, field, i, j).0, &mean))
            .fold(-1.0, f64::max)
    }
}

/// Mean over pairs of the best correlation within ±3 pixels; `None` for a single picture.
fn agreement(images: &[MaximizedImage]) -> Option<f64> {
    const REACH: usize = 3;
    let inner = SIDE - 2 * REACH;
    let cut = |x: &[f32], top: usize, left: usize| -> Vec<f32> {
        (0..inner * inner).map(|p| x[(top + p / inner) * SIDE + left + p % inner]).collect()
    };
    let mut found = vec![];
    for (i, a) in images.iter().enumerate() {
        for b in &images[i + 1..] {
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
