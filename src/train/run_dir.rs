//! Run folders: never overwritten, everything needed to repeat or continue a training inside.

use crate::files::write_atomic;
use crate::train::Trainer;
use crate::{Error, Result};
use std::fmt::Write as _;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// `metrics.csv`.
pub const METRICS: &str = "metrics.csv";

/// The resolved configuration.
const CONFIG: &str = "config.toml";

/// Makes a new folder: `wanted`, which must be empty or not exist, or `runs/ARCH-1`, `-2`, … The
/// folder belongs to the one who creates the file `config.toml` in it, so two trainings that start at
/// the same moment never share one.
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

/// Refuses a folder that [`create`] would refuse, before any work is done for it.
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

/// Makes the folder where there is none and takes it; `false` if it is another's.
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

/// Keeps other trainings out of a run folder for as long as the file is open, whatever ends the
/// program. Where the system has no locks on folders, there is none.
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

impl Trainer {
    /// Takes a folder for its files, from which other trainings are kept out from now on, and writes
    /// the configuration, the network, its table, and the charts of the classes.
    ///
    /// # Errors
    /// [`Error::Usage`] if another training has the folder; those of files.
    #[cfg(feature = "cli")]
    pub fn write_into(&mut self, folder: &Path) -> Result<()> {
        self.lock = lock(folder)?;
        let spec = toml::to_string(&self.network.spec).map_err(|e| Error::Usage(e.to_string()))?;
        write_atomic(folder.join(CONFIG), self.config.to_toml()?.as_bytes())?;
        write_atomic(folder.join("network.toml"), spec.as_bytes())?;
        let table = crate::model::summary(&self.network)?.to_text();
        write_atomic(folder.join("summary.txt"), table.as_bytes())?;
        self.draw_class_counts(folder)?;
        self.folder = Some(folder.to_owned());
        self.keep_answers()
    }

    /// Writes `metrics.csv` anew from the history, so that a resumed run has no doubled rows.
    pub(crate) fn write_metrics(&self) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let mut csv = String::from(
            "epoch,step,lr,loss,accuracy,val_loss,val_accuracy,grad_norm,images_per_second,seconds,skipped_steps,pflop,asked_seconds\n",
        );
        for m in &self.progress.history {
            let _ = writeln!(
                csv,
                "{},{},{},{:.6},{:.6},{:.6},{:.6},{:.4},{:.1},{:.1},{},{:.9},{:.1}",
                m.epoch,
                m.step,
                m.lr as f32, // as many digits as tell a small rate from its neighbours
                m.loss,
                m.accuracy,
                m.val_loss,
                m.val_accuracy,
                m.grad_norm,
                m.images_per_second,
                m.seconds,
                m.skipped_steps,
                m.pflop,
                m.asked_seconds
            );
        }
        write_atomic(folder.join(METRICS), csv.as_bytes())
    }
}
