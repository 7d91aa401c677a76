//! Trained networks as a user names them: run folders and weights files, one or several at once.

use crate::dataset::Dataset;
use crate::dataset::augment::View;
use crate::explain::NetworkClassifier;
use crate::model::Calibrated;
use crate::model::Network;
use crate::model::calibration::ENTRY;
use crate::model::mean_face;
use crate::model::mean_face::mean_face;
use crate::model::predictions::features;
use crate::model::weights::Archive;
use crate::model::weights::network_file;
use crate::model::weights::network_file::{OWN, is_own, read_model};
use crate::model::{Predictions, predict};
use crate::train::ClassCounts;
use crate::train::TrainConfig;
use crate::train::load;
use crate::train::state::fingerprint;
use crate::{Error, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Whether an exported network wants its faces equalised.
const EQUALIZE: &str = "equalize";

/// Which faces a training learnt from, as a number and a checksum.
pub(crate) const DATA: &str = "data";

/// Which faces a training was validated on, as a number and a checksum.
pub(crate) const DATA_VAL: &str = "data_val";

/// A trained network and what its file says of its training.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Where it came from.
    pub path: PathBuf,
    /// The network.
    pub network: Network<f32>,
    /// How it was trained, where the file says so.
    pub config: Option<TrainConfig>,
    /// Faces of each class it was trained on, where the file says so.
    pub class_counts: Option<ClassCounts>,
    /// How its probabilities become calibrated ones, where that has been measured.
    pub calibration: Option<Calibrated>,
    /// Whether the network wants its faces equalised.
    equalize: bool,
    /// Mean training face as the network sees it, where the file holds it.
    mean_face: Option<Vec<f32>>,
    /// Which faces it was trained on, as a number and a checksum, where the file says so.
    trained_on: Option<String>,
    /// Which faces it was validated on, as a number and a checksum, where the file says so.
    pub validated_on: Option<String>,
}

impl Trained {
    /// Reads a run folder (its last state) or a weights file.
    ///
    /// # Errors
    /// [`Error::Model`] if there is none or it cannot be used.
    pub fn read(path: &Path) -> Result<Self> {
        let (network, archive) = read_model(path)?;
        let calibration = Calibrated::find(path, &archive, &network)?;
        let config: Option<TrainConfig> = entry(path, &archive, "config")?;
        let equalize = match &config {
            Some(config) => config.augment.equalize,
            None => entry(path, &archive, EQUALIZE)?.unwrap_or(false),
        };
        Ok(Self {
            calibration,
            mean_face: mean_face::find(path, &archive)?,
            path: if is_own(path) { OWN.into() } else { path.to_owned() },
            network,
            config,
            equalize,
            class_counts: entry(path, &archive, "class_counts")?,
            trained_on: entry(path, &archive, DATA)?,
            validated_on: entry(path, &archive, DATA_VAL)?,
        })
    }

    /// The named model, or the network that comes with the program.
    ///
    /// # Errors
    /// As [`Trained::read`].
    pub fn read_or_own(path: Option<&Path>) -> Result<Self> {
        Self::read(path.unwrap_or(Path::new(OWN)))
    }

    /// “fer-m-1 (fer-m)”: its file or folder, and its architecture.
    pub fn title(&self) -> String {
        let file = self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy();
        format!("{file} ({})", self.network.spec.name)
    }

    /// Temperature that makes its probabilities calibrated, where it has been measured and gained
    /// something; `tta`: those of the mean over the test-time views.
    pub fn temperature(&self, tta: bool) -> Option<f64> {
        self.calibration.as_ref()?.temperature(tta)
    }

