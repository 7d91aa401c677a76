//! Input of a report: a network, the evaluated faces, the training faces, the options.

use crate::dataset::Dataset;
use crate::dataset::clean::image_hash::ImageHash;
use crate::explain::NetworkClassifier;
use crate::model::{Ensemble, LoadedModel};
use crate::report::EvaluationReport;
use crate::report::i18n::Language;
use crate::train::{CurveSummary, EpochMetrics, TrainConfig};
use crate::{Error, Result};
use std::path::PathBuf;

/// Evaluated faces with the name of their file.
#[derive(Clone, Debug)]
pub struct NamedFaces {
    /// The faces.
    pub faces: Dataset,
    /// File of the faces; `None` for the validation faces of the training.
    pub path: Option<PathBuf>,
    /// Options of the command line for reading the file, such as ` --usage PublicTest`.
    pub reading: String,
    /// Number of faces left out because they have no label.
    pub unlabelled: usize,
}

impl NamedFaces {
    /// Returns a hash of all pixels and labels in order.
    pub fn hash(&self) -> String {
        let labels = self.faces.labels().iter().map(|l| l.unwrap_or(u8::MAX));
        let bytes: Vec<u8> = self.faces.pixels().iter().copied().chain(labels).collect();
        format!("{:016x}", ImageHash::of(&bytes).low())
    }
}

/// Options of a report.
#[derive(Clone, Copy, Debug)]
pub struct ReportOptions {
    /// Language.
    pub language: Language,
    /// Whether to use fewer faces and filters, and one start instead of two.
    pub quick: bool,
    /// Random seed.
    pub seed: u64,
}

impl ReportOptions {
    /// Returns the number of faces per class whose maps are averaged.
    pub fn faces_of_a_class(&self) -> usize {
        if self.quick { 50 } else { 200 }
    }
    /// Returns the number of training faces that are searched for top patches.
    pub fn training_faces(&self) -> usize {
        if self.quick { 700 } else { 3000 }
    }
    /// Returns the number of filters per layer.
    pub fn filters(&self) -> usize {
        if self.quick { 2 } else { 4 }
    }
    /// Returns the number of images per filter and method, from different starts.
    pub fn starts(&self) -> usize {
        if self.quick { 1 } else { 2 }
    }
    /// Returns the number of LIME fits per face.
    pub fn fits(&self) -> usize {
        if self.quick { 2 } else { 3 }
    }
}

/// A network with faces and options.
pub struct ReportContext<'a> {
    /// The network as the user named it.
    pub ensemble: &'a Ensemble,
    /// Evaluated faces, all labelled.
    pub evaluated: &'a NamedFaces,
    /// Training faces; the evaluated faces are used if these are not available.
    pub training_faces: Option<&'a Dataset>,
    /// Epochs of the training; empty if not known.
    pub history: &'a [EpochMetrics],
    /// Options.
    pub options: ReportOptions,
}

impl ReportContext<'_> {
    /// Returns the network; the first member of an ensemble.
    pub fn model(&self) -> &LoadedModel {
        self.ensemble.first()
    }

    /// Returns the network as a classifier for explanations.
    pub(crate) fn classifier(&self) -> Result<NetworkClassifier<'_>> {
        self.model().classifier()
    }

    /// Returns the summary of the training curves, if the history is known.
    pub(crate) fn curve_summary(&self) -> Option<CurveSummary> {
        let config = TrainConfig::of_model(self.model());
        CurveSummary::of(self.history, config.as_ref())
    }

    /// Returns the names of the classes.
    pub fn names(&self) -> Vec<&str> {
        self.ensemble.classes()
    }

    /// Returns the name of the run and of the architecture.
    pub fn title(&self) -> String {
        self.model().title()
    }

    /// Returns preprocessed faces, `[n, 48, 48]` in \[0,1\].
    pub(crate) fn pixels(&self, faces: &Dataset, chosen: &[usize]) -> Vec<f32> {
        self.model().pixels(faces, chosen)
    }

    /// Returns the labels of the evaluated faces.
    pub(crate) fn labels(&self) -> Vec<usize> {
        self.evaluated.faces.labels().iter().flatten().map(|&l| usize::from(l)).collect()
    }
}

/// Evaluates the faces. Returns the evaluation and the features of the last layer.
pub(crate) fn evaluate(
    context: &ReportContext<'_>,
    progress: impl FnMut(usize),
) -> Result<(EvaluationReport, Option<Vec<f32>>)> {
    let faces = &context.evaluated.faces;
    let predictions = context.ensemble.predict_calibrated(faces, false, progress)?;
    let features = context.ensemble.features(faces)?;
    let name = match &context.evaluated.path {
        Some(path) => path.display().to_string(),
        None => "the validation data".into(),
    };
    let mut report =
        EvaluationReport::new(context.ensemble, &name, faces, &predictions, features.as_deref())?;
    report.unlabelled = context.evaluated.unlabelled;
    report.set_calibrated(context.ensemble, false);
    match report.evaluation.per_class.iter().any(|c| c.support > 0) {
        true => Ok((report, features)),
        false => Err(Error::data(name, "holds no labelled face; a report needs labelled faces")),
    }
}
