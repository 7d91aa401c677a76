//! What a model file says of the training that made it.

use crate::dataset::{DataSource, Dataset};
use crate::error::Shown as _;
use crate::limits::MAX_FACES;
use crate::model::weights::Archive;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// Entry with the configuration of the training.
pub(crate) const CONFIG: &str = "config";
/// Entry with the faces of each class.
pub(crate) const CLASS_COUNTS: &str = "class_counts";
/// Entry of an exported network with the settings of its training.
pub(crate) const SETTINGS: &str = "settings";
/// Entry of an exported network with the epochs of its training.
pub(crate) const HISTORY: &str = "history";
/// Entry of a checkpoint with how far the training is; it holds the epochs, too.
const PROGRESS: &str = "progress";
/// Entry with the fingerprint of the training faces.
pub(crate) const DATA: &str = "data";
/// Entry with the fingerprint of the validation faces.
pub(crate) const DATA_VAL: &str = "data_val";

/// Number of training and validation faces of each class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCounts {
    /// Training faces, after duplicates were dropped.
    pub train: Vec<u64>,
    /// Validation faces.
    pub validation: Vec<u64>,
}

impl ClassCounts {
    /// Counts the faces of both sets.
    pub fn of(train: &Dataset, validation: &Dataset) -> Self {
        let count = |data: &Dataset| data.class_counts().map(|n| n as u64).to_vec();
        Self { train: count(train), validation: count(validation) }
    }
}

/// What a model file says of the training that made it. A field is `None` where the file says nothing.
#[derive(Clone, Debug, Default)]
pub struct TrainingRecord {
    /// The configuration of the training, as written; [`crate::train`] knows its meaning.
    pub config: Option<Value>,
    /// The same settings in an exported network, where files are named without their folders.
    pub exported: Option<Value>,
    /// The epochs of the training, as written; [`crate::train`] knows their meaning.
    pub history: Option<Value>,
    /// Where the faces of the training came from.
    pub source: Option<DataSource>,
    /// Faces of each class.
    pub class_counts: Option<ClassCounts>,
    /// [`Dataset::fingerprint`] of the training faces.
    pub trained_on: Option<String>,
    /// [`Dataset::fingerprint`] of the validation faces.
    pub validated_on: Option<String>,
}

impl TrainingRecord {
    /// Reads the record of a model file; `path` is named in messages.
    ///
    /// # Errors
    /// [`Error::Model`] if an entry is of another form.
    pub(crate) fn read(path: &Path, archive: &Archive) -> Result<Self> {
        let source: Option<DataSource> = archive.find(path, CONFIG)?;
        if let Some(faces) = source.as_ref().map(|s| s.synthetic).filter(|n| *n > MAX_FACES) {
            let found = format!("was trained on {faces} drawn faces");
            return Err(Error::model(path, format!("{found}; at most {MAX_FACES} are drawn")));
        }
        Ok(Self {
            config: archive.find(path, CONFIG)?,
            exported: archive.find(path, SETTINGS)?,
            history: archive
                .find(path, HISTORY)?
                .or_else(|| archive.meta.get(PROGRESS)?.get(HISTORY).cloned()),
            source,
            class_counts: archive.find(path, CLASS_COUNTS)?,
            trained_on: archive.find(path, DATA)?,
            validated_on: archive.find(path, DATA_VAL)?,
        })
    }

    /// Whether the training equalised the faces; `None` where the file holds no configuration.
    pub(crate) fn equalize(&self) -> Option<bool> {
        let config = self.config.as_ref()?;
        Some(config["augment"]["equalize"].as_bool().unwrap_or(false))
    }

    /// The settings of the training, with files named without their folders, which are nobody else's
    /// business.
    pub(crate) fn settings(&self) -> Option<Value> {
        let Some(mut settings) = self.config.clone() else { return self.exported.clone() };
        let all = settings.as_object_mut()?;
        for file in ["data", "val", "from", "teacher", "arch"] {
            match all.get_mut(file) {
                Some(Value::Array(several)) => several.iter_mut().for_each(without_folders),
                Some(one) => without_folders(one),
                None => {}
            }
        }
        Some(settings)
    }

    /// Reads the training faces.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file does not say which they are or they no longer exist,
    /// [`Error::Data`] if they have changed since the training. `model` is named in messages.
    pub(crate) fn training_faces(&self, model: &Path) -> Result<Dataset> {
        let source = self.existing_source(model, "trained")?;
        let (faces, _) = source.load()?;
        require_unchanged(
            model,
            "trained",
            self.trained_on.as_deref(),
            &faces,
            source.data.as_deref(),
        )?;
        Ok(faces)
    }

    /// Reads the validation faces.
    pub(crate) fn validation_faces(&self, model: &Path) -> Result<Dataset> {
        let source = self.existing_source(model, "validated")?;
        let (_, faces) = source.load()?;
        let file = source.val.as_deref().or(source.data.as_deref());
        require_unchanged(model, "validated", self.validated_on.as_deref(), &faces, file)?;
        Ok(faces)
    }

    /// The source of the faces, if its files still exist. `used` is what was done with them.
    fn existing_source(&self, model: &Path, used: &str) -> Result<&DataSource> {
        let model = model.shown();
        let Some(source) = &self.source else {
            return Err(Error::Usage(format!(
                "{model} does not say which faces it was {used} on; name some with --data"
            )));
        };
        match source.data.iter().chain(&source.val).find(|path| !path.exists()) {
            None => Ok(source),
            Some(missing) => Err(Error::Usage(format!(
                "{model} was {used} on faces of {}, which does not exist; name others with --data",
                missing.shown()
            ))),
        }
    }
}

/// Keeps the last part of a path.
fn without_folders(path: &mut Value) {
    if let Some(name) = path.as_str().and_then(|path| Path::new(path).file_name()) {
        *path = name.to_string_lossy().into();
    }
}

/// Refuses faces that are not those of the training. If the file has changed, the split is another one,
/// and training faces would be among the validation faces.
fn require_unchanged(
    model: &Path,
    used: &str,
    then: Option<&str>,
    faces: &Dataset,
    file: Option<&Path>,
) -> Result<()> {
    let now = faces.fingerprint();
    let Some(then) = then.filter(|then| *then != now) else { return Ok(()) };
    let message = format!(
        "{} was {used} on other faces ({then}) than are found now ({now}); name the faces with --data",
        model.shown()
    );
    Err(Error::data(file.unwrap_or(Path::new("built-in faces")), message))
}
