//! Checkpoints that survive a crash at any moment: the previous file is kept beside the new one.

use crate::console::eprintln_safe;
use crate::files::write_atomic;
use crate::model::weights::Archive;
use crate::{Error, Result};
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
        let link = path.with_extension("previous.tmp");
        let _ = std::fs::remove_file(&link); // left over from a crash
        std::fs::hard_link(path, &link)
            .or_else(|_| std::fs::copy(path, &link).map(drop)) // file systems without links
            .and_then(|()| std::fs::rename(&link, &previous))
            .map_err(Error::io(&previous))?;
    }
    write_atomic(path, bytes)
}

fn previous(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".previous");
    path.with_file_name(name)
}

/// Reads a checkpoint; if it is damaged, the previous one.
///
/// # Errors
/// That of the newer file if neither can be read.
pub fn read_or_previous(path: &Path) -> Result<Archive> {
    Archive::read(path).or_else(|e| {
        let before = previous(path);
        let archive = Archive::read(&before).map_err(|_| e)?;
        eprintln_safe!("{}: damaged; using {}", path.display(), before.display());
        Ok(archive)
    })
}

/// Removes the temporary files of this program that a crash left in a run folder.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be read.
pub fn remove_temporaries(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = name.starts_with(".fer-") || name.ends_with(".previous.tmp");
        if ours && name.ends_with(".tmp") {
            let _ = std::fs::remove_file(&path);
        }
    }
    Ok(())
}
