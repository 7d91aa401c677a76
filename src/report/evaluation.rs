//! An evaluation with what was evaluated: one JSON object, one text.

use super::mistake_maps::{Judged, MistakeMaps};
use crate::dataset::Dataset;
use crate::dataset::augment::View;
use crate::error::{Error, Result};
use crate::explain::Explained;
use crate::metrics::errors::{Mistake, mistakes, suspected_labels};
use crate::metrics::features::ClassDistances;
use crate::metrics::{Evaluation, words};
use crate::train::{ClassCounts, Ensemble, Predictions};
use crate::{PIXELS, SIDE};
use serde::Serialize;

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
    /// Temperature that made the probabilities calibrated ones; none = as the network gave them.
    pub temperature_used: Option<f64>,
    /// Faces that were left out because they have no label.
    pub unlabelled: usize,
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
        let class_counts = ensemble.first().class_counts.clone();
        let trained_on = class_counts.as_ref().map(|c| c.train.as_slice());
        let evaluation = Evaluation::new(&logits, &labels, &names, trained_on)?;
        let distances =
            features.map(|f| ClassDistances::new(f, &labels, names.len())).transpose()?;
        Ok(Self {
            words: words::why(&evaluation, distances.as_ref()),
            mistakes: mistakes(&logits, &labels, names.len()),
            suspects: suspected_labels(&logits, &labels, names.len()),
            evaluation,
            models: ensemble.members().iter().map(|m| m.path.display().to_string()).collect(),
            data: data.into(),
            views: 1,
            temperature_used: None,
            unlabelled: 0,
            class_counts,
            distances,
            maps: None,
        })
    }

    /// Explains the mistakes by the first model.
    ///
    /// # Errors
    /// Those of the network and of drawing.
    pub fn explain(&mut self, ensemble: &Ensemble, faces: &Dataset) -> Result<()> {
        let first = ensemble.first();
        let model = Explained::new(&first.network)?;
        let all: Vec<usize> = (0..faces.len()).collect();
        let mut pixels = vec![0.0; faces.len() * PIXELS];
        View::PLAIN.fill_batch(faces, &all, first.equalize(), SIDE, &mut pixels);
        let names = self.names();
        let origin = |i: usize| super::sheet::place(faces, i);
        let judged = Judged { model: &model, names: &names, pixels: &pixels, origin: &origin };
        self.maps = Some(MistakeMaps::new(&judged, &self.mistakes)?);
        Ok(())
    }

    /// Names of the classes.
    pub fn names(&self) -> Vec<&str> {
        self.evaluation.per_class.iter().map(|c| c.label.as_str()).collect()
    }

    /// What was evaluated, in one line.
    pub fn title(&self) -> String {
        let models = self.models.join(" + ");
        let views = match self.views {
            1 => String::new(),
            n => format!(", {n} views a face"),
        };
        let calibrated = match self.temperature_used {
            None => String::new(),
            Some(t) => format!(", probabilities calibrated (temperature {t:.2})"),
        };
        let faces = crate::render::numbers::thousands(self.evaluation.n as u64);
        format!("{models} on {faces} faces of {}{views}{calibrated}", self.data)
    }
}
