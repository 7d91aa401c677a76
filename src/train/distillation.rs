//! Distillation: what trained networks say of the training faces, asked once, before the training
//! (Hinton, Vinyals and Dean 2015).

use crate::dataset::Dataset;
use crate::files::write_atomic;
use crate::model::weights::Archive;
use crate::model::{Ensemble, Trained, forward_flop_per_face};
use crate::train::Trainer;
use crate::train::batch::SoftLabels;
use crate::train::state::fingerprint;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The teachers' answers in a run folder.
pub const SOFT_LABELS: &str = "soft_labels.safetensors";

/// The tensor of the answers, `[faces, classes]`.
const ANSWERS: &str = "probabilities";

/// What answers were given by whom to what; kept with them.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Asked {
    /// [`fingerprint`] of the faces.
    data: String,
    teachers: Vec<PathBuf>,
    temperature: f64,
}

/// The mean probabilities of all teachers over ten views of each face ([`View::tta`](crate::dataset::augment::View::tta)), softened:
/// qᶜ = pᶜ^(1/τ) / Σₖ pₖ^(1/τ).
///
/// **Shapes**: `[faces, classes]`, each row sums to 1. Every teacher sees the faces at its own side
/// and equalised if it was trained so. `progress` hears of the faces done, over all teachers.
/// **Errors**: [`Error::Shape`] if a teacher does not take faces.
pub fn answers(
    teachers: &Ensemble,
    faces: &Dataset,
    temperature: f64,
    progress: impl FnMut(usize),
) -> Result<Vec<f32>> {
    Ok(teachers.predict(faces, true, progress)?.tempered(temperature).probabilities)
}

/// Floating-point operations of [`answers`]: a forward pass of every teacher for each face and view.
pub fn asking_flop(teachers: &Ensemble, faces: usize) -> f64 {
    let views = Ensemble::views(true).len();
    let members = teachers.members().iter();
    let of_a_view: f64 =
        members.map(|m| forward_flop_per_face(&m.network, m.network.spec.input[1])).sum();
    of_a_view * (faces * views) as f64
}

impl Trainer {
    /// Gets the soft labels of the training faces from the teachers that the configuration names:
    /// from the run folder if they are kept there, else by asking, which counts among the run's
    /// seconds and operations. `progress` hears of the faces done and of all there are to do. Without
    /// teachers nothing happens.
    ///
    /// # Errors
    /// [`Error::Model`] if a teacher cannot be used, tells apart other classes than the student, or
    /// answers otherwise than when the training began.
    pub fn ask_teachers(&mut self, progress: impl FnMut(usize, usize)) -> Result<()> {
        if self.config.teacher.is_empty() || self.soft.is_some() {
            return Ok(());
        }
        let kept = self.folder.as_ref().and_then(|f| self.kept_answers(&f.join(SOFT_LABELS)));
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
        self.keep_answers()
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

    /// The networks that this training learns from, teachers and the one it starts from, that may
    /// have learnt its validation faces by heart: all that were not validated on these. With each,
    /// the faces that it was validated on, where it says so. A run that learnt drawn faces cannot
    /// know real ones.
    pub fn foreign_networks(&self) -> Vec<(PathBuf, Option<String>)> {
        let own = fingerprint(&self.validation);
        let real = self.config.data.is_some();
        let foreign = |path: &PathBuf| {
            let network = Trained::read(path).ok()?;
            let known = network.validated_on.as_ref() == Some(&own);
            let safe = known || (real && network.learnt_drawn_faces());
            (!safe).then(|| (path.clone(), network.validated_on))
        };
        self.config.teacher.iter().chain(&self.config.from).filter_map(foreign).collect()
    }

    fn read_teachers(&self) -> Result<Ensemble> {
        let teachers = Ensemble::read(&self.config.teacher)?;
        let own = &self.network.spec.classes;
        if teachers.classes() != own.iter().map(String::as_str).collect::<Vec<_>>() {
            let (found, own) = (teachers.classes().join(", "), own.join(", "));
            let message = format!("tells apart {found}; expected {own}, as the student does");
            return Err(Error::model(&teachers.first().path, message));
        }
        Ok(teachers)
    }

    fn asked(&self) -> Asked {
        Asked {
            data: fingerprint(&self.train),
            teachers: self.config.teacher.clone(),
            temperature: self.config.distill_temperature,
        }
    }

    /// Answers in a file, if they are to the same question. A damaged file is none: asking again
    /// gives the same answers.
    fn kept_answers(&self, path: &Path) -> Option<Vec<f32>> {
        let archive = Archive::read(path).ok()?;
        let asked: Asked = archive.get(path, "asked").ok()?;
        let (shape, values) = archive.tensors.get(ANSWERS)?;
        let expected = [self.train.len(), self.network.spec.classes.len()];
        let whole = asked == self.asked() && *shape == expected;
        (whole && values.iter().all(|v| v.is_finite())).then(|| values.clone())
    }

    /// Writes the answers into the run folder, if there are both.
    pub(crate) fn keep_answers(&self) -> Result<()> {
        let (Some(folder), Some(soft)) = (&self.folder, &self.soft) else { return Ok(()) };
        if self.config.teacher.is_empty() {
            return Ok(());
        }
        let mut archive = Archive::default();
        archive.put("asked", &self.asked())?;
        let shape = vec![self.train.len(), self.network.spec.classes.len()];
        archive.tensors.insert(ANSWERS.into(), (shape, soft.probabilities.clone()));
        write_atomic(folder.join(SOFT_LABELS), &archive.to_bytes()?)
    }
}
