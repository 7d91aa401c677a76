//! Run folders. Each belongs to one training and is never overwritten; it holds everything that is needed
//! to repeat or to continue the training.

use crate::{Error, Result};
#[cfg(feature = "cli")]
use crate::{
    files::write_atomic,
    model::{Network, summary},
    train::config::TrainConfig,
};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// The resolved configuration.
const CONFIG: &str = "config.toml";

/// Creates a run folder: `wanted`, which must be empty or not exist, or the first free one of
/// `runs/ARCH-1`, `-2`, … The process that creates the file `config.toml` in a folder owns it, so two
/// trainings that start at the same moment never share one.
///
/// # Errors
/// [`Error::Usage`] if `wanted` is taken, [`Error::Io`] if it cannot be made.
pub fn create(wanted: Option<&Path>, arch: &str) -> Result<PathBuf> {
    if let Some(folder) = wanted {
        return match claim(folder)? {
            true => Ok(folder.to_owned()),
            false => Err(taken(folder)),
        };
    }
    let stem = Path::new(arch).file_stem().unwrap_or_default().to_string_lossy();
    for number in 1_u64.. {
        let folder = Path::new("runs").join(format!("{stem}-{number}"));
        if claim(&folder)? {
            return Ok(folder);
        }
    }
    Err(Error::Usage("runs: no number is free".into()))
}

/// Refuses a folder that [`create`] would refuse, before any work is done.
///
/// # Errors
/// [`Error::Usage`] if it holds something or is a file.
pub fn require_free(wanted: &Path) -> Result<()> {
    if is_taken(wanted) { Err(taken(wanted)) } else { Ok(()) }
}

fn is_taken(folder: &Path) -> bool {
    let holds_something = |mut files: std::fs::ReadDir| files.next().is_some();
    std::fs::read_dir(folder).map_or(folder.exists(), holds_something)
}

/// Creates the folder if necessary and claims it; `false` if it belongs to another training.
fn claim(folder: &Path) -> Result<bool> {
    if is_taken(folder) {
        return Ok(false);
    }
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let file = folder.join(CONFIG);
    match std::fs::OpenOptions::new().write(true).create_new(true).open(&file) {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(Error::io(&file)(e)),
    }
}

/// Locks a run folder against other trainings for as long as the returned file is open. The lock ends
/// with the program, however that ends. `None` where the system cannot lock folders.
///
/// # Errors
/// [`Error::Usage`] if another training has the folder.
pub(crate) fn lock(folder: &Path) -> Result<Option<File>> {
    let Ok(file) = File::open(folder) else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::Error(_)) => Ok(None),
        Err(TryLockError::WouldBlock) => Err(Error::Usage(format!(
            "{0} is being trained by another process; to see how far it is: fer watch {0}",
            folder.display()
        ))),
    }
}

fn taken(folder: &Path) -> Error {
    Error::Usage(format!(
        "{} is not an empty folder; a run is never overwritten. Name another --out, or continue it with \
         --resume {}",
        folder.display(),
        folder.display()
    ))
}

/// Writes the files that describe a training: its configuration, its network, and the table of the
/// layers.
///
/// # Errors
/// Those of files.
#[cfg(feature = "cli")]
pub(crate) fn write_description(
    folder: &Path,
    config: &TrainConfig,
    network: &Network<f32>,
) -> Result<()> {
    let spec = toml::to_string(&network.spec).map_err(|e| Error::Usage(e.to_string()))?;
    write_atomic(folder.join(CONFIG), config.to_toml()?.as_bytes())?;
    write_atomic(folder.join("network.toml"), spec.as_bytes())?;
    write_atomic(folder.join("summary.txt"), summary(network)?.to_text().as_bytes())
}
