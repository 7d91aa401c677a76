//! A trained network as its file holds it: weights, calibration, and what is known of its training.

use crate::dataset::Dataset;
use crate::dataset::augment::View;
use crate::model::mean_face::{self, mean_face};
use crate::model::training_record::{CLASS_COUNTS, DATA_VAL, HISTORY, SETTINGS};
use crate::model::weights::Archive;
use crate::model::weights::network_file::{self, EMBEDDED, is_embedded, read_model};
use crate::model::weights::stored_statistics::StoredStatistics;
use crate::model::{Calibration, Network, TrainingRecord, calibration};
use crate::{Result, SIDE, files};
use std::path::{Path, PathBuf};

/// Entry of an exported network: whether it expects equalised faces.
const EQUALIZE: &str = "equalize";

/// A trained network with what its file says of it.
#[derive(Clone, Debug)]
pub struct LoadedModel {
    /// Run folder or weights file.
    pub path: PathBuf,
    /// The network.
    pub network: Network<f32>,
    /// What the file says of the training.
    pub record: TrainingRecord,
    /// Temperatures that calibrate its probabilities, where they have been measured.
    pub calibration: Option<Calibration>,
    /// Whether the network expects equalised faces.
    pub equalize: bool,
    /// Statistics of the training faces, where the file holds them.
    pub statistics: Option<StoredStatistics>,
    /// Mean training face as the network sees it, where the file holds it.
    mean_face: Option<Vec<f32>>,
}

impl LoadedModel {
    /// Reads a run folder (its last state), a weights file or `embedded`.
    ///
    /// # Errors
    /// [`crate::Error::Model`] if it does not exist or cannot be used.
    pub fn read(path: &Path) -> Result<Self> {
        let (network, archive) = read_model(path)?;
        let record = TrainingRecord::read(path, &archive)?;
        let equalize = match record.equalize() {
            Some(equalize) => equalize,
            None => archive.find(path, EQUALIZE)?.unwrap_or(false),
        };
        Ok(Self {
            calibration: Calibration::find(path, &archive, &network)?,
            mean_face: mean_face::find(path, &archive)?,
            statistics: StoredStatistics::find(path, &archive)?,
            path: if is_embedded(path) { EMBEDDED.into() } else { path.to_owned() },
            network,
            record,
            equalize,
        })
    }

    /// Reads the named model; without a name, the embedded network.
    pub fn read_or_embedded(path: Option<&Path>) -> Result<Self> {
        Self::read(path.unwrap_or(Path::new(EMBEDDED)))
    }

    /// Returns the name of its file or folder and of its architecture, such as “fer-m-1 (fer-m)”.
    pub fn title(&self) -> String {
        format!("{} ({})", files::name(&self.path), self.network.spec.name)
    }

    /// Returns the temperature that calibrates its probabilities, where one has been measured and
    /// reduces the calibration error; with `tta`, that for the mean over the test-time views.
    pub fn temperature(&self, tta: bool) -> Option<f64> {
        self.calibration.as_ref()?.temperature(tta)
    }

    /// Returns faces as the network sees them before it resizes them, `[n, 48, 48]` in \[0,1\].
    pub fn pixels(&self, faces: &Dataset, indices: &[usize]) -> Vec<f32> {
        View::PLAIN.batch(faces, indices, self.equalize, SIDE)
    }

    /// Returns an archive for use elsewhere: the network, its calibration, class counts, mean face,
    /// statistics, equalisation, the fingerprint of the validation faces, and settings and epochs of the
    /// training.
    /// Of the files in the settings only the names remain.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] if half precision cannot hold a weight.
    pub fn to_archive(&self, half: bool) -> Result<Archive> {
        let mut archive = network_file::archive(&self.network)?;
        if let Some(statistics) = &self.statistics {
            statistics.store(&mut archive);
        }
        if half {
            archive = archive.halved()?;
        }
        archive.put(EQUALIZE, &self.equalize)?;
        if let Some(counts) = &self.record.class_counts {
            archive.put(CLASS_COUNTS, counts)?;
        }
        if let Some(faces) = &self.record.validated_on {
            archive.put(DATA_VAL, faces)?;
        }
        if let Some(mean) = self.mean_face() {
            archive.put(mean_face::ENTRY, &mean)?;
        }
        if let Some(calibration) = &self.calibration {
            let written = network_file::from_archive(&self.path, &archive)?; // rounded, if in halves
            let weights = network_file::checksum(&written);
            archive.put(calibration::ENTRY, &Calibration { weights, ..calibration.clone() })?;
        }
        if let Some(settings) = self.record.settings() {
            archive.put(SETTINGS, &settings)?;
        }
        if let Some(history) = &self.record.history {
            archive.put(HISTORY, history)?;
        }
        Ok(archive)
    }

    /// Reads the faces that the network was trained on.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] if the file does not say which they are or they no longer exist,
    /// [`crate::Error::Data`] if they have changed since the training.
    pub fn training_faces(&self) -> Result<Dataset> {
        self.record.training_faces(&self.path)
    }

    /// Reads the faces that the network was validated on.
    pub fn validation_faces(&self) -> Result<Dataset> {
        self.record.validation_faces(&self.path)
    }

    /// Reads the training faces, if they came from a file that still exists unchanged.
    pub fn known_training_faces(&self) -> Option<Dataset> {
        self.record.source.as_ref()?.data.as_ref()?;
        self.training_faces().ok()
    }

    /// Returns the mean training face as the network sees it, `[48, 48]` in \[0,1\]: from its file,
    /// or computed from the training faces where they still exist.
    pub fn mean_face(&self) -> Option<Vec<f32>> {
        let measure = || Some(mean_face(&self.known_training_faces()?, self.equalize));
        self.mean_face.clone().or_else(measure)
    }
}
