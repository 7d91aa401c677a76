//! What the block before a filter shows of a place: the material that the filter is made of.

use crate::explain::batch::BATCH;
use crate::explain::filters::top_activations::{
    FilterStatistics, TOP_SHOWN, channel_means, output_maps,
};
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::{Classifier, FeatureMaps, LayerInfo};
use crate::stats::mean_sd;
use crate::{PIXELS, Result};

/// The previous block around the places that move a layer's filters, standardised channel by
/// channel over the training faces.
pub(crate) struct Features {
    layer: LayerInfo,
    site: LayerInfo,
    /// Mean and deviation of each channel: of its cells, or of its means where the site sees all.
    moments: Vec<(f64, f64)>,
    /// For each filter the mean over its strongest patches.
    top: Vec<Vec<f64>>,
}

impl Features {
    /// Looks at the strongest patches of every filter of `site` through `layer`.
    pub fn new(
        model: &dyn Classifier,
        layer: LayerInfo,
        site: &LayerInfo,
        surveys: &[FilterStatistics],
        training: &TrainingFaces<'_>,
    ) -> Result<Features> {
        let mut found = Features { layer, site: site.clone(), moments: vec![], top: vec![] };
        found.moments = found.measure(model, training.faces)?;
        for s in surveys {
            let shown = &s.top[..s.top.len().min(TOP_SHOWN)];
            let face = |p: &crate::explain::filters::top_activations::TopActivation| {
                &training.faces[p.face * PIXELS..][..PIXELS]
            };
            let faces: Vec<f32> = shown.iter().flat_map(face).copied().collect();
            let cells: Vec<_> = shown.iter().map(|p| (p.row, p.column)).collect();
            let rows = found.at(model, &faces, &cells)?;
            let size = rows.first().map_or(0, Vec::len);
            let mean = |q: usize| rows.iter().map(|r| r[q]).sum::<f64>() / rows.len() as f64;
            found.top.push((0..size).map(mean).collect());
        }
        Ok(found)
    }

    /// Cosine between what a cell of each picture sees and what its filter's strongest patches
    /// show, in the previous block; picture k belongs to filter k.
    pub fn similarity(
        &self,
        model: &dyn Classifier,
        pictures: &[f32],
        cells: &[(usize, usize)],
    ) -> Result<Vec<f64>> {
        let rows = self.at(model, pictures, cells)?;
        Ok(rows.iter().zip(&self.top).map(|(a, b)| cosine(a, b)).collect())
    }

    /// Whether the site is one cell that sees everything: then the place does not matter.
    fn sees_all(&self) -> bool {
        !self.site.has_map()
    }

    fn measure(&self, model: &dyn Classifier, faces: &[f32]) -> Result<Vec<(f64, f64)>> {
        let channels = self.layer.output[0];
        let mut values = vec![vec![]; channels];
        for faces in faces.chunks(BATCH * PIXELS) {
            let maps = output_maps(model, &self.layer, faces)?;
            if self.sees_all() {
                for row in channel_means(&maps, &self.layer).chunks_exact(channels) {
                    values.iter_mut().zip(row).for_each(|(all, &v)| all.push(f64::from(v)));
                }
                continue;
            }
            // Mean and mean square of each face's cells: enough for the moments of all cells.
            for (c, all) in values.iter_mut().enumerate() {
                for f in 0..maps.n {
                    let cells: Vec<f64> = maps.channel(f, c).iter().map(|&v| v.into()).collect();
                    let (mean, sd) = mean_sd(&cells);
                    all.extend([mean, sd * sd + mean * mean]);
                }
            }
        }
        let moments = |all: &Vec<f64>| match self.sees_all() {
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

    /// What the cell of each face sees: the previous block's cells within its receptive field,
    /// `[c, k, k]`, those outside the map at the mean; or channel means.
    fn at(
        &self,
        model: &dyn Classifier,
        faces: &[f32],
        cells: &[(usize, usize)],
    ) -> Result<Vec<Vec<f64>>> {
        let mut rows = Vec::with_capacity(cells.len());
        for (faces, cells) in faces.chunks(BATCH * PIXELS).zip(cells.chunks(BATCH)) {
            let maps = output_maps(model, &self.layer, faces)?;
            if self.sees_all() {
                let means = channel_means(&maps, &self.layer);
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

    fn window(&self, maps: &FeatureMaps, face: usize, cell: (usize, usize)) -> (Vec<f32>, usize) {
        let (site, own) = (&self.site.receptive_field, &self.layer.receptive_field);
        let reach = (site.size.saturating_sub(own.size)) as f64 / 2.0;
        let first = |cell: usize| {
            let centre = site.start + cell as f64 * site.jump;
            ((centre - reach - own.start) / own.jump - 1e-6).ceil() as isize
        };
        let k = ((2.0 * reach / own.jump + 1e-6).floor() as usize + 1).min(maps.h.max(maps.w));
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

    /// `[c, each]` in deviations from each channel's mean.
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