    /// The network as explanations see it, with calibrated probabilities.
    ///
    /// # Errors
    /// Those of [`NetworkClassifier::new`].
    pub fn explained(&self) -> Result<NetworkClassifier<'_>> {
        let temperature = self.temperature(false).unwrap_or(1.0);
        Ok(NetworkClassifier::new(&self.network)?.at_temperature(temperature))
    }

    /// The network with what others need to use it: calibration, class counts, mean face,
    /// equalisation, the checksum of the faces it was validated on, and the settings of its training
    /// but for the places of files.
    ///
    /// # Errors
    /// [`Error::Usage`] if half precision cannot hold a weight.
    pub fn to_archive(&self, half: bool) -> Result<Archive> {
        let mut archive = network_file::archive(&self.network)?;
        if half {
            archive = archive.halved()?;
        }
        archive.put(EQUALIZE, &self.equalize)?;
        if let Some(counts) = &self.class_counts {
            archive.put("class_counts", counts)?;
        }
        if let Some(faces) = &self.validated_on {
            archive.put(DATA_VAL, faces)?;
        }
        if let Some(mean) = self.mean_face() {
            archive.put(mean_face::ENTRY, &mean)?;
        }
        if let Some(calibration) = &self.calibration {
            let written = network_file::from_archive(&self.path, &archive)?; // rounded, if in halves
            let weights = network_file::checksum(&written);
            archive.put(ENTRY, &Calibrated { weights, ..calibration.clone() })?;
        }
        if let Some(config) = self.config.clone() {
            let settings =
                TrainConfig { data: None, val: None, from: None, teacher: Vec::new(), ..config };
            archive.put("settings", &settings)?;
        }
        Ok(archive)
    }

    /// The faces that the training was validated on.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file does not say which or they are not where they were, [`Error::Data`]
    /// if others are there now.
    pub fn validation_faces(&self) -> Result<Dataset> {
        let (_, faces) = self.faces("validated")?;
        self.require_same("validated", self.validated_on.as_deref(), &faces)?;
        Ok(faces)
    }

    /// The faces that the network was trained on.
    ///
    /// # Errors
    /// As [`Trained::validation_faces`].
    pub fn training_faces(&self) -> Result<Dataset> {
        let (faces, _) = self.faces("trained")?;
        self.require_same("trained", self.trained_on.as_deref(), &faces)?;
        Ok(faces)
    }

    /// The training faces, if they came from a file that is still there and holds the same.
    pub fn known_training_faces(&self) -> Option<Dataset> {
        self.config.as_ref()?.data.as_ref()?;
        self.training_faces().ok()
    }

    /// Mean of the faces it was trained on, as the network sees them, `[48, 48]` in \[0,1\]: from
    /// its file, or from the training faces where they are still there.
    pub fn mean_face(&self) -> Option<Vec<f32>> {
        let measure = || Some(mean_face(&self.known_training_faces()?, self.equalize));
        self.mean_face.clone().or_else(measure)
    }

    /// Training and validation faces; `what` is said to have been done on them.
    fn faces(&self, what: &str) -> Result<(Dataset, Dataset)> {
        let model = self.path.display();
        let Some(config) = &self.config else {
            return Err(Error::Usage(format!(
                "{model} does not say which faces it was {what} on; name some with --data"
            )));
        };
        if let Some(gone) = config.data.iter().chain(&config.val).find(|p| !p.exists()) {
            return Err(Error::Usage(format!(
                "{model} was {what} on faces of {}, which is not there; name others with --data",
                gone.display()
            )));
        }
        load::load(config)
    }

    /// Refuses faces that are not those of the training: of a file that has changed since, the split
    /// would be another one, and trained faces would be among the validation faces.
    fn require_same(&self, what: &str, then: Option<&str>, faces: &Dataset) -> Result<()> {
        let now = fingerprint(faces);
        let Some(then) = then.filter(|then| *then != now) else { return Ok(()) };
        let files = self.config.as_ref().map(|c| (&c.data, &c.val));
        let file = files.and_then(|(data, val)| match what {
            "validated" => val.as_ref().or(data.as_ref()),
            _ => data.as_ref(),
        });
        let file = file.map_or(Path::new("built-in faces"), PathBuf::as_path);
        let message = format!(
            "{} was {what} on other faces ({then}) than are found now ({now}); name the faces with \
             --data",
            self.path.display()
        );
        Err(Error::data(file, message))
    }

    /// Whether its run folder says that it was trained on drawn faces from the start; exported files do
    /// not say.
    pub(crate) fn learnt_drawn_faces(&self) -> bool {
        let drawn = |c: &TrainConfig| c.data.is_none() && c.from.is_none();
        self.path.is_dir() && self.config.as_ref().is_some_and(drawn)
    }

    /// Whether the network wants its faces equalised.
    pub fn equalize(&self) -> bool {
        self.equalize
    }
}

pub(crate) fn entry<T: for<'de> Deserialize<'de>>(
    path: &Path,
    archive: &Archive,
    name: &str,
) -> Result<Option<T>> {
    archive.meta.contains_key(name).then(|| archive.get(path, name)).transpose()
}

