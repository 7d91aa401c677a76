//! Calibration by temperature scaling: a temperature is fitted on held-out faces, and used only if it
//! reduces the calibration error on faces that it was not fitted on.

use crate::dataset::augment::View;
use crate::dataset::clean::duplicates;
use crate::dataset::{Dataset, stratified_split};
use crate::files::{read_limited, write_atomic};
use crate::limits::MAX_TEXT;
use crate::metrics::calibration::{Reliability, fit_temperature};
use crate::model::weights::{Archive, network_file};
use crate::model::{LoadedModel, Network, Predictions, predict};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// File with the calibration in a run folder.
pub const CALIBRATION: &str = "calibration.json";
/// Entry with the calibration in a weights file.
pub const ENTRY: &str = "calibration";

/// Fewest faces of each half.
const FEWEST: usize = 20;

/// A fitted temperature with the calibration error before and after, for one view or for ten.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// Temperature τ: probabilities are raised to 1/τ and normalised; 1 if no other reduces the error.
    pub temperature: f64,
    /// Expected calibration error (ECE) of the network's own probabilities.
    pub ece_before: f64,
    /// ECE with each face at a temperature that was fitted without it.
    pub ece_after: f64,
    /// Accuracy on these faces; the temperature does not change it.
    pub accuracy: f64,
}

impl Temperature {
    /// Fits the temperature by two-fold cross-fitting: the temperature fitted on one half of the faces
    /// is evaluated on the other, and vice versa. Both errors are therefore over all faces, and no
    /// face is evaluated by a temperature that was fitted on it. The result is fitted on all faces.
    ///
    /// If the calibration error rises, the result is 1. The criterion is the calibration error, not the
    /// cross-entropy: the temperature minimises the cross-entropy, which can fall although the
    /// confidence does not get closer to the accuracy.
    ///
    /// **Shapes**: `all` and `labels` of the same n faces; `halves` are indices, each face in one half.
    pub fn cross_fitted(all: &Predictions, labels: &[usize], halves: [&[usize]; 2]) -> Temperature {
        let fitted = |faces: &[usize]| {
            let labels: Vec<usize> = faces.iter().map(|&i| labels[i]).collect();
            fit_temperature(&select(all, faces).log_probabilities(), &labels, all.classes)
        };
        let [a, b] = halves;
        let judged = [a, b].concat();
        let truth: Vec<usize> = judged.iter().map(|&i| labels[i]).collect();
        let mut after = select(all, a).tempered(fitted(b));
        after.probabilities.extend(select(all, b).tempered(fitted(a)).probabilities);
        let before = select(all, &judged);
        let right = (0..judged.len()).filter(|&i| before.class(i) == truth[i]).count();
        let found = Temperature {
            temperature: fitted(&judged),
            ece_before: ece(&before, &truth),
            ece_after: ece(&after, &truth),
            accuracy: right as f64 / judged.len().max(1) as f64,
        };
        match found.gained() {
            true => found,
            false => Temperature { temperature: 1.0, ..found },
        }
    }

    /// Returns whether the calibration error falls, or at least does not rise.
    pub fn gained(&self) -> bool {
        self.ece_after <= self.ece_before
    }
}

/// The calibration of one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Temperature for one view of a face.
    pub plain: Temperature,
    /// Temperature for the mean of ten views (`--tta`).
    pub tta: Temperature,
    /// Number of faces on which the temperatures were fitted.
    pub fitted_on: usize,
    /// Number of faces on which the errors were measured: the same faces, each at a temperature
    /// fitted without it. In older files these are other faces.
    pub judged_on: usize,
    /// [`network_file::checksum`] of the weights; the temperatures are valid for these only.
    pub weights: String,
}

impl Calibration {
    /// Fits the temperatures by [`Temperature::cross_fitted`]. `progress` receives the views done, out
    /// of eleven per face: one, then ten.
    ///
    /// **Errors**: [`Error::Data`] with fewer than 40 labelled faces; [`Error::Shape`] if the network
    /// does not take faces; [`Error::Model`] if its predictions are not finite.
    /// **Source**: Guo et al. 2017, § 4.2.
    pub fn fit(
        model: &LoadedModel,
        faces: &Dataset,
        mut progress: impl FnMut(usize),
    ) -> Result<Calibration> {
        let halves = stratified_split(faces, 0.5, 0)?;
        let halves = [halves.train.as_slice(), &halves.validation];
        let labels: Vec<usize> = faces.labels().iter().flatten().map(|&l| l.into()).collect();
        if halves.iter().any(|half| half.len() < FEWEST) || labels.len() < faces.len() {
            let found = format!("{} clean faces with {} labels", faces.len(), labels.len());
            let message = format!("{found}; a calibration needs at least {}, labelled", 2 * FEWEST);
            return Err(Error::data("the faces", message));
        }
        let mut temperature = |tta: bool| {
            let views = View::for_prediction(tta);
            let before = if tta { faces.len() } else { 0 };
            let done = |faces_done| progress(before + views.len() * faces_done);
            let all = predict(&model.network, faces, &views, model.equalize, done)?;
            let all = all.require_finite(&model.path)?;
            Ok::<_, Error>(Temperature::cross_fitted(&all, &labels, halves))
        };
        Ok(Calibration {
            plain: temperature(false)?,
            tta: temperature(true)?,
            fitted_on: faces.len(),
            judged_on: faces.len(),
            weights: network_file::checksum(&model.network),
        })
    }

