//! The numbers of an evaluation with the names of models and data.

use crate::dataset::Dataset;
use crate::dataset::clean::duplicates::cross_duplicates;
use crate::metrics::Evaluation;
use crate::metrics::errors::{Mistake, mistakes, suspected_labels};
use crate::metrics::features::ClassDistances;
use crate::model::mean_face::mean_of;
use crate::model::{ClassCounts, Ensemble, Predictions};
use crate::report::evaluation::class_sentences::evaluation_text;
use crate::report::i18n::Language;
use crate::report::saliency::mistake_pages::{EvaluatedFaces, MistakeMaps};
use crate::stats::{Interval, wilson};
use crate::{Error, Result};
use serde::Serialize;
use std::path::Path;

/// Accuracy on faces that are not copies of training faces.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Unseen {
    /// Their number.
    pub n: usize,
    /// Share of correct predictions.
    pub accuracy: f64,
    /// Its 95 % interval.
    pub accuracy_interval: Interval,
}

/// The numbers of an evaluation, the names of models and data, and the text about them.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluationReport {
    /// All numbers.
    #[serde(flatten)]
    pub evaluation: Evaluation,
    /// Models as the user named them.
    pub models: Vec<String>,
    /// Data as the user named them.
    pub data: String,
    /// Averaged views per face (test-time augmentation).
    pub views: usize,
    /// Whether the probabilities are calibrated by the temperature of each model.
    pub calibrated: bool,
    /// Temperature of a single calibrated model.
    pub temperature_used: Option<f64>,
    /// Faces left out because they have no label.
    pub unlabelled: usize,
    /// Accuracy without copies of training faces, if these are known.
    pub unseen: Option<Unseen>,
    /// Training and validation faces per class of the first model, if known.
    pub class_counts: Option<ClassCounts>,
    /// Distances of the classes in the features of the last layer of the first model.
    pub distances: Option<ClassDistances>,
    /// Sentences about the classes.
    pub summary: String,
    /// Mistakes, most confident first.
    #[serde(skip)]
    pub mistakes: Vec<Mistake>,
    /// Mistakes that may be label errors.
    #[serde(skip)]
    pub suspects: Vec<Mistake>,
    /// Maps of mistakes, if [`EvaluationReport::explain`] was called.
    #[serde(skip)]
    pub maps: Option<MistakeMaps>,
}

impl EvaluationReport {
    /// Evaluates `predictions` of labelled `faces`. `features` are those of [`Ensemble::features`].
    ///
    /// # Errors
    /// [`Error::Data`] for a face without label, [`Error::Model`] if a label is not a class of the
    /// models.
    pub fn new(
        ensemble: &Ensemble,
        data: &str,
        faces: &Dataset,
        predictions: &Predictions,
        features: Option<&[f32]>,
    ) -> Result<Self> {
        let names = ensemble.classes();
        let labels: Vec<usize> = faces.labels().iter().flatten().map(|&l| l.into()).collect();
        if labels.is_empty() || labels.len() != faces.len() {
            let message = "holds faces without label; an evaluation needs labels";
            return Err(Error::data(data, message));
        }
        if let Some(label) = labels.iter().find(|&&l| l >= names.len()) {
            let known = names.join(", ");
            let message = format!("knows {known}; the faces have the label {label}, too");
            return Err(Error::model(&ensemble.first().path, message));
        }
        let logits = predictions.log_probabilities();
        let class_counts = ensemble.first().record.class_counts.clone();
        let trained_on = class_counts.as_ref().map(|c| c.train.as_slice());
        let evaluation = Evaluation::new(&logits, &labels, &names, trained_on)?;
        let distances =
            features.map(|f| ClassDistances::new(f, &labels, names.len())).transpose()?;
        Ok(Self {
            summary: evaluation_text(Language::English, &evaluation, distances.as_ref()),
            mistakes: mistakes(&logits, &labels, names.len()),
            suspects: suspected_labels(&logits, &labels, names.len()),
            evaluation,
            models: ensemble.members().iter().map(|m| shown(&m.path)).collect(),
            data: data.into(),
            views: 1,
            calibrated: false,
            temperature_used: None,
            unlabelled: 0,
            unseen: None,
            class_counts,
            distances,
            maps: None,
        })
    }