/// One or several networks whose probabilities are averaged.
#[derive(Clone, Debug)]
pub struct Ensemble {
    members: Vec<Trained>,
}

impl Ensemble {
    /// Reads every model; without any, the network that comes with the program.
    ///
    /// # Errors
    /// [`Error::Model`] if one cannot be used or its classes are not those of the first.
    pub fn read(paths: &[PathBuf]) -> Result<Self> {
        let members = paths.iter().map(|p| Trained::read(p)).collect::<Result<Vec<_>>>()?;
        let Some(first) = members.first() else {
            return Ok(Self { members: vec![Trained::read_or_own(None)?] });
        };
        let classes = &first.network.spec.classes;
        if let Some(other) = members.iter().find(|m| m.network.spec.classes != *classes) {
            let found = other.network.spec.classes.join(", ");
            let message = format!("tells apart {found}; expected {}", classes.join(", "));
            return Err(Error::model(&other.path, message + ", as the first model does"));
        }
        Ok(Self { members })
    }

    /// The first model.
    pub fn first(&self) -> &Trained {
        &self.members[0]
    }

    /// The models.
    pub fn members(&self) -> &[Trained] {
        &self.members
    }

    /// Names of the classes.
    pub fn classes(&self) -> Vec<&str> {
        self.first().network.spec.classes.iter().map(String::as_str).collect()
    }

    /// Network runs that [`Ensemble::predict`] makes, counted in faces.
    pub fn work(&self, data: &Dataset) -> usize {
        data.len() * self.members.len()
    }

    /// The views of each face: the plain one, or ten for test-time augmentation.
    pub fn views(tta: bool) -> Vec<View> {
        if tta { View::tta() } else { vec![View::PLAIN] }
    }

    /// Mean probabilities over the models and the views, as the networks give them. `progress` hears
    /// of the work done so far.
    ///
    /// # Errors
    /// [`Error::Shape`] if a network does not take faces, [`Error::Model`] if its answers are no
    /// numbers.
    pub fn predict(
        &self,
        data: &Dataset,
        tta: bool,
        progress: impl FnMut(usize),
    ) -> Result<Predictions> {
        Ok(self.mean(&self.ask(data, tta, progress)?))
    }

    /// The same of calibrated probabilities: each model's at its own temperature, where that has been
    /// measured; see [`Ensemble::is_calibrated`].
    ///
    /// # Errors
    /// As [`Ensemble::predict`].
    pub fn predict_calibrated(
        &self,
        data: &Dataset,
        tta: bool,
        progress: impl FnMut(usize),
    ) -> Result<Predictions> {
        let all = self.ask(data, tta, progress)?.into_iter().zip(&self.members);
        let at_their_own =
            |(p, m): (Predictions, &Trained)| p.tempered(m.temperature(tta).unwrap_or(1.0));
        Ok(self.mean(&all.map(at_their_own).collect::<Vec<_>>()))
    }

    fn mean(&self, all: &[Predictions]) -> Predictions {
        let classes = self.classes().len();
        Predictions::mean(all).unwrap_or(Predictions { classes, probabilities: Vec::new() })
    }

    /// What each model says.
    fn ask(
        &self,
        data: &Dataset,
        tta: bool,
        mut progress: impl FnMut(usize),
    ) -> Result<Vec<Predictions>> {
        let views = Self::views(tta);
        let mut all = Vec::with_capacity(self.members.len());
        for (k, member) in self.members.iter().enumerate() {
            let done = |faces| progress(k * data.len() + faces);
            let found = predict(&member.network, data, &views, member.equalize(), done)?;
            all.push(found.require_finite(&member.path)?);
        }
        Ok(all)
    }

    /// Whether [`Ensemble::predict_calibrated`]'s answers are calibrated: those of one network that
    /// has been measured. A mean is less sure than its members, and nobody has measured it.
    pub fn is_calibrated(&self, tta: bool) -> bool {
        matches!(self.members(), [only] if only.temperature(tta).is_some())
    }

    /// The models whose calibration has never been measured.
    pub fn uncalibrated(&self) -> impl Iterator<Item = &Trained> {
        self.members.iter().filter(|m| m.calibration.is_none())
    }

    /// What the first network's last layer sees of each face, `[n, d]`.
    ///
    /// # Errors
    /// As [`Ensemble::predict`].
    pub fn features(&self, data: &Dataset) -> Result<Option<Vec<f32>>> {
        features(&self.first().network, data, self.first().equalize())
    }
}
