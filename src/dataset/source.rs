//! Where the faces of a training come from, and how they are split.

use crate::console::eprintln_safe;
use crate::dataset::clean::{duplicates, split};
use crate::dataset::{Dataset, ReadOptions, Report, SynthOptions, Usage, read, synthesize};
use crate::error::{Shown as _, one_line};
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
    /// The part of the training data that is used, by its column `Usage`. None = `Training` where the
    /// column tells parts apart, validated on `PublicTest` where `val` is not given.
    pub usage: Option<Usage>,
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
            usage: None,
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
        let (all, public_test) = match &self.data {
            Some(path) => self.read_training_part(path)?,
            None => (self.draw()?, None),
        };
        if let Some(n) = self.overfit {
            if n > all.len() {
                eprintln_safe!(
                    "there are only {} faces, fewer than the {n} asked for: all are used",
                    all.len()
                );
            }
            let first: Vec<usize> = (0..n.min(all.len())).collect();
            let faces = all.select(&first);
            return Ok((faces.clone(), faces));
        }
        let (train, validation) = match (&self.val, public_test) {
            (Some(path), _) => (all, self.read_validation_part(path)?),
            (None, Some(faces)) => (all, faces),
            (None, None) => {
                let cut = split::stratified_split(&all, self.val_split, self.seed)?;
                (all.select(&cut.train), all.select(&cut.validation))
            }
        };
        match self.deduplicate {
            true => Ok((train.select(&duplicates::deduplicate(&train).kept), validation)),
            false => Ok((train, validation)),
        }
    }

    fn draw(&self) -> Result<Dataset> {
        let (count, seed) = (self.synthetic, self.seed);
        synthesize(&SynthOptions { count, seed, ..SynthOptions::default() })
    }

    /// Reads the training faces, and the validation faces where the column `Usage` names them.
    fn read_training_part(&self, path: &Path) -> Result<(Dataset, Option<Dataset>)> {
        let options =
            ReadOptions { skip_bad: self.skip_bad, usage: self.usage, ..Default::default() };
        let all = self.without_unlabelled(path, read_and_warn(path, &options)?);
        if self.usage.is_some() || all.usage(0).is_none() {
            return Ok((all, None));
        }
        let [train, public_test] =
            [Usage::Training, Usage::PublicTest].map(|usage| all.indices_of_usage(usage));
        if train.is_empty() {
            let found = "its column Usage names no face Training; expected some";
            let message = format!("{found}: name the part to train on with --usage");
            return Err(Error::data(path, message));
        }
        // Another share than the default is a wish for a split.
        let splits = self.val.is_some() || self.val_split != Self::default().val_split;
        let validation = (!splits && !public_test.is_empty()).then(|| all.select(&public_test));
        Ok((all.select(&train), validation))
    }

    /// Reads the validation faces: `PublicTest` where the column `Usage` tells it from others.
    fn read_validation_part(&self, path: &Path) -> Result<Dataset> {
        let all = self.without_unlabelled(path, read_faces(path, self.skip_bad)?);
        let public_test = all.indices_of_usage(Usage::PublicTest);
        Ok(if public_test.is_empty() { all } else { all.select(&public_test) })
    }

    /// Leaves out faces without a label where bad rows are skipped, unless none has one.
    fn without_unlabelled(&self, path: &Path, faces: Dataset) -> Dataset {
        let labelled: Vec<usize> = (0..faces.len()).filter(|&i| faces.label(i).is_some()).collect();
        let missing = faces.len() - labelled.len();
        if !self.skip_bad || missing == 0 || labelled.is_empty() {
            return faces;
        }
        let noun = if missing == 1 { "face" } else { "faces" };
        eprintln_safe!("{}: {missing} {noun} without a label left out", path.shown());
        faces.select(&labelled)
    }
}

/// Reports on standard error which parts of FER2013 a training uses, and what may spoil it: blank faces, and
/// validation faces that are copies of training faces.
pub fn warn_of_faces(train: &Dataset, validation: &Dataset) {
    let part = |faces: &Dataset| (!faces.is_empty()).then(|| faces.usage(0)).flatten();
    if let Some(usage) = part(train) {
        let validated = match part(validation) {
            Some(other) if other == usage => "a share of them",
            other => other.map_or("other faces", Usage::name),
        };
        eprintln_safe!(
            "by the column Usage: trains on {}, validates on {validated}; --usage chooses another part",
            usage.name()
        );
    }
    for (faces, what) in [(train, "training"), (validation, "validation")] {
        let blank = duplicates::blank_faces(faces);
        if let Some(&first) = blank.first() {
            let (count, all, first) = (blank.len(), faces.len(), place(faces, first));
            eprintln_safe!(
                "{count} of {all} {what} faces are blank (every pixel is the same), such as {first}"
            );
        }
    }
    let copies = duplicates::cross_duplicates(train, validation).faces;
    if let Some(&first) = copies.first() {
        let (count, all, first) = (copies.len(), validation.len(), place(validation, first));
        eprintln_safe!(
            "{count} of {all} validation faces are also training faces, such as {first}: the validation \
             accuracy will be too high; fer data check TRAIN --against VALIDATION lists them"
        );
    }
}

/// Returns the origin of a face, for a message.
fn place(faces: &Dataset, face: usize) -> String {
    one_line(&faces.origin(face).to_string())
}

/// Reads faces and reports on standard error what was skipped.
///
/// # Errors
/// [`Error::Data`] if the path does not exist, or with file and line for the first bad row unless
/// `skip_bad` is set.
pub fn read_faces(path: &Path, skip_bad: bool) -> Result<Dataset> {
    read_and_warn(path, &ReadOptions { skip_bad, ..ReadOptions::default() })
}

/// Reads faces like [`read_existing()`], and reports on standard error what was skipped.
///
/// # Errors
/// Those of [`read_existing()`].
pub fn read_and_warn(path: &Path, options: &ReadOptions) -> Result<Dataset> {
    let (faces, report) = read_existing(path, options)?;
    warn(path, &report);
    Ok(faces)
}

/// Reads faces like [`read()`], with a clear message where the path does not exist.
///
/// # Errors
/// [`Error::Data`] if the path does not exist; those of [`read()`].
pub fn read_existing(path: &Path, options: &ReadOptions) -> Result<(Dataset, Report)> {
    if path != Path::new("-") && !path.exists() {
        let is_address = ["http:", "https:"].iter().any(|start| path.starts_with(start));
        let message = match is_address {
            true => "is an address on the web, and only files are read: download it first",
            false => {
                "does not exist; expected a CSV (plain or gzip), a folder of pictures, or a picture"
            }
        };
        return Err(Error::data(path, message));
    }
    read(path, options)
}

/// Reports on standard error what was skipped.
pub fn warn(path: &Path, report: &Report) {
    for note in &report.notes {
        eprintln_safe!("{}: {note}", path.shown());
    }
    if report.bad_count > 0 {
        eprintln_safe!("{}: {} bad rows skipped:", path.shown(), report.bad_count);
        for row in &report.bad {
            let line = row.line.map(|l| format!(":{l}")).unwrap_or_default();
            eprintln_safe!("  {}{line}: {}", row.path.shown(), row.message);
        }
    }
}
