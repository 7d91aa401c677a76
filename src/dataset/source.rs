//! Where the faces of a training come from, and how they are split.

use crate::console::eprintln_safe;
use crate::dataset::clean::{duplicates, split};
use crate::dataset::{Dataset, ReadOptions, Report, SynthOptions, read, synthesize};
use crate::{Error, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The faces of a training: files or drawn faces, the split, and what is left out. The training
/// configuration holds the same fields under the same names.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub struct DataSource {
    /// Training data; none = drawn faces.
    pub data: Option<PathBuf>,
    /// Validation data; none = a split of the training data.
    pub val: Option<PathBuf>,
    /// Share of the training data that becomes validation data where `val` is not given.
    pub val_split: f64,
    /// Number of drawn faces where `data` is not given.
    pub synthetic: usize,
    /// Skip bad rows instead of ending at the first.
    pub skip_bad: bool,
    /// Drop duplicate images, and images with contradicting labels, from the training data.
    pub deduplicate: bool,
    /// Use the first N faces only, for training and for validation.
    pub overfit: Option<usize>,
    /// Seed of the drawn faces and of the split.
    pub seed: u64,
}

impl Default for DataSource {
    fn default() -> Self {
        Self {
            data: None,
            val: None,
            val_split: 0.1,
            synthetic: 7_000,
            skip_bad: false,
            deduplicate: false,
            overfit: None,
            seed: 0,
        }
    }
}

impl DataSource {
    /// Reads the training and the validation faces.
    ///
    /// # Errors
    /// [`Error::Data`] with file and line for the first bad row, unless bad rows are skipped.
    pub fn load(&self) -> Result<(Dataset, Dataset)> {
        let all = match &self.data {
            Some(path) => read_faces(path, self.skip_bad)?,
            None => synthesize(&SynthOptions {
                count: self.synthetic,
                seed: self.seed,
                ..SynthOptions::default()
            })?,
        };
        if let Some(n) = self.overfit {
            let first: Vec<usize> = (0..n.min(all.len())).collect();
            let faces = all.select(&first);
            return Ok((faces.clone(), faces));
        }
        let (train, validation) = match &self.val {
            Some(path) => (all, read_faces(path, self.skip_bad)?),
            None => {
                let cut = split::stratified_split(&all, self.val_split, self.seed)?;
                (all.select(&cut.train), all.select(&cut.validation))
            }
        };
        match self.deduplicate {
            true => Ok((train.select(&duplicates::deduplicate(&train).kept), validation)),
            false => Ok((train, validation)),
        }
    }
}

/// Reads faces and reports on standard error what was skipped.
///
/// # Errors
/// [`Error::Data`] if the path does not exist, or with file and line for the first bad row unless
/// `skip_bad` is set.
pub fn read_faces(path: &Path, skip_bad: bool) -> Result<Dataset> {
    let options = ReadOptions { skip_bad, ..ReadOptions::default() };
    let (faces, report) = read_existing(path, &options)?;
    warn(path, &report);
    Ok(faces)
}

/// Reads faces like [`read()`], with a clear message where the path does not exist.
///
/// # Errors
/// [`Error::Data`] if the path does not exist; those of [`read()`].
pub fn read_existing(path: &Path, options: &ReadOptions) -> Result<(Dataset, Report)> {
    if path != Path::new("-") && !path.exists() {
        let expected = "expected a CSV (plain or gzip), a folder of pictures, or a picture";
        return Err(Error::data(path, format!("does not exist; {expected}")));
    }
    read(path, options)
}

/// Reports on standard error what was skipped.
pub fn warn(path: &Path, report: &Report) {
    for note in &report.notes {
        eprintln_safe!("{}: {note}", path.display());
    }
    if report.bad_count > 0 {
        eprintln_safe!("{}: {} bad rows skipped:", path.display(), report.bad_count);
        for row in &report.bad {
            let line = row.line.map(|l| format!(":{l}")).unwrap_or_default();
            eprintln_safe!("  {}{line}: {}", row.path.display(), row.message);
        }
    }
}
