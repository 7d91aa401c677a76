//! The features of the previous block in the receptive field of a filter's cell.

use crate::explain::batch::BATCH;
use crate::explain::filters::top_activations::{
    FilterStatistics, TOP_SHOWN, TopActivation, channel_means, output_maps,
};
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::{Classifier, FeatureMaps, LayerInfo};
use crate::stats::{evenly_spread, mean_sd};
use crate::{PIXELS, Result};

/// Number of filters among which a picture is to tell its own.
const CHOICES: usize = 20;

/// The output of the previous block where a layer's filters are activated most, standardised per
/// channel over the training faces.
pub(crate) struct Features {
    /// Last layer of the previous block.
    block: LayerInfo,
    /// The layer of the filters.
    layer: LayerInfo,
    /// Mean and standard deviation of each channel: over its cells, or over its mean per face where
    /// a cell of the layer depends on the whole face.
    moments: Vec<(f64, f64)>,
    /// For each filter the mean over its strongest activations.
    top: Vec<Vec<f64>>,
}

impl Features {
    /// Measures `block` at the strongest activations of every filter of `layer`.
    pub fn new(
        model: &dyn Classifier,
        block: LayerInfo,
        layer: &LayerInfo,
        statistics: &[FilterStatistics],
        training: &TrainingFaces<'_>,
    ) -> Result<Features> {
        let mut found = Features { block, layer: layer.clone(), moments: vec![], top: vec![] };
        found.moments = found.measure(model, training.faces)?;
        for s in statistics {
            let shown = &s.top[..s.top.len().min(TOP_SHOWN)];
            let face = |p: &TopActivation| &training.faces[p.face * PIXELS..][..PIXELS];
            let faces: Vec<f32> = shown.iter().flat_map(face).copied().collect();
            let cells: Vec<_> = shown.iter().map(|p| (p.row, p.column)).collect();
            let rows = found.at(model, &faces, &cells)?;
            let size = rows.first().map_or(0, Vec::len);
            let mean = |q: usize| rows.iter().map(|r| r[q]).sum::<f64>() / rows.len() as f64;
            found.top.push((0..size).map(mean).collect());
        }
        Ok(found)
    }

    /// Returns the cosine between the features of a cell of each picture and the mean features of
    /// its filter's strongest activations, and whether those of 19 other filters are all less alike; `None` where
    /// there are fewer. Picture k belongs to filter k.
    pub fn similarity(
        &self,
        model: &dyn Classifier,
        pictures: &[f32],
        cells: &[(usize, usize)],
    ) -> Result<Vec<(f64, Option<bool>)>> {
        let rows = self.at(model, pictures, cells)?;
        let candidates = evenly_spread(self.top.len(), CHOICES);
        let of_picture = |(k, row): (usize, &Vec<f64>)| {
            let own = cosine(row, &self.top[k]);
            let others = candidates.iter().filter(|&&c| c != k).take(CHOICES - 1);
            let nearest = || others.clone().all(|&c| cosine(row, &self.top[c]) < own);
            (own, (others.clone().count() == CHOICES - 1).then(nearest))
        };
        Ok(rows.iter().enumerate().map(of_picture).collect())
    }

    /// Whether a cell of the layer depends on the whole face, so that its position does not matter.
    fn is_global(&self) -> bool {
        !self.layer.has_map()
    }

    fn measure(&self, model: &dyn Classifier, faces: &[f32]) -> Result<Vec<(f64, f64)>> {
        let channels = self.block.output[0];
        let mut values = vec![vec![]; channels];
        for faces in faces.chunks(BATCH * PIXELS) {
            let maps = output_maps(model, &self.block, faces)?;
            if self.is_global() {
                for row in channel_means(&maps, &self.block).chunks_exact(channels) {
                    values.iter_mut().zip(row).for_each(|(all, &v)| all.push(f64::from(v)));
                }
                continue;
            }
            // The mean and mean square of each face's cells determine the moments of all cells.
            for (c, all) in values.iter_mut().enumerate() {
                for f in 0..maps.n {
                    let cells: Vec<f64> = maps.channel(f, c).iter().map(|&v| v.into()).collect();
                    let (mean, sd) = mean_sd(&cells);
                    all.extend([mean, sd * sd + mean * mean]);
                }
            }
        }
        let moments = |all: &Vec<f64>| match self.is_global() {
            true => mean_sd(all),
            false => {
                let n = (all.len() / 2).max(1) as f64;
                let mean = all.iter().step_by(2).sum::<f64>() / n;
                let square = all.iter().skip(1).step_by(2).sum::<f64>() / n;
                (mean, (square - mean * mean).max(0.0).sqrt())
            }
        };
        Ok(values.iter().map(moments).collect())
    }

    /// The features of one cell of each face: the block's cells within its receptive field,
    /// `[c, k, k]`, where cells outside the map have the channel mean; or the channel means.
    fn at(
        &self,
        model: &dyn Classifier,
        faces: &[f32],
        cells: &[(usize, usize)],
    ) -> Result<Vec<Vec<f64>>> {
        let mut rows = Vec::with_capacity(cells.len());
        for (faces, cells) in faces.chunks(BATCH * PIXELS).zip(cells.chunks(BATCH)) {
            let maps = output_maps(model, &self.block, faces)?;
            if self.is_global() {
                let means = channel_means(&maps, &self.block);
                rows.extend(means.chunks_exact(maps.c).map(|row| self.standardise(row, 1)));
                continue;
            }
            for (f, &cell) in cells.iter().enumerate() {
                let (window, k) = self.window(&maps, f, cell);
                rows.push(self.standardise(&window, k * k));
            }
        }
        Ok(rows)
    }

    /// The block's cells in the receptive field of a cell, `[c, k, k]`, and k.
    fn window(&self, maps: &FeatureMaps, face: usize, cell: (usize, usize)) -> (Vec<f32>, usize) {
        let (layer, block) = (&self.layer.receptive_field, &self.block.receptive_field);
        let reach = (layer.size.saturating_sub(block.size)) as f64 / 2.0;
        let first = |cell: usize| {
            let centre = layer.start + cell as f64 * layer.jump;
            ((centre - reach - block.start) / block.jump - 1e-6).ceil() as isize
        };
        let k = ((2.0 * reach / block.jump + 1e-6).floor() as usize + 1).min(maps.h.max(maps.w));
        let (top, left) = (first(cell.0), first(cell.1));
        let at = |c: usize, p: usize| {
            let (i, j) = (top + (p / k) as isize, left + (p % k) as isize);
            let inside = (0..maps.h as isize).contains(&i) && (0..maps.w as isize).contains(&j);
            match inside {
                true => maps.channel(face, c)[i as usize * maps.w + j as usize],
                false => self.moments[c].0 as f32,
            }
        };
        (
            (0..maps.c)
                .flat_map(|c| (0..k * k).map(move |p| (c, p)))
                .map(|(c, p)| at(c, p))
                .collect(),
            k,
        )
    }

    /// Standardises values `[c, each]` per channel.
    fn standardise(&self, values: &[f32], each: usize) -> Vec<f64> {
        let channels = values.chunks_exact(each).zip(&self.moments);
        let one = |(values, &(mean, sd)): (&[f32], &(f64, f64))| {
            values.iter().map(move |&v| (f64::from(v) - mean) / sd.max(1e-12)).collect::<Vec<_>>()
        };
        channels.flat_map(one).collect()
    }
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norm = (dot(a, a) * dot(b, b)).sqrt();
    if norm > 0.0 { dot(a, b) / norm } else { 0.0 }
}
