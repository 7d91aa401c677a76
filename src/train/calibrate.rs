//! Probabilities that mean what they say: a temperature, fitted on faces that no training has seen.

use super::evaluate::{Predictions, predict};
use super::trained::{Ensemble, Trained, entry};
use crate::checkpoint::{Archive, weights};
use crate::dataset::{Dataset, copies, stratified_split};
use crate::error::{Error, Result};
use crate::metrics::Calibration;
use crate::metrics::calibration::fit_temperature;
use crate::model::Network;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The calibration in a run folder; a weights file has it inside, under the same name.
pub const CALIBRATION: &str = "calibration.json";
/// Name in an archive.
pub const ENTRY: &str = "calibration";

/// Fewest faces to fit a temperature on, and as many to judge it on.
const FEWEST: usize = 20;

/// One way of asking: the plain face, or ten views.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// τ: probabilities to the power 1/τ.
    pub temperature: f64,
    /// Expected calibration error on the faces that it was not fitted on, as the network gives them.
    pub ece_before: f64,
    /// The same with the temperature.
    pub ece_after: f64,
    /// Accuracy on those faces, which the temperature does not change.
    pub accuracy: f64,
}

/// What a calibration found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibrated {
    /// For one view of a face.
    pub plain: Temperature,
    /// For the mean of ten views (`--tta`).
    pub tta: Temperature,
    /// Faces that the temperatures were fitted on.
    pub fitted_on: usize,
    /// Other faces, on which the errors were measured.
    pub judged_on: usize,
    /// Checksum of the weights; a temperature holds for no others.
    pub weights: String,
}

impl Calibrated {
    /// Fits on one half of the faces and measures on the other. `progress` hears of the faces done,
    /// out of twice their number.
    ///
    /// **Errors**: [`Error::Data`] with fewer than 40 labelled faces; [`Error::Shape`] if the network
    /// does not take faces.
    /// **Source**: Guo et al. 2017, § 4.2.
    pub fn fit(
        trained: &Trained,
        faces: &Dataset,
        mut progress: impl FnMut(usize),
    ) -> Result<Calibrated> {
        let halves = stratified_split(faces, 0.5, 0)?;
        let (fit, judge) = (halves.train, halves.validation);
        if fit.len().min(judge.len()) < FEWEST || !faces.is_labelled() {
            let found = format!("{} clean faces with {} labels", faces.len(), labels(faces).len());
            let message = format!("{found}; a calibration needs at least {}, labelled", 2 * FEWEST);
            return Err(Error::data("the faces", message));
        }
        let mut temperature = |tta: bool| {
            let done = |faces_done| progress(usize::from(tta) * faces.len() + faces_done);
            let views = Ensemble::views(tta);
            let all = predict(&trained.network, faces, &views, trained.equalize(), done)?;
            let known = faces.select(&fit);
            let logits = select(&all, &fit).log_probabilities();
            let fitted = fit_temperature(&logits, &labels(&known), all.classes);
            let (rest, others) = (select(&all, &judge), faces.select(&judge));
            Ok::<_, Error>(Temperature {
                temperature: fitted,
                ece_before: ece(&rest, &others),
                accuracy: rest.loss_and_accuracy(&others).1,
                ece_after: ece(&rest.tempered(fitted), &others),
            })
        };
        Ok(Calibrated {
            plain: temperature(false)?,
            tta: temperature(true)?,
            fitted_on: fit.len(),
            judged_on: judge.len(),
            weights: weights::checksum(&trained.network),
        })
    }

    /// The temperature for one view or for ten.
    pub fn temperature(&self, tta: bool) -> f64 {
        if tta { self.tta.temperature } else { self.plain.temperature }
    }

    /// What is kept beside the weights of a run or inside a weights file, if it was measured with
    /// these weights.
    pub(super) fn find(
        model: &Path,
        archive: &Archive,
        network: &Network<f32>,
    ) -> Result<Option<Calibrated>> {
        let file = model.join(CALIBRATION);
        let found: Option<Calibrated> = match model.is_dir() && file.exists() {
            true => {
                let text = std::fs::read(&file).map_err(Error::io(&file))?;
                let read = serde_json::from_slice(&text);
                Some(read.map_err(|e| Error::model(&file, format!("is no calibration: {e}")))?)
            }
            false => entry(model, archive, ENTRY)?,
        };
        let fits = |c: &Calibrated| {
            let sane = |t: &Temperature| (0.01..=100.0).contains(&t.temperature);
            sane(&c.plain) && sane(&c.tta) && c.weights == weights::checksum(network)
        };
        Ok(found.filter(fits))
    }

    /// Keeps it: `calibration.json` in a run folder, or inside a weights file.
    ///
    /// # Errors
    /// Those of files.
    pub fn keep(&self, model: &Path) -> Result<()> {
        if !model.is_dir() {
            let mut archive = Archive::read(model)?;
            archive.put(ENTRY, self)?;
            return crate::files::write_atomic(model, &archive.to_bytes()?);
        }
        let json = serde_json::to_string_pretty(self).map_err(|e| Error::Usage(e.to_string()))?;
        crate::files::write_atomic(model.join(CALIBRATION), (json + "\n").as_bytes())
    }
}

/// The faces that are fit to calibrate on: no copies, no contradicting labels, and none that is also
/// among the training faces.
pub fn clean(faces: &Dataset, train: Option<&Dataset>) -> Dataset {
    let faces = faces.select(&copies::deduplicate(faces).kept);
    let seen = train.map(|t| copies::cross_copies(t, &faces).faces).unwrap_or_default();
    let unseen: Vec<usize> = (0..faces.len()).filter(|i| seen.binary_search(i).is_err()).collect();
    faces.select(&unseen)
}

fn labels(faces: &Dataset) -> Vec<usize> {
    faces.labels().iter().flatten().map(|&l| l.into()).collect()
}

fn select(all: &Predictions, faces: &[usize]) -> Predictions {
    let probabilities = faces.iter().flat_map(|&i| all.of(i)).copied().collect();
    Predictions { classes: all.classes, probabilities }
}

fn ece(predictions: &Predictions, faces: &Dataset) -> f64 {
    let sure = |i: usize| f64::from(predictions.of(i)[predictions.class(i)]);
    let confidence: Vec<f64> = (0..faces.len()).map(sure).collect();
    let right: Vec<bool> =
        labels(faces).iter().enumerate().map(|(i, &l)| predictions.class(i) == l).collect();
    Calibration::new(&confidence, &right).ece
}
