//! Statistics of the training faces for activation maximization.

use crate::explain::face_batch::count_faces;
use crate::explain::filters::activation_maximization::spectrum::{Extension, mean_magnitude};
use crate::explain::filters::activation_maximization::standardise;
use crate::explain::filters::naturalness::Naturalness;
use crate::explain::filters::top_activations::{FilterStatistics, TOP_SHOWN};
use crate::model::mean_face::mean_of;
use crate::model::weights::stored_statistics::StoredStatistics;
use crate::stats::{evenly_spread, mean_sd};
use crate::{Error, PIXELS, Result};
use std::borrow::Cow;

/// The training faces with their statistics.
pub struct TrainingFaces<'a> {
    /// `[n, 48, 48]` in \[0,1\]; none where the statistics come from a model file.
    pub faces: &'a [f32],
    /// True classes; where there are no faces, as many of each class as were measured.
    pub labels: Cow<'a, [usize]>,
    /// Mean magnitude spectrum.
    pub magnitude: Vec<f32>,
    /// Mean of all pixels.
    pub mean: f64,
    /// Mean over the faces of the standard deviation within a face.
    pub contrast: f64,
    /// Mean face.
    pub mean_face: Vec<f32>,
    /// The statistics of a model file, which stand in for the faces.
    pub(super) stored: Option<&'a StoredStatistics>,
}

impl<'a> TrainingFaces<'a> {
    /// Measures faces `[n, 48, 48]` in \[0,1\]. A few thousand are enough.
    ///
    /// **Errors**: `Shape` where there is no face, a pixel is not finite, or a label is missing.
    pub fn new(faces: &'a [f32], labels: &'a [usize], extension: Extension) -> Result<Self> {
        let n = count_faces(faces)?;
        if n == 0 || labels.len() != n {
            let detail = format!("{n} training faces with {} labels", labels.len());
            return Err(Error::shape("filters", detail));
        }
        let moments =
            |face: &[f32]| mean_sd(&face.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
        let each: Vec<(f64, f64)> = faces.chunks_exact(PIXELS).map(moments).collect();
        Ok(TrainingFaces {
            faces,
            labels: Cow::Borrowed(labels),
            magnitude: mean_magnitude(faces, extension),
            mean: each.iter().map(|e| e.0).sum::<f64>() / n as f64,
            contrast: each.iter().map(|e| e.1).sum::<f64>() / n as f64,
            mean_face: mean_of(faces),
            stored: None,
        })
    }

    /// Measures the naturalness of up to `most` faces, evenly spaced.
    pub fn naturalness(&self, most: usize) -> Vec<Naturalness> {
        let faces = evenly_spread(self.faces.len() / PIXELS, most).into_iter();
        faces.map(|i| Naturalness::of(&self.faces[i * PIXELS..][..PIXELS])).collect()
    }

    /// Returns the mean of the nine faces that activate a filter most after the nine that are shown, so that a picture
    /// that starts from them can be judged by those; the mean face where they are not known.
    pub fn next_strongest(&self, statistics: &FilterStatistics) -> Vec<f32> {
        let next = statistics.top.iter().skip(TOP_SHOWN).take(TOP_SHOWN);
        let faces = next.filter_map(|p| self.faces.get(p.face * PIXELS..)?.get(..PIXELS));
        let faces: Vec<f32> = faces.flatten().copied().collect();
        if faces.is_empty() { self.mean_face.clone() } else { mean_of(&faces) }
    }

    /// Returns a picture with the mean and contrast of the faces, clipped to \[0,1\], so that
    /// contrast alone does not raise an activation.
    pub fn match_contrast(&self, picture: &[f32]) -> Vec<f32> {
        let (y, _) = standardise(picture);
        let level = |y: f32| (self.mean + self.contrast * f64::from(y)).clamp(0.0, 1.0) as f32;
        y.into_iter().map(level).collect()
    }
}
