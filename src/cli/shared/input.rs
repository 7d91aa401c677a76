//! Arguments that several commands share: data to read, models to load.

use crate::cli::shared::progress;
use crate::console::eprintln_safe;
use crate::dataset::image::has_image_extension;
use crate::dataset::read::foreign::{other_network, recognise};
use crate::dataset::read::{read_head, read_stream};
use crate::dataset::source::{read_and_warn, warn};
use crate::dataset::{Dataset, ReadOptions, Usage};
use crate::error::Shown as _;
use crate::model::{Ensemble, Predictions};
use crate::render::Theme;
use crate::{Error, Result};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Parses a value by its name in configuration files.
pub fn named<T: serde::de::DeserializeOwned>(name: &str) -> Result<T, String> {
    serde_json::from_value(name.into())
        .map_err(|e| e.to_string().replace("unknown variant", "found"))
}

/// Options of reading data.
#[derive(Debug, Default, clap::Args)]
pub struct Reading {
    /// Read only rows with this value in the column Usage: Training, PublicTest or PrivateTest
    #[arg(long, value_parser = named::<Usage>)]
    usage: Option<Usage>,
    /// Skip bad rows, count and list them, instead of stopping at the first
    #[arg(long)]
    skip_bad: bool,
}

impl Reading {
    /// Reads a CSV, a folder or a picture, and prints to standard error what was skipped.
    ///
    /// # Errors
    /// [`crate::Error::Data`] for a bad row or picture.
    pub fn read(&self, path: &Path) -> Result<Dataset> {
        let faces = read_and_warn(path, &self.options())?;
        if let Some(parts) = faces.parts() {
            eprintln_safe!("{}: {parts}, all read; --usage chooses one part", path.shown());
        }
        Ok(faces)
    }

    /// Reads an open stream; `path` is used in messages.
    ///
    /// # Errors
    /// [`crate::Error::Data`] for a bad row or picture.
    pub fn read_stream(&self, stream: impl Read + Send, path: &Path) -> Result<Dataset> {
        let (faces, report) = read_stream(stream, path, &self.options())?;
        warn(path, &report);
        Ok(faces)
    }

    /// Returns the options as text, with a space before each.
    pub fn command_line(&self) -> String {
        let usage = self.usage.map_or(String::new(), |u| format!(" --usage {}", u.name()));
        usage + if self.skip_bad { " --skip-bad" } else { "" }
    }

    /// Whether bad rows and pictures are skipped.
    pub fn skips_bad(&self) -> bool {
        self.skip_bad
    }

    /// Whether only rows with one value of `Usage` are read.
    pub fn chooses_by_usage(&self) -> bool {
        self.usage.is_some()
    }

    fn options(&self) -> ReadOptions {
        ReadOptions { skip_bad: self.skip_bad, usage: self.usage, ..ReadOptions::default() }
    }
}

/// Separates an optional MODEL from the inputs behind it: a first argument that is not a model is the
/// first input.
///
/// # Errors
/// [`Error::Model`] for a network of another program.
pub fn model_or_input(
    model: Option<PathBuf>,
    inputs: &mut Vec<PathBuf>,
) -> Result<Option<PathBuf>> {
    match model {
        Some(path) if !is_model(&path) => {
            let head = read_head(&path)?;
            // A file that may hold either is a network before an input.
            let before_an_input =
                || recognise(&head).filter(|f| f.may_be_network() && !inputs.is_empty());
            if let Some(other) = other_network(&path, &head).or_else(before_an_input) {
                return Err(Error::model(&path, other.as_model()));
            }
            inputs.insert(0, path);
            Ok(None)
        }
        model => Ok(model),
    }
}

/// Whether a path is a model: a run folder, a weights file, or a name without a file and without the
/// ending of a picture or table.
pub fn is_model(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    let is_input = has_image_extension(path) || ending == "csv" || ending == "gz";
    match path.is_dir() {
        true => ["last.safetensors", "network.toml"].iter().any(|f| path.join(f).exists()),
        false if path == Path::new("-") => false,
        false => ending == "safetensors" || !path.exists() && !is_input,
    }
}

/// Options of prediction.
#[derive(Debug, clap::Args)]
pub struct Averaging {
    /// Test-time augmentation: average ten views of each face, plain and mirrored, each rotated and
    /// scaled in five ways
    #[arg(long)]
    pub tta: bool,
}

impl Averaging {
    /// Predicts probabilities, calibrated if a temperature was fitted, with a progress bar.
    pub fn predict(&self, ensemble: &Ensemble, faces: &Dataset) -> Result<Predictions> {
        let bar = progress::bar(ensemble.work(faces) as u64, "faces");
        let done = |done| bar.set_position(done as u64);
        let predictions = ensemble.predict_calibrated(faces, self.tta, done);
        bar.finish_and_clear();
        predictions
    }
}

/// Returns the faces that have a label, and the number of faces without one.
pub fn labelled(faces: Dataset) -> (Dataset, usize) {
    let known: Vec<usize> = (0..faces.len()).filter(|&i| faces.label(i).is_some()).collect();
    match faces.len() - known.len() {
        0 => (faces, 0),
        without => (faces.select(&known), without),
    }
}

/// Returns the light or the dark theme.
pub fn theme(dark: bool) -> Theme {
    if dark { Theme::Dark } else { Theme::Light }
}
