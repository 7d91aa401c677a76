//! Ensembles: the mean of the probabilities of several networks.

use crate::dataset::Dataset;
use crate::dataset::augment::View;
use crate::error::Shown as _;
use crate::model::predictions::{features, prediction_batch};
use crate::model::weights::network_file::{checksum, is_embedded};
use crate::model::{LoadedModel, Predictions, predict};
use crate::{Error, Result};
use fer_kernels::Precision;
use std::path::{Path, PathBuf};

/// Whether two paths name the same file or folder, or both the embedded network.
fn is_same(a: &Path, b: &Path) -> bool {
    let place = |path: &Path| path.canonicalize().ok();
    is_embedded(a) && is_embedded(b) || place(a).is_some_and(|a| Some(a) == place(b))
}

/// One or several networks whose probabilities are averaged.
#[derive(Clone, Debug)]
pub struct Ensemble {
    members: Vec<LoadedModel>,
}

impl Ensemble {
    /// Reads every model; without any, the embedded network.
    ///
    /// # Errors
    /// [`Error::Model`] if one cannot be used or has other classes than the first, [`Error::Usage`] if one
    /// is named twice.
    pub fn read(paths: &[PathBuf]) -> Result<Self> {
        let members = paths.iter().map(|p| LoadedModel::read(p)).collect::<Result<Vec<_>>>()?;
        for (i, path) in paths.iter().enumerate() {
            if let Some(same) = paths[..i].iter().find(|other| is_same(other, path)) {
                let [same, path] = [same.shown(), path.shown()];
                return Err(Error::Usage(format!(
                    "{same} and {path} are the same network; an average needs different ones"
                )));
            }
        }
        let Some(first) = members.first() else {
            return Ok(Self { members: vec![LoadedModel::read_or_embedded(None)?] });
        };
        let classes = &first.network.spec.classes;
        if let Some(other) = members.iter().find(|m| m.network.spec.classes != *classes) {
            let found = other.network.spec.classes.join(", ");
            let message = format!("has the classes {found}; expected those of the first model, ");
            return Err(Error::model(&other.path, message + &classes.join(", ")));
        }
        Ok(Self { members })
    }

    /// Returns the same models with this precision of their predictions.
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.members.iter_mut().for_each(|member| member.network.precision = precision);
        self
    }

    /// Returns the first model.
    pub fn first(&self) -> &LoadedModel {
        &self.members[0]
    }

    /// Returns the models.
    pub fn members(&self) -> &[LoadedModel] {
        &self.members
    }

    /// Returns the names of the classes.
    pub fn classes(&self) -> Vec<&str> {
        self.first().network.spec.classes.iter().map(String::as_str).collect()
    }

    /// Returns the work of [`Ensemble::predict`] in faces, counted once per model.
    pub fn work(&self, data: &Dataset) -> usize {
        data.len() * self.members.len()
    }

    /// Returns the mean probabilities over the models and the views, uncalibrated. `progress` receives
    /// the work done so far.
    ///
    /// # Errors
    /// [`Error::Shape`] if a network does not take faces, [`Error::Model`] if its predictions are not
    /// finite.
    pub fn predict(
        &self,
        data: &Dataset,
        tta: bool,
        progress: impl FnMut(usize),
    ) -> Result<Predictions> {
        Ok(self.mean(&self.predict_each(data, tta, progress)?))
    }

    /// Returns the mean of the calibrated probabilities: each model's at its own temperature, where one
    /// has been measured; see [`Ensemble::is_calibrated`].
    pub fn predict_calibrated(
        &self,
        data: &Dataset,
        tta: bool,
        progress: impl FnMut(usize),
    ) -> Result<Predictions> {
        let all = self.predict_each(data, tta, progress)?.into_iter().zip(&self.members);
        let calibrated =
            |(p, m): (Predictions, &LoadedModel)| p.tempered(m.temperature(tta).unwrap_or(1.0));
        Ok(self.mean(&all.map(calibrated).collect::<Vec<_>>()))
    }

    /// Returns the predictions of [`Ensemble::predict_calibrated`], always computed in batches of the same
    /// size, the last one filled up: the bits of an answer depend on no other face, so parts of a data set
    /// give the bits of the whole.
    ///
    /// # Errors
    /// As [`Ensemble::predict`].
    pub fn predict_whole_batches(&self, data: &Dataset, tta: bool) -> Result<Predictions> {
        let batch = self.members.iter().map(|m| prediction_batch(&m.network)).fold(1, lcm);
        let n = data.len();
        if n == 0 || n.is_multiple_of(batch) {
            return self.predict_calibrated(data, tta, |_| {});
        }
        let filled: Vec<usize> =
            (0..n.next_multiple_of(batch)).map(|i| if i < n { i } else { 0 }).collect();
        let mut found = self.predict_calibrated(&data.select(&filled), tta, |_| {})?;
        found.probabilities.truncate(n * found.classes);
        Ok(found)
    }

    /// Returns the checksum of the weights of each model.
    pub fn checksums(&self) -> Vec<String> {
        self.members.iter().map(|m| checksum(&m.network)).collect()
    }

    fn mean(&self, all: &[Predictions]) -> Predictions {
        let classes = self.classes().len();
        Predictions::mean(all).unwrap_or(Predictions { classes, probabilities: Vec::new() })
    }

    /// Returns the predictions of each model.
    fn predict_each(
        &self,
        data: &Dataset,
        tta: bool,
        mut progress: impl FnMut(usize),
    ) -> Result<Vec<Predictions>> {
        let views = View::for_prediction(tta);
        let mut all = Vec::with_capacity(self.members.len());
        for (k, member) in self.members.iter().enumerate() {
            let done = |faces| progress(k * data.len() + faces);
            let found = predict(&member.network, data, &views, member.equalize, done)?;
            all.push(found.require_finite(&member.path)?);
        }
        Ok(all)
    }

    /// Returns whether the predictions of [`Ensemble::predict_calibrated`] are calibrated: only those of
    /// a single network with a measured temperature. The mean of several is less confident than its
    /// members, and its calibration is unknown.
    pub fn is_calibrated(&self, tta: bool) -> bool {
        matches!(self.members(), [only] if only.temperature(tta).is_some())
    }

    /// Returns the models without a calibration.
    pub fn uncalibrated(&self) -> impl Iterator<Item = &LoadedModel> {
        self.members.iter().filter(|m| m.calibration.is_none())
    }

    /// Returns the features of each face, `[n, d]`: the input of the first network's last layer.
    pub fn features(&self, data: &Dataset) -> Result<Option<Vec<f32>>> {
        features(&self.first().network, data, self.first().equalize)
    }
}

/// Returns the least common multiple of two numbers above 0.
fn lcm(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}
