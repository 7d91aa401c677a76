//! The faces that a configuration names.

use crate::console::eprintln_safe;
use crate::dataset::clean::{duplicates, split};
use crate::dataset::{Dataset, ReadOptions, Report, SynthOptions, read, synthesize};
use crate::train::TrainConfig;
use crate::{Error, Result};
use std::path::Path;

/// Training and validation faces.
///
/// # Errors
/// [`crate::Error::Data`] with file and line for the first bad row, unless the configuration skips bad rows.
pub fn load(config: &TrainConfig) -> Result<(Dataset, Dataset)> {
    let all = match &config.data {
        Some(path) => read_faces(path, config.skip_bad)?,
        None => {
            let options = SynthOptions {
                count: config.synthetic,
                seed: config.seed,
                ..SynthOptions::default()
            };
            synthesize(&options)?
        }
    };
    if let Some(n) = config.overfit {
        let first: Vec<usize> = (0..n.min(all.len())).collect();
        let faces = all.select(&first);
        return Ok((faces.clone(), faces));
    }
    let (train, validation) = match &config.val {
        Some(path) => (all, read_faces(path, config.skip_bad)?),
        None => {
            let cut = split::stratified_split(&all, config.val_split, config.seed)?;
            (all.select(&cut.train), all.select(&cut.validation))
        }
    };
    match config.deduplicate {
        true => Ok((train.select(&duplicates::deduplicate(&train).kept), validation)),
        false => Ok((train, validation)),
    }
}

/// Reads faces and reports on standard error what was skipped.
///
/// # Errors
/// As [`load`].
pub fn read_faces(path: &Path, skip_bad: bool) -> Result<Dataset> {
    let options = ReadOptions { skip_bad, ..ReadOptions::default() };
    let (faces, report) = read_existing(path, &options)?;
    warn(path, &report);
    Ok(faces)
}

/// Reads faces; a path that is not there is bad data.
///
/// # Errors
/// As [`read()`].
pub fn read_existing(path: &Path, options: &ReadOptions) -> Result<(Dataset, Report)> {
    if path != Path::new("-") && !path.exists() {
        let expected = "expected a CSV (plain or gzip), a folder of pictures, or a picture";
        return Err(Error::data(path, format!("does not exist; {expected}")));
    }
    read(path, options)
}

/// Says on standard error what was skipped.
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
