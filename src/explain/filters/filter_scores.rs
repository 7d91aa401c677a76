//! The numbers under a filter's picture: what it does to the network, how stable that is, and how
//! it compares with the faces that move the filter most.

use crate::explain::batch::BATCH;
use crate::explain::filters::activation_maximization::{MaximizedImage, values_of};
use crate::explain::filters::filter_features::Features;
use crate::explain::filters::filter_report::{FilterOptions, FilterPicture, FilterScores};
use crate::explain::filters::naturalness::Naturalness;
use crate::explain::filters::parametrization::MaximizationMethod;
use crate::explain::filters::top_activations::{
    FilterStatistics, LOGITS, TOP_SHOWN, filter_objective, filter_statistics, output_maps,
    receptive_crop,
};
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::filters::warps::{WarpRange, warp_all};
use crate::explain::layers::{previous_block, relu_of};
use crate::explain::{Classifier, LayerInfo, LayerKind};
use crate::random::{Purpose, Rng};
use crate::stats::ncc;
use crate::{PIXELS, Result, SIDE};

/// What pictures of a layer are judged against.
pub(crate) struct FilterScorer<'a> {
    pub site: &'a LayerInfo,
    pub surveys: &'a [FilterStatistics],
    pub training: &'a TrainingFaces<'a>,
    pub options: &'a FilterOptions,
    /// Whether the ReLU behind each filter never fires; `None` where there is no such ReLU.
    pub dead: Option<Vec<bool>>,
    /// What the block before shows of each filter's strongest patches; `None` for a first layer.
    features: Option<Features>,
}

impl<'a> FilterScorer<'a> {
    pub fn new(
        model: &dyn Classifier,
        site: &'a LayerInfo,
        surveys: &'a [FilterStatistics],
        training: &'a TrainingFaces<'a>,
        options: &'a FilterOptions,
    ) -> Result<Self> {
        let layers = model.layers();
        let filters: Vec<usize> = surveys.iter().map(|s| s.filter).collect();
        let silent = |s: &[FilterStatistics]| s.iter().map(|s| s.highest <= 0.0).collect();
        let dead = match relu_of(&layers, &site.name) {
            Some(relu) if relu.name == site.name => Some(silent(surveys)),
            Some(relu) if relu.output[0] == site.output[0] => {
                Some(silent(&filter_statistics(model, relu, &filters, training.faces)?))
            }
            _ => None,
        };
        let before = if site.name == LOGITS {
            layers.iter().rev().find(|l| l.kind == LayerKind::Relu)
        } else {
            previous_block(&layers, &site.name)
        };
        let features = before
            .map(|layer| Features::new(model, layer.clone(), site, surveys, training))
            .transpose()?;
        Ok(FilterScorer { site, surveys, training, options, dead, features })
    }

    /// Numbers of every picture, `seeds` in a row for each filter; the best is kept.
    pub fn judge(
        &self,
        model: &dyn Classifier,
        recipe: MaximizationMethod,
        raised: &[MaximizedImage],
        seeds: usize,
    ) -> Result<Vec<FilterPicture>> {
        let matched: Vec<f32> =
            raised.iter().flat_map(|r| self.training.match_contrast(&r.picture)).collect();
        let units: Vec<usize> = (0..raised.len()).map(|i| self.surveys[i / seeds].filter).collect();
        let plain = values_of(model, &filter_objective(model, self.site, units.clone()), &matched)?;
        let robust = self.robust_values(model, &matched, &units)?;
        let own = |k: usize| k * seeds..(k + 1) * seeds;
        let best_of =
            |k: usize| own(k).fold(k * seeds, |b, i| if robust[i] > robust[b] { i } else { b });
        let of_best = |k: usize| &matched[best_of(k) * PIXELS..][..PIXELS];
        let shown: Vec<f32> = (0..self.surveys.len()).flat_map(of_best).copied().collect();
        let cells = self.strongest_cells(model, &shown)?;
        let similarity = match &self.features {
            Some(features) => features.similarity(model, &shown, &cells)?,
            None => vec![0.0; cells.len()],
        };
        let judged = |k: usize| {
            let best = best_of(k);
            let s = &self.surveys[k];
            // A filter that answers all faces alike, up to rounding, has no scale to measure by.
            let varies = s.sd > 1e-9 * s.median.abs();
            let z = |v: f64| if varies { (v - s.median) / s.sd } else { f64::NAN };
            let n = Naturalness::of(&raised[best].picture);
            let highest = s.values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let numbers = FilterScores {
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
                    Some(_) => similarity[k],
                    None => self.patch_similarity(s, &raised[best].picture),
                },
                agreement: agreement(&raised[own(k)]),
                dead: self.dead.as_ref().map(|d| d[k]),
                gamma: self.site.gamma.as_ref().and_then(|g| g.get(s.filter).copied()),
            };
            let MaximizedImage { picture, mut importance, .. } = raised[best].clone();
            if self.features.is_none() {
                importance.fill(1.0); // one small cell is raised; fading would hide its setting
            }
            FilterPicture { numbers, picture, importance, cell: cells[k] }
        };
        Ok((0..self.surveys.len()).map(judged).collect())
    }

    /// The interior cell that each filter's picture moves most.
    fn strongest_cells(
        &self,
        model: &dyn Classifier,
        pictures: &[f32],
    ) -> Result<Vec<(usize, usize)>> {
        let mut cells = Vec::with_capacity(self.surveys.len());
        for (faces, surveys) in pictures.chunks(BATCH * PIXELS).zip(self.surveys.chunks(BATCH)) {
            let maps = output_maps(model, self.site, faces)?;
            for (face, s) in surveys.iter().enumerate() {
                let map = maps.channel(face, s.filter);
                cells.push(self.site.strongest_cell(map, maps.h, maps.w));
            }
        }
        Ok(cells)
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
            let found = values_of(model, &filter_objective(model, self.site, repeated), &warped)?;
            let mean = |v: &[f32]| v.iter().map(|&v| f64::from(v)).sum::<f64>() / each as f64;
            values.extend(found.chunks_exact(each).map(mean));
        }
        Ok(values)
    }

    /// Best correlation within ±3 pixels of the picture's centre crop with the mean top patch.
    fn patch_similarity(&self, s: &FilterStatistics, picture: &[f32]) -> f64 {
        let field = &self.site.receptive_field;
        let shown = &s.top[..s.top.len().min(TOP_SHOWN)];
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

/// Mean over pairs of the best correlation within ±3 pixels; `None` for a single picture.
fn agreement(raised: &[MaximizedImage]) -> Option<f64> {
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
