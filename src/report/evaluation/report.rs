//! An evaluation with what was evaluated: one JSON object, one text.

use crate::dataset::Dataset;
use crate::dataset::clean::duplicates::cross_duplicates;
use crate::metrics::errors::{Mistake, mistakes, suspected_labels};
use crate::metrics::features::ClassDistances;
use crate::metrics::{Bin, Evaluation};
use crate::model::{ClassCounts, Ensemble, Predictions};
use crate::render::chart::ReliabilityBin;
use crate::report::evaluation::class_words;
use crate::report::saliency::mistake_pages::{Judged, MistakeMaps};
use crate::stats::{Interval, wilson};
use crate::{Error, Result};
use serde::Serialize;

/// Accuracy on faces that are no copies of training faces.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Unseen {
    /// Their number.
    pub n: usize,
    /// Share that is judged right.
    pub accuracy: f64,
    /// Its 95 % interval.
    pub accuracy_interval: Interval,
}

/// The numbers of an evaluation, what they are of, and what follows from them.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluationReport {
    /// All numbers.
    #[serde(flatten)]
    pub evaluation: Evaluation,
    /// The models, as they were named.
    pub models: Vec<String>,
    /// The faces, as they were named.
    pub data: String,
    /// Views of each face whose answers were averaged.
    pub views: usize,
    /// Whether the probabilities are calibrated, by the temperature of each model.
    pub calibrated: bool,
    /// That of a single model; none = as the network gave them, or several models.
    pub temperature_used: Option<f64>,
    /// Faces that were left out because they have no label.
    pub unlabelled: usize,
    /// The same without copies of training faces, where these are known.
    pub unseen: Option<Unseen>,
    /// Faces of each class that the first model was trained on and chosen by, where known.
    pub class_counts: Option<ClassCounts>,
    /// Distances of the classes in what the first model's last layer sees.
    pub distances: Option<ClassDistances>,
    /// Why one expression is read well and another is not.
    pub words: String,
    /// Mistakes, the most confident first.
    #[serde(skip)]
    pub mistakes: Vec<Mistake>,
    /// Mistakes that may be the label's.
    #[serde(skip)]
    pub suspects: Vec<Mistake>,
    /// Mistakes with the maps of both classes; made on request, see [`EvaluationReport::explain`].
    #[serde(skip)]
    pub maps: Option<MistakeMaps>,
}

impl EvaluationReport {
    /// Judges `predictions` for `faces`, all of which have a label. `features` are those of
    /// [`Ensemble::features`].
    ///
    /// # Errors
    /// [`Error::Data`] for a face without label, [`Error::Model`] where the models know other
    /// classes than the data.
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
            words: class_words::why(&evaluation, distances.as_ref()),
            mistakes: mistakes(&logits, &labels, names.len()),
            suspects: suspected_labels(&logits, &labels, names.len()),
            evaluation,
            models: ensemble.members().iter().map(|m| m.path.display().to_string()).collect(),
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

    /// Tells that the predictions are those of [`Ensemble::predict_calibrated`].
    pub fn set_calibrated(&mut self, ensemble: &Ensemble, tta: bool) {
        self.calibrated = ensemble.is_calibrated(tta);
        if let ([only], true) = (ensemble.members(), self.calibrated) {
            self.temperature_used = only.temperature(tta);
        }
    }

    /// Judges once more without the faces that also occur in `train`, pixel for pixel: the network
    /// may know them by heart.
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

    /// Explains the mistakes by the first model.
    ///
    /// # Errors
    /// Those of the network and of drawing.
    pub fn explain(&mut self, ensemble: &Ensemble, faces: &Dataset) -> Result<()> {
        let first = ensemble.first();
        let model = first.explained()?;
        let all: Vec<usize> = (0..faces.len()).collect();
        let pixels = first.pixels(faces, &all);
        let names = self.names();
        let origin = |i: usize| self.place(faces, i);
        let judged = Judged { model: &model, names: &names, pixels: &pixels, origin: &origin };
        self.maps = Some(MistakeMaps::new(&judged, &self.mistakes)?);
        Ok(())
    }

    /// Where to find a judged face: its number as --index counts, unless faces without label stand
    /// between, and the line of the file; or the name of a picture.
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

    /// Names of the classes.
    pub fn names(&self) -> Vec<&str> {
        self.evaluation.per_class.iter().map(|c| c.label.as_str()).collect()
    }

    /// Accuracy and confidence by interval of confidence, as the reliability diagram takes them.
    pub fn reliability_bins(&self) -> Vec<ReliabilityBin> {
        let bin = |b: &Bin| ReliabilityBin {
            count: b.count,
            confidence: b.confidence,
            accuracy: b.accuracy,
        };
        self.evaluation.reliability.bins.iter().map(bin).collect()
    }

    /// What was evaluated, in one line.
    pub fn title(&self) -> String {
        let models = self.models.join(" + ");
        let views = match self.views {
            1 => String::new(),
            n => format!(", {n} views a face"),
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
