//! Checkpoints that survive a crash at any moment: the previous file is kept beside the new one.

use crate::console::eprintln_safe;
use crate::error::Shown as _;
use crate::files::{Temporary, write_atomic};
use crate::model::weights::Archive;
use crate::{Error, Result};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Replaces a file and keeps its former content beside it as `NAME.previous`. At every moment at least
/// one of the two is complete.
///
/// # Errors
/// [`Error::Io`]; the old file is then unchanged.
pub fn write_keeping_previous(path: &Path, bytes: &[u8]) -> Result<()> {
    // A damaged file must not replace the good one before it.
    if Archive::read(path).is_ok() {
        let previous = previous(path);
        let folder = path.parent().unwrap_or(Path::new("."));
        let link = |to: &Path| {
            let linked = std::fs::hard_link(path, to);
            linked.or_else(|_| std::fs::copy(path, to).map(drop)) // file systems without links
        };
        Temporary::create(folder, link)
            .and_then(|((), link)| link.rename(&previous))
            .map_err(Error::io(&previous))?;
    }
    write_atomic(path, bytes)
}

fn previous(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".previous");
    path.with_file_name(name)
}

/// Whether there is a checkpoint, or the previous one.
pub fn exists(path: &Path) -> bool {
    path.exists() || previous(path).exists()
}

/// Adds to the error of a checkpoint that is lost how its training can go on from its best weights.
fn with_way_out(path: &Path, error: Error) -> Error {
    let best = path.with_file_name("best.safetensors");
    match error {
        Error::Model { path, message } if Archive::read(&best).is_ok() => {
            let best = best.shown();
            let message = format!(
                "{message}. The best weights of the training are whole; to train on from them: fer train --pretrained {best} \
                 --out NEW"
            );
            Error::Model { path, message }
        }
        error => error,
    }
}

/// Reads a checkpoint; if it is missing or damaged, the previous one.
///
/// # Errors
/// That of the newer file if neither can be read, or if the system refuses to read it, such as for too
/// many open files: that says nothing of its content.
pub fn read_or_previous(path: &Path) -> Result<Archive> {
    Archive::read(path).or_else(|e| {
        if matches!(&e, Error::Io { source, .. } if source.kind() != ErrorKind::NotFound) {
            return Err(e);
        }
        let before = previous(path);
        let archive = Archive::read(&before).map_err(|_| with_way_out(path, e))?;
        let state = if path.exists() { "damaged" } else { "missing" };
        eprintln_safe!("{}: {state}; using {}", path.shown(), before.shown());
        Ok(archive)
    })
}
