//! What the thread that computes works with: the network, the faces, and what it remembers.

use crate::dataset::Dataset;
use crate::explain::filters::top_activations::FilterStatistics;
use crate::explain::{AttributionOptions, Classifier, NetworkClassifier};
use crate::model::LoadedModel;
use crate::page::calls::map::DataMap;
use crate::photo::{FaceTracker, SeetaFace};
use crate::stats::evenly_spread;
use crate::{Error, PIXELS, Result};
use std::collections::HashMap;

/// Most faces whose activations are measured for a filter, spread evenly over the set.
const MEASURED: usize = 2_000;

/// Most videos that are followed at a time, one for each open page.
const MAX_VIDEOS: usize = 8;

/// A network and the faces to look at it with.
#[derive(Clone, Debug)]
pub struct Source {
    /// The network.
    pub model: LoadedModel,
    /// Faces to look at.
    pub faces: Dataset,
    /// Where they come from, in a few words.
    pub faces_from: String,
    /// Mean training face as the network sees it, `[48, 48]` in \[0,1\].
    pub mean_face: Vec<f32>,
}

/// The state of the thread.
pub struct Workspace<'a> {
    /// The network and the faces.
    pub source: &'a Source,
    /// The network as explanations see it.
    pub classifier: NetworkClassifier<'a>,
    /// Detects faces.
    pub detector: SeetaFace,
    /// The faces whose activations are measured, by number.
    pub measured: Vec<usize>,
    /// Statistics of the filters of each layer, by name.
    pub statistics: HashMap<String, Vec<FilterStatistics>>,
    /// The map of the faces.
    pub map: Option<DataMap>,
    /// The videos that are followed.
    pub videos: Videos,
}

/// The trackers of the videos that are followed, that of the last frame at the end.
#[derive(Debug, Default)]
pub struct Videos(Vec<(String, FaceTracker)>);

impl Videos {
    /// Returns the tracker of a video; that of the video used longest ago is forgotten.
    pub fn of(&mut self, name: &str) -> &mut FaceTracker {
        let known = self.0.iter().position(|(known, _)| known == name);
        let video = match known {
            Some(at) => self.0.remove(at),
            None => (name.to_owned(), FaceTracker::default()),
        };
        if self.0.len() == MAX_VIDEOS {
            self.0.remove(0);
        }
        self.0.push(video);
        let last = self.0.len() - 1;
        &mut self.0[last].1
    }
}

impl<'a> Workspace<'a> {
    /// Prepares a network.
    ///
    /// # Errors
    /// [`Error::Usage`] where its input is not one square channel.
    pub fn new(source: &'a Source) -> Result<Self> {
        Ok(Workspace {
            source,
            classifier: source.model.classifier()?,
            detector: SeetaFace::new()?,
            measured: evenly_spread(source.faces.len(), MEASURED),
            statistics: HashMap::new(),
            map: None,
            videos: Videos::default(),
        })
    }

    /// Returns faces `[n, 48, 48]` in gray levels as the network sees them.
    ///
    /// # Errors
    /// [`Error::Usage`] if the bytes are not a whole number of faces.
    pub fn pixels(&self, gray: &[u8]) -> Result<Vec<f32>> {
        if gray.is_empty() || !gray.len().is_multiple_of(PIXELS) {
            let found = format!("found {} bytes; expected faces of {PIXELS} each", gray.len());
            return Err(Error::Usage(found));
        }
        let count = gray.len() / PIXELS;
        let faces = Dataset::from_pixels(gray.to_vec(), vec![None; count], "page")?;
        Ok(self.source.model.pixels(&faces, &(0..count).collect::<Vec<_>>()))
    }

    /// Returns the calibrated probabilities of faces as the network sees them, `[n][classes]`.
    ///
    /// # Errors
    /// Those of the network.
    pub fn probabilities(&self, pixels: &[f32]) -> Result<Vec<Vec<f32>>> {
        let logits = self.classifier.logits(pixels)?;
        let rows = logits.chunks_exact(self.classifier.classes());
        Ok(rows.map(|row| self.classifier.probabilities(row)).collect())
    }

    /// Returns the options of the attribution methods.
    ///
    /// # Errors
    /// [`Error::Shape`] if the mean face is damaged.
    pub fn options(&self) -> Result<AttributionOptions> {
        AttributionOptions::new(self.source.mean_face.clone(), 0)
    }

    /// Returns the measured faces as the network sees them, and their labels (`usize::MAX`: none).
    pub fn measured_faces(&self) -> (Vec<f32>, Vec<usize>) {
        let label = |&i: &usize| self.source.faces.label(i).map_or(usize::MAX, usize::from);
        let labels = self.measured.iter().map(label).collect();
        (self.source.model.pixels(&self.source.faces, &self.measured), labels)
    }
}
