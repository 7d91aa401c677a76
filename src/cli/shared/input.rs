//! Arguments that several commands share: faces to read, models to load.

use crate::Result;
use crate::cli::shared::progress;
use crate::dataset::image::has_image_extension;
use crate::dataset::read::read_stream;
use crate::dataset::source::{read_existing, warn};
use crate::dataset::{Dataset, ReadOptions, Usage};
use crate::model::{Ensemble, Predictions};
use crate::render::Theme;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How to read faces.
#[derive(Debug, Default, clap::Args)]
pub struct Reading {
    /// Only rows of this part: Training, PublicTest or PrivateTest
    #[arg(long, value_parser = usage)]
    usage: Option<Usage>,
    /// Count and list bad rows instead of ending at the first
    #[arg(long)]
    skip_bad: bool,
}

fn usage(name: &str) -> Result<Usage, String> {
    Usage::parse(name).ok_or("expected Training, PublicTest or PrivateTest".into())
}

impl Reading {
    /// Reads a CSV, a folder or a picture, and says on standard error what was skipped.
    pub fn read(&self, path: &Path) -> Result<Dataset> {
        let (faces, report) = read_existing(path, &self.options())?;
        warn(path, &report);
        Ok(faces)
    }

    /// The same of an open stream that is no folder; `path` is for messages.
    pub fn read_stream(&self, stream: impl Read + Send, path: &Path) -> Result<Dataset> {
        let (faces, report) = read_stream(stream, path, &self.options())?;
        warn(path, &report);
        Ok(faces)
    }

    /// As it was typed, to be shown in a command.
    pub fn words(&self) -> String {
        let usage = self.usage.map_or(String::new(), |u| format!(" --usage {}", u.name()));
        usage + if self.skip_bad { " --skip-bad" } else { "" }
    }

    /// Whether bad rows and pictures are left out.
    pub fn skips_bad(&self) -> bool {
        self.skip_bad
    }

    /// Whether only rows of one part of a CSV are wanted.
    pub fn chooses_by_usage(&self) -> bool {
        self.usage.is_some()
    }

    fn options(&self) -> ReadOptions {
        ReadOptions { skip_bad: self.skip_bad, usage: self.usage, ..ReadOptions::default() }
    }
}

/// MODEL may be left out before the inputs: if what stands in its place is not a model, it is the
/// first input.
pub fn model_or_input(model: Option<PathBuf>, inputs: &mut Vec<PathBuf>) -> Option<PathBuf> {
    match model {
        Some(path) if !is_model(&path) => {
            inputs.insert(0, path);
            None
        }
        model => model,
    }
}

/// Whether a path is meant as a model: a run folder, a file of weights, or a name without a file and
/// without the ending of a picture or table.
pub fn is_model(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    let is_input = has_image_extension(path) || ending == "csv" || ending == "gz";
    match path.is_dir() {
        true => ["last.safetensors", "network.toml"].iter().any(|f| path.join(f).exists()),
        false if path == Path::new("-") => false,
        false => ending == "safetensors" || !path.exists() && !is_input,
    }
}

/// How to ask a network.
#[derive(Debug, clap::Args)]
pub struct Averaging {
    /// Average ten views of each face: plain and mirrored, each turned and made smaller five ways
    #[arg(long)]
    pub tta: bool,
}

impl Averaging {
    /// Probabilities, calibrated where that has been measured, with a progress bar.
    pub fn predict(&self, ensemble: &Ensemble, faces: &Dataset) -> Result<Predictions> {
        let bar = progress::bar(ensemble.work(faces) as u64, "faces");
        let done = |done| bar.set_position(done as u64);
        let predictions = ensemble.predict_calibrated(faces, self.tta, done);
        bar.finish_and_clear();
        predictions
    }
}

/// The first `limit` faces that have a label, and the number of those that have none.
pub fn labelled(faces: Dataset, limit: Option<usize>) -> (Dataset, usize) {
    let known: Vec<usize> = (0..faces.len()).filter(|&i| faces.label(i).is_some()).collect();
    let wanted = limit.unwrap_or(usize::MAX).min(known.len());
    match wanted == faces.len() {
        true => (faces, 0),
        false => (faces.select(&known[..wanted]), faces.len() - known.len()),
    }
}

/// Light or dark.
pub fn theme(dark: bool) -> Theme {
    if dark { Theme::Dark } else { Theme::Light }
}
