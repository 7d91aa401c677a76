//! What a report is about: a network, the faces it is judged on, and those it learnt from.

use crate::dataset::Dataset;
use crate::dataset::clean::image_hash::ImageHash;
use crate::explain::NetworkClassifier;
use crate::model::{Ensemble, LoadedModel};
use crate::report::EvaluationReport;
use crate::report::i18n::Language;
use crate::train::{CurveSummary, EpochMetrics, TrainConfig};
use crate::{Error, Result};
use std::path::PathBuf;

/// Faces with a name for the reader.
#[derive(Clone, Debug)]
pub struct NamedFaces {
    /// The faces.
    pub faces: Dataset,
    /// The file, or `None` for the validation faces of the training.
    pub path: Option<PathBuf>,
    /// Further words of the command line that say how the file was read, such as ` --usage PublicTest`.
    pub reading: String,
    /// Faces without label that were left out.
    pub unlabelled: usize,
}

impl NamedFaces {
    /// A fingerprint of all pixels and labels, in order.
    pub fn hash(&self) -> String {
        let labels = self.faces.labels().iter().map(|l| l.unwrap_or(u8::MAX));
        let bytes: Vec<u8> = self.faces.pixels().iter().copied().chain(labels).collect();
        format!("{:016x}", ImageHash::of(&bytes).low())
    }
}

/// How a report is made.
#[derive(Clone, Copy, Debug)]
pub struct ReportOptions {
    /// Language.
    pub language: Language,
    /// Fewer faces and filters, one start instead of two.
    pub quick: bool,
    /// Seed of everything random.
    pub seed: u64,
}

impl ReportOptions {
    /// Faces of each class whose maps are averaged.
    pub fn faces_of_a_class(&self) -> usize {
        if self.quick { 50 } else { 200 }
    }
    /// Training faces that filters are shown.
    pub fn training_faces(&self) -> usize {
        if self.quick { 700 } else { 3000 }
    }
    /// Filters of a layer.
    pub fn filters(&self) -> usize {
        if self.quick { 2 } else { 4 }
    }
    /// Pictures of a filter from different starts.
    pub fn starts(&self) -> usize {
        if self.quick { 1 } else { 2 }
    }
    /// Fits of LIME that are compared.
    pub fn fits(&self) -> usize {
        if self.quick { 2 } else { 3 }
    }
}

/// A network with everything that is asked about it.
pub struct ReportContext<'a> {
    /// The network as the user named it.
    pub ensemble: &'a Ensemble,
    /// Labelled faces that it is judged on.
    pub evaluated: &'a NamedFaces,
    /// Faces that it learnt from; those it is judged on where these cannot be had.
    pub training_faces: Option<&'a Dataset>,
    /// Epochs of the training; empty where nothing is known of it.
    pub history: &'a [EpochMetrics],
    /// How.
    pub options: ReportOptions,
}

impl ReportContext<'_> {
    /// The network with what its file says.
    pub fn model(&self) -> &LoadedModel {
        self.ensemble.first()
    }

    /// The network as explanations see it.
    pub(crate) fn classifier(&self) -> Result<NetworkClassifier<'_>> {
        self.model().explained()
    }

    /// Returns what the curves of the training show, where its history is known.
    pub(crate) fn curve_summary(&self) -> Option<CurveSummary> {
        let config = TrainConfig::of_model(self.model());
        CurveSummary::of(self.history, config.as_ref())
    }

    /// Names of the classes.
    pub fn names(&self) -> Vec<&str> {
        self.ensemble.classes()
    }

    /// Name of the run and of the network.
    pub fn title(&self) -> String {
        self.model().title()
    }

    /// Faces as the network sees them, `[n, 48, 48]` in \[0,1\].
    pub(crate) fn pixels(&self, faces: &Dataset, chosen: &[usize]) -> Vec<f32> {
        self.model().pixels(faces, chosen)
    }

    /// True classes of the judged faces; all have one.
    pub(crate) fn labels(&self) -> Vec<usize> {
        self.evaluated.faces.labels().iter().flatten().map(|&l| usize::from(l)).collect()
    }
}

/// Judges the faces: every number, and the features of the last layer.
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
        false => Err(Error::data(name, "holds no labelled face; a report needs some")),
    }
}

/// The face nearest to the mean of its class in what the last layer sees, for each class: among
/// those read right where there are any. `None` for a class without faces.
pub(crate) fn typical_faces(
    features: &[f32],
    labels: &[usize],
    predicted: &[usize],
    classes: usize,
) -> Vec<Option<usize>> {
    let d = features.len() / labels.len().max(1);
    let row = |f: usize| &features[f * d..][..d];
    let typical = |class: usize| {
        let own: Vec<usize> = (0..labels.len()).filter(|&f| labels[f] == class).collect();
        let mut mean = vec![0.0f64; d];
        for &f in &own {
            mean.iter_mut().zip(row(f)).for_each(|(m, &v)| *m += f64::from(v) / own.len() as f64);
        }
        let distance = |f: usize| -> f64 {
            row(f).iter().zip(&mean).map(|(&v, m)| (f64::from(v) - m).powi(2)).sum()
        };
        let right: Vec<usize> = own.iter().copied().filter(|&f| predicted[f] == class).collect();
        let among = if right.is_empty() { own } else { right };
        among.into_iter().min_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(a.cmp(&b)))
    };
    (0..classes).map(typical).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typical_is_nearest_to_the_mean_among_those_read_right() {
        // Class 0: 0, 1, 5 with mean 2; face 1 is nearest, but read wrong. Class 1: never right.
        let features = [0.0, 1.0, 5.0, 7.0, 9.0, 8.5];
        let found = typical_faces(&features, &[0, 0, 0, 1, 1, 1], &[0, 1, 0, 0, 0, 0], 3);
        assert_eq!(found, [Some(0), Some(5), None]);
    }
}