    /// Records that the predictions are those of [`Ensemble::predict_calibrated`].
    pub fn set_calibrated(&mut self, ensemble: &Ensemble, tta: bool) {
        self.calibrated = ensemble.is_calibrated(tta);
        if let ([only], true) = (ensemble.members(), self.calibrated) {
            self.temperature_used = only.temperature(tta);
        }
    }

    /// Computes the accuracy without faces that are copies of faces in `train`, which the network may
    /// have memorised.
    pub fn leave_out_copies(
        &mut self,
        faces: &Dataset,
        predictions: &Predictions,
        train: &Dataset,
    ) {
        let seen = cross_duplicates(train, faces).faces;
        let unseen = |i: &usize| seen.binary_search(i).is_err();
        let right =
            |i: usize| faces.label(i).is_some_and(|l| predictions.class(i) == usize::from(l));
        let rights: Vec<bool> = (0..faces.len()).filter(unseen).map(right).collect();
        let (n, correct) = (rights.len(), rights.iter().filter(|r| **r).count());
        if n > 0 {
            let interval = wilson(correct as u64, n as u64);
            let accuracy = correct as f64 / n as f64;
            self.unseen = Some(Unseen { n, accuracy, accuracy_interval: interval });
        }
    }

    /// Computes saliency maps of the mistakes with the first model.
    pub fn explain(&mut self, ensemble: &Ensemble, faces: &Dataset) -> Result<()> {
        let first = ensemble.first();
        let model = first.classifier()?;
        let all: Vec<usize> = (0..faces.len()).collect();
        let pixels = first.pixels(faces, &all);
        let names = self.names();
        let origin = |i: usize| self.place(faces, i);
        let mean_face = first.mean_face().unwrap_or_else(|| mean_of(&pixels));
        let evaluated = EvaluatedFaces {
            model: &model,
            names: &names,
            pixels: &pixels,
            mean_face: &mean_face,
            origin: &origin,
        };
        self.maps = Some(MistakeMaps::new(&evaluated, &self.mistakes)?);
        Ok(())
    }

    /// Returns the source of a face: its number for `--index` (unless faces without label were left
    /// out) and its line in the file, or the name of an image file.
    pub fn place(&self, faces: &Dataset, i: usize) -> String {
        let origin = faces.origin(i);
        let is_file = origin.path.extension().is_some();
        match (origin.line, is_file, self.unlabelled) {
            (Some(line), true, 0) => format!("#{i}, line {line}"),
            (Some(line), true, _) => format!("line {line}"),
            (Some(_), false, _) => format!("#{i}"),
            (None, ..) => {
                origin.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
            }
        }
    }

    /// Returns the names of the classes.
    pub fn names(&self) -> Vec<&str> {
        self.evaluation.per_class.iter().map(|c| c.label.as_str()).collect()
    }

    /// Returns models, data and options in one line.
    pub fn title(&self) -> String {
        let models = self.models.join(" + ");
        let views = match self.views {
            1 => String::new(),
            n => format!(", {n} views per face"),
        };
        let calibrated = match (self.calibrated, self.temperature_used) {
            (false, _) => String::new(),
            (true, Some(t)) => format!(", probabilities calibrated (temperature {t:.2})"),
            (true, None) => ", probabilities of each network calibrated".into(),
        };
        let faces = crate::render::format::counted(self.evaluation.n, "face");
        format!("{models} on {faces} of {}{views}{calibrated}", self.data)
    }
}

/// Returns a path as a report shows it: as it was given, but a folder given as `.` by its name.
fn shown(path: &Path) -> String {
    match path.file_name() {
        Some(_) => path.display().to_string(),
        None => crate::files::name(path),
    }
}
