//! Probabilities that mean what they say: a temperature, fitted on faces that no training has seen,
//! and kept only if it helps on faces that it was not fitted on.

use crate::dataset::clean::duplicates;
use crate::dataset::{Dataset, stratified_split};
use crate::metrics::Calibration;
use crate::metrics::calibration::fit_temperature;
use crate::model::Network;
use crate::model::loaded_model::entry;
use crate::model::weights::{Archive, network_file};
use crate::model::{Ensemble, Trained};
use crate::model::{Predictions, predict};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The calibration in a run folder; a weights file has it inside, under the same name.
pub const CALIBRATION: &str = "calibration.json";
/// Name in an archive.
pub const ENTRY: &str = "calibration";

/// Fewest faces of each half.
const FEWEST: usize = 20;

/// One way of asking: the plain face, or ten views.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// τ: probabilities to the power 1/τ; 1 where no other gained anything.
    pub temperature: f64,
    /// Expected calibration error, as the network gives the probabilities.
    pub ece_before: f64,
    /// The same, each face at a temperature that was fitted without it.
    pub ece_after: f64,
    /// Accuracy on those faces, which the temperature does not change.
    pub accuracy: f64,
}

impl Temperature {
    /// Two-fold cross-fitting: the temperature fitted on one half of the faces is judged on the other,
    /// and the other way round, so that both errors are over all faces, none of which is judged by
    /// what was fitted on it. What is kept is fitted on all of them.
    ///
    /// It is kept if the calibration error does not get worse, else 1 is. The criterion is the
    /// calibration error and not the cross-entropy, since it is what a calibration promises; the
    /// cross-entropy is what the temperature is fitted by, and falls even where confidence gets no
    /// truer.
    ///
    /// **Shapes**: `all` and `labels` of the same faces; `halves`: numbers of faces, each in one of them.
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

    /// Whether it makes the probabilities truer, or at least no less true.
    pub fn gained(&self) -> bool {
        self.ece_after <= self.ece_before
    }
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
    /// Faces on which the errors were measured: the same, each by a temperature fitted without it. In
    /// older files: others.
    pub judged_on: usize,
    /// Checksum of the weights; a temperature holds for no others.
    pub weights: String,
}

impl Calibrated {
    /// Measures the temperatures by [`Temperature::cross_fitted`]. `progress` hears of the views
    /// done, out of eleven of each face: one, then ten.
    ///
    /// **Errors**: [`Error::Data`] with fewer than 40 labelled faces; [`Error::Shape`] if the network
    /// does not take faces; [`Error::Model`] if its answers are no numbers.
    /// **Source**: Guo et al. 2017, § 4.2.
    pub fn fit(
        trained: &Trained,
        faces: &Dataset,
        mut progress: impl FnMut(usize),
    ) -> Result<Calibrated> {
        let halves = stratified_split(faces, 0.5, 0)?;
        let halves = [halves.train.as_slice(), &halves.validation];
        let labels: Vec<usize> = faces.labels().iter().flatten().map(|&l| l.into()).collect();
        if halves.iter().any(|half| half.len() < FEWEST) || labels.len() < faces.len() {
            let found = format!("{} clean faces with {} labels", faces.len(), labels.len());
            let message = format!("{found}; a calibration needs at least {}, labelled", 2 * FEWEST);
            return Err(Error::data("the faces", message));
        }
        let mut temperature = |tta: bool| {
            let views = Ensemble::views(tta);
            let before = if tta { faces.len() } else { 0 };
            let done = |faces_done| progress(before + views.len() * faces_done);
            let all = predict(&trained.network, faces, &views, trained.equalize(), done)?;
            let all = all.require_finite(&trained.path)?;
            Ok::<_, Error>(Temperature::cross_fitted(&all, &labels, halves))
        };
        Ok(Calibrated {
            plain: temperature(false)?,
            tta: temperature(true)?,
            fitted_on: faces.len(),
            judged_on: faces.len(),
            weights: network_file::checksum(&trained.network),
        })
    }

    /// What was measured for one view or for ten.
    pub fn of(&self, tta: bool) -> &Temperature {
        if tta { &self.tta } else { &self.plain }
    }

    /// The temperature for one view or for ten; none where it gained nothing.
    pub fn temperature(&self, tta: bool) -> Option<f64> {
        Some(self.of(tta)).filter(|t| t.gained()).map(|t| t.temperature)
    }

    /// What is kept beside the weights of a run or inside a weights file, if it was measured with
    /// these weights.
    pub(crate) fn find(
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
            sane(&c.plain) && sane(&c.tta) && c.weights == network_file::checksum(network)
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
    Calibration::new(&confidence, &right).ece
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Faces of two classes, all taken for the first with the same probability.
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
        // The first half is always right, the second in half of the cases: what suits one misleads
        // on the other, 0.5 beside always right and 1 beside half right.
        let labels = [[0; 8], [0, 1, 0, 1, 0, 1, 0, 1]].concat();
        let halves: [Vec<usize>; 2] = [(0..8).collect(), (8..16).collect()];
        let t = Temperature::cross_fitted(&sure(0.9, &labels), &labels, [&halves[0], &halves[1]]);
        assert_eq!((t.temperature, t.gained()), (1.0, false), "{t:?}");
        assert!((t.ece_before - 0.15).abs() < 1e-6 && t.ece_after > 0.4, "{t:?}");
        let calibrated =
            Calibrated { plain: t, tta: t, fitted_on: 16, judged_on: 16, weights: String::new() };
        assert_eq!(calibrated.temperature(false), None);
    }
}