    /// Returns what was measured for one view or for ten.
    pub fn of(&self, tta: bool) -> &Temperature {
        if tta { &self.tta } else { &self.plain }
    }

    /// Returns the temperature for one view or for ten; `None` if it does not reduce the error.
    pub fn temperature(&self, tta: bool) -> Option<f64> {
        Some(self.of(tta)).filter(|t| t.gained()).map(|t| t.temperature)
    }

    /// Reads the calibration of a run folder or of a weights file, if there is one for these weights.
    ///
    /// # Errors
    /// [`Error::Model`] if it has another form.
    pub(crate) fn find(
        model: &Path,
        archive: &Archive,
        network: &Network<f32>,
    ) -> Result<Option<Calibration>> {
        let file = model.join(CALIBRATION);
        let found: Option<Calibration> = match model.is_dir() && file.exists() {
            true => {
                let text = read_limited(&file, MAX_TEXT).map_err(Error::io(&file))?;
                let read = serde_json::from_slice(&text);
                Some(read.map_err(|e| Error::model(&file, format!("is not a calibration: {e}")))?)
            }
            false => archive.find(model, ENTRY)?,
        };
        let is_valid = |c: &Calibration| {
            let sane = |t: &Temperature| (0.01..=100.0).contains(&t.temperature);
            sane(&c.plain) && sane(&c.tta) && c.weights == network_file::checksum(network)
        };
        Ok(found.filter(is_valid))
    }

    /// Writes the calibration: as `calibration.json` into a run folder, or into a weights file.
    pub fn write(&self, model: &Path) -> Result<()> {
        if !model.is_dir() {
            let mut archive = Archive::read(model)?;
            archive.put(ENTRY, self)?;
            return write_atomic(model, &archive.to_bytes()?);
        }
        let json = serde_json::to_string_pretty(self).map_err(|e| Error::Usage(e.to_string()))?;
        write_atomic(model.join(CALIBRATION), (json + "\n").as_bytes())
    }
}

/// Returns the faces that can be used for calibration: without duplicates, without contradicting labels,
/// and without faces that are also among the training faces.
pub fn held_out_faces(faces: &Dataset, train: Option<&Dataset>) -> Dataset {
    let faces = faces.select(&duplicates::deduplicate(faces).kept);
    let seen = train.map(|t| duplicates::cross_duplicates(t, &faces).faces).unwrap_or_default();
    let unseen: Vec<usize> = (0..faces.len()).filter(|i| seen.binary_search(i).is_err()).collect();
    faces.select(&unseen)
}

fn select(all: &Predictions, faces: &[usize]) -> Predictions {
    let probabilities = faces.iter().flat_map(|&i| all.of(i)).copied().collect();
    Predictions { classes: all.classes, probabilities }
}

fn ece(predictions: &Predictions, labels: &[usize]) -> f64 {
    let sure = |i: usize| f64::from(predictions.of(i)[predictions.class(i)]);
    let confidence: Vec<f64> = (0..labels.len()).map(sure).collect();
    let right: Vec<bool> =
        labels.iter().enumerate().map(|(i, &l)| predictions.class(i) == l).collect();
    Reliability::new(&confidence, &right).ece
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Faces of two classes, all predicted as the first with probability p.
    fn sure(p: f32, labels: &[usize]) -> Predictions {
        Predictions { classes: 2, probabilities: [p, 1.0 - p].repeat(labels.len()) }
    }

    #[test]
    fn halves_that_agree_share_a_temperature() {
        // Right in three of four, whichever half: 0.98 becomes 0.75.
        let labels = [0, 0, 0, 1].repeat(4);
        let halves: [Vec<usize>; 2] = [(0..8).collect(), (8..16).collect()];
        let t = Temperature::cross_fitted(&sure(0.98, &labels), &labels, [&halves[0], &halves[1]]);
        let expected = (0.98f64 / 0.02).ln() / 3f64.ln();
        assert!((t.temperature - expected).abs() < 1e-3, "{t:?}");
        assert!((t.ece_before - 0.23).abs() < 1e-6 && t.ece_after < 1e-4 && t.gained(), "{t:?}");
        assert_eq!(t.accuracy, 0.75);
    }

    #[test]
    fn a_temperature_that_gains_nothing_is_not_kept() {
        // The first half is always right, the second in half of the cases, so the temperature of one
        // half is wrong for the other.
        let labels = [[0; 8], [0, 1, 0, 1, 0, 1, 0, 1]].concat();
        let halves: [Vec<usize>; 2] = [(0..8).collect(), (8..16).collect()];
        let t = Temperature::cross_fitted(&sure(0.9, &labels), &labels, [&halves[0], &halves[1]]);
        assert_eq!((t.temperature, t.gained()), (1.0, false), "{t:?}");
        assert!((t.ece_before - 0.15).abs() < 1e-6 && t.ece_after > 0.4, "{t:?}");
        let calibrated =
            Calibration { plain: t, tta: t, fitted_on: 16, judged_on: 16, weights: String::new() };
        assert_eq!(calibrated.temperature(false), None);
    }
}
