//! Arguments that several commands share: faces to read, models to load.

use super::progress;
use crate::dataset::{Dataset, ReadOptions, Usage, read_tree};
use crate::error::Result;
use crate::render::Theme;
use crate::train::load::{read_existing, warn};
use crate::train::{Ensemble, Predictions};
use std::path::Path;

/// How to read faces.
#[derive(Debug, clap::Args)]
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

    /// The same, where a folder stands for every picture below it.
    pub fn read_pictures(&self, path: &Path) -> Result<Dataset> {
        if !path.is_dir() {
            return self.read(path);
        }
        let (faces, report) = read_tree(path, &self.options())?;
        warn(path, &report);
        Ok(faces)
    }

    fn options(&self) -> ReadOptions {
        ReadOptions { skip_bad: self.skip_bad, usage: self.usage, ..ReadOptions::default() }
    }
}

/// How to ask a network.
#[derive(Debug, clap::Args)]
pub struct Averaging {
    /// Average ten views of each face: mirrored, and shifted four ways
    #[arg(long)]
    pub tta: bool,
}

impl Averaging {
    /// Probabilities with a progress bar.
    pub fn predict(&self, ensemble: &Ensemble, faces: &Dataset) -> Result<Predictions> {
        let bar = progress::bar(ensemble.work(faces) as u64, "faces");
        let predictions = ensemble.predict(faces, self.tta, |done| bar.set_position(done as u64));
        bar.finish_and_clear();
        predictions
    }
}

/// Light or dark.
pub fn theme(dark: bool) -> Theme {
    if dark { Theme::Dark } else { Theme::Light }
}
