//! Distillation (Hinton, Vinyals and Dean 2015): teachers, which are trained networks, predict the training
//! faces once before the training; their probabilities become part of the targets.

use crate::dataset::Dataset;
use crate::dataset::augment::View;
use crate::files::write_atomic;
use crate::model::weights::Archive;
use crate::model::{Ensemble, LoadedModel, forward_flop_per_face};
use crate::train::batch::SoftLabels;
use crate::train::config::TrainConfig;
use crate::train::trainer::Trainer;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// File with the teachers' answers in a run folder.
pub const SOFT_LABELS: &str = "soft_labels.safetensors";

/// Tensor of the answers, `[faces, classes]`.
const PROBABILITIES: &str = "probabilities";

/// What the teachers were asked; written beside their answers.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Question {
    /// [`Dataset::fingerprint`] of the faces.
    data: String,
    teachers: Vec<PathBuf>,
    temperature: f64,
}

/// Returns the mean probabilities of all teachers over the ten test-time views of each face
/// ([`View::for_prediction`]), softened: qᶜ = pᶜ^(1/τ) / Σₖ pₖ^(1/τ).
///
/// **Shapes**: `[faces, classes]`, each row sums to 1. Every teacher gets the faces at its own size, and
/// equalised if it was trained so. `progress` receives the faces done, over all teachers.
/// **Errors**: [`Error::Shape`] if a teacher does not take faces.
pub fn answers(
    teachers: &Ensemble,
    faces: &Dataset,
    temperature: f64,
    progress: impl FnMut(usize),
) -> Result<Vec<f32>> {
    Ok(teachers.predict(faces, true, progress)?.tempered(temperature).probabilities)
}

/// Returns the floating-point operations of [`answers`]: a forward pass of every teacher for each face
/// and view.
pub fn asking_flop(teachers: &Ensemble, faces: usize) -> f64 {
    let views = View::for_prediction(true).len();
    let members = teachers.members().iter();
    let of_a_view: f64 =
        members.map(|m| forward_flop_per_face(&m.network, m.network.spec.input[1])).sum();
    of_a_view * (faces * views) as f64
}

impl Trainer {
    /// Gets the soft labels of the training faces: from the run folder if they are there, otherwise by
    /// asking the teachers, which counts in the seconds and operations of the run. `progress` receives
    /// the faces done and their total. Does nothing without teachers.
    ///
    /// # Errors
    /// [`Error::Model`] if a teacher cannot be used, has other classes than the student, or gives other
    /// answers than when the training began.
    pub fn ask_teachers(&mut self, progress: impl FnMut(usize, usize)) -> Result<()> {
        if self.config.teacher.is_empty() || self.soft.is_some() {
            return Ok(());
        }
        let kept = self.folder.as_ref().and_then(|f| self.read_soft_labels(&f.join(SOFT_LABELS)));
        let probabilities = match kept {
            Some(probabilities) => probabilities,
            None => self.ask(progress)?,
        };
        let soft = SoftLabels { probabilities, weight: self.config.distill_weight as f32 };
        if let Some(then) = self.soft_checksum.as_ref().filter(|then| **then != soft.checksum()) {
            let message = format!(
                "the teachers gave other answers when this training began ({then}, now {}); resume \
                 with the same teachers",
                soft.checksum()
            );
            return Err(Error::model(self.folder.clone().unwrap_or_default(), message));
        }
        self.soft = Some(soft);
        self.write_soft_labels()
    }

    fn ask(&mut self, mut progress: impl FnMut(usize, usize)) -> Result<Vec<f32>> {
        let begun = Instant::now();
        let teachers = self.read_teachers()?;
        let all = teachers.work(&self.train);
        let temperature = self.config.distill_temperature;
        let found = answers(&teachers, &self.train, temperature, |done| progress(done, all))?;
        self.progress.asked_seconds += begun.elapsed().as_secs_f64();
        self.progress.sums.flop += asking_flop(&teachers, self.train.len());
        Ok(found)
    }

    /// Returns the teachers and the network of `from` that may have been trained on the validation
    /// faces: all that were not validated on the same faces. With each comes the fingerprint of its
    /// validation faces, where its file says so. A run that was trained on drawn faces only cannot know
    /// real ones.
    pub fn networks_validated_elsewhere(&self) -> Vec<(PathBuf, Option<String>)> {
        let ours = Some(self.validation.fingerprint());
        let real = self.config.data.is_some();
        let validated_elsewhere = |path: &PathBuf| {
            let model = LoadedModel::read(path).ok()?;
            let safe =
                model.record.validated_on == ours || (real && knows_drawn_faces_only(&model));
            (!safe).then(|| (path.clone(), model.record.validated_on))
        };
        self.config
            .teacher
            .iter()
            .chain(&self.config.from)
            .filter_map(validated_elsewhere)
            .collect()
    }

    fn read_teachers(&self) -> Result<Ensemble> {
        let teachers = Ensemble::read(&self.config.teacher)?;
        let own = &self.network.spec.classes;
        if teachers.classes() != own.iter().map(String::as_str).collect::<Vec<_>>() {
            let (found, own) = (teachers.classes().join(", "), own.join(", "));
            let message = format!("has the classes {found}; expected those of the student, {own}");
            return Err(Error::model(&teachers.first().path, message));
        }
        Ok(teachers)
    }

    fn question(&self) -> Question {
        Question {
            data: self.train.fingerprint(),
            teachers: self.config.teacher.clone(),
            temperature: self.config.distill_temperature,
        }
    }

    /// Reads the answers of a file, if they are to the same question. A damaged file is ignored: asking
    /// again gives the same answers.
    fn read_soft_labels(&self, path: &Path) -> Option<Vec<f32>> {
        let archive = Archive::read(path).ok()?;
        let asked: Question = archive.get(path, "asked").ok()?;
        let (shape, values) = archive.tensors.get(PROBABILITIES)?;
        let expected = [self.train.len(), self.network.spec.classes.len()];
        let whole = asked == self.question() && *shape == expected;
        (whole && values.iter().all(|v| v.is_finite())).then(|| values.clone())
    }

    /// Writes the teachers' answers into the run folder, if there are both.
    pub(crate) fn write_soft_labels(&self) -> Result<()> {
        let (Some(folder), Some(soft)) = (&self.folder, &self.soft) else { return Ok(()) };
        if self.config.teacher.is_empty() {
            return Ok(());
        }
        let mut archive = Archive::default();
        archive.put("asked", &self.question())?;
        let shape = vec![self.train.len(), self.network.spec.classes.len()];
        archive.tensors.insert(PROBABILITIES.into(), (shape, soft.probabilities.clone()));
        write_atomic(folder.join(SOFT_LABELS), &archive.to_bytes()?)
    }
}

/// Returns whether the model was trained on drawn faces from the start. Only run folders say so;
/// exported files do not.
fn knows_drawn_faces_only(model: &LoadedModel) -> bool {
    let drawn = |config: TrainConfig| config.data.is_none() && config.from.is_none();
    model.path.is_dir() && TrainConfig::of_model(model).is_some_and(drawn)
}
