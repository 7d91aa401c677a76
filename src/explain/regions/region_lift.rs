//! Region lift: the share of the attribution in each part of the face, divided by the share of the
//! area.

use crate::explain::image_ops::sobel;
use crate::explain::regions::face_regions::{REGIONS, Region, Template};
use crate::explain::significance::MIN_FACES;
use crate::stats::{Interval, bootstrap_mean, mean};
use crate::{Error, PIXELS, Result};
use rayon::prelude::*;

/// The maps that a lift was measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MapSource {
    /// Attribution maps of the network.
    Network,
    /// A constant map: lift 1 by definition.
    Uniform,
    /// Edges of the picture itself. Attribution with the same lift may follow edges alone.
    Sobel,
    /// The same method on the same network with random weights.
    Randomised,
}

/// Lift of one region for one class.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Lift {
    /// True class; `None` for all faces.
    pub class: Option<usize>,
    /// The maps.
    pub source: MapSource,
    /// Part of the face.
    pub region: Region,
    /// Mean over the faces of (share of the attribution)/(share of the area); 1 is no preference.
    pub lift: f64,
    /// 95 % bootstrap interval over the faces.
    pub interval: Interval,
    /// Mean share of the attribution.
    pub share: f64,
    /// Number of faces.
    pub faces: usize,
}

impl Lift {
    /// Whether there are enough faces for an interval.
    pub fn is_known(&self) -> bool {
        self.faces >= MIN_FACES
    }
}

/// Settings of [`region_lift`].
#[derive(Clone, Debug)]
pub struct LiftOptions {
    /// Bootstrap resamples.
    pub resamples: usize,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl LiftOptions {
    /// The defaults: 1,000 resamples.
    pub fn new(seed: u64) -> Self {
        Self { resamples: 1_000, seed }
    }
}

/// A function that makes maps `[n, 48, 48]` of n faces.
pub type Explain<'a> = dyn FnMut(&[f32]) -> Result<Vec<f32>> + 'a;

/// Measures the lift of every region, class and source, from maps `[n, 48, 48]` of n faces with
/// true labels, by the regions of each face.
///
/// `randomised` makes maps of the same faces by the same method on a network with random weights;
/// without it that control is missing from the result. Classes without faces are left out.
///
/// **Errors**: `Shape` where the counts differ; those of `randomised`.
pub fn region_lift(
    faces: &[f32],
    labels: &[usize],
    maps: &[f32],
    templates: &[Template],
    options: &LiftOptions,
    randomised: Option<&mut Explain<'_>>,
) -> Result<Vec<Lift>> {
    let size = labels.len() * PIXELS;
    let random = randomised.map(|draw| draw(faces)).transpose()?;
    let all = [Some(faces), Some(maps), random.as_deref()];
    if let Some(odd) = all.iter().flatten().find(|m| m.len() != size) {
        let detail = format!("{} labels, but {} pixels or map values", labels.len(), odd.len());
        return Err(Error::shape("region_lift", detail));
    }
    if templates.len() != labels.len() {
        let detail = format!("{} labels, but {} templates", labels.len(), templates.len());
        return Err(Error::shape("region_lift", detail));
    }
    let edges: Vec<f32> = faces.par_chunks_exact(PIXELS).flat_map_iter(sobel).collect();
    let uniform = vec![1.0; size];
    let mut sources = vec![
        (MapSource::Network, maps),
        (MapSource::Uniform, uniform.as_slice()),
        (MapSource::Sobel, edges.as_slice()),
    ];
    sources.extend(random.as_deref().map(|maps| (MapSource::Randomised, maps)));

    let highest = labels.iter().max().map_or(0, |c| c + 1);
    let groups: Vec<Option<usize>> = std::iter::once(None).chain((0..highest).map(Some)).collect();
    let mut rows = Vec::new();
    for (source, maps) in sources {
        let shares = shares_of(maps, templates);
        for &class in &groups {
            let chosen: Vec<usize> =
                (0..labels.len()).filter(|&f| class.is_none_or(|c| labels[f] == c)).collect();
            if !chosen.is_empty() {
                rows.extend(lifts(source, class, &chosen, &shares, templates, options));
            }
        }
    }
    Ok(rows)
}

fn shares_of(maps: &[f32], templates: &[Template]) -> Vec<[f64; REGIONS]> {
    maps.par_chunks_exact(PIXELS).zip(templates).map(|(map, t)| t.shares(map)).collect()
}

fn lifts(
    source: MapSource,
    class: Option<usize>,
    chosen: &[usize],
    shares: &[[f64; REGIONS]],
    templates: &[Template],
    options: &LiftOptions,
) -> Vec<Lift> {
    let region_lift = |&region: &Region| {
        let r = region as usize;
        let share: Vec<f64> = chosen.iter().map(|&f| shares[f][r]).collect();
        let lift: Vec<f64> = chosen
            .iter()
            .map(|&f| shares[f][r] / templates[f].areas()[r].max(1.0 / PIXELS as f64))
            .collect();
        Lift {
            class,
            source,
            region,
            lift: mean(&lift),
            interval: bootstrap_mean(&lift, options.resamples, options.seed),
            share: mean(&share),
            faces: chosen.len(),
        }
    };
    Region::ALL.par_iter().map(region_lift).collect()
}

/// Returns the faces with the largest share of their attribution outside the face, largest first,
/// as (face, share), at most `count`. `templates` holds one template per face.
pub fn most_outside(maps: &[f32], templates: &[Template], count: usize) -> Vec<(usize, f64)> {
    let shares = shares_of(maps, templates).into_iter().map(|s| s[Region::Outside as usize]);
    let mut shares: Vec<(usize, f64)> = shares.enumerate().collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    shares.truncate(count);
    shares
}
