//! Run folders: never overwritten, everything needed to repeat or continue a training inside.

use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::files::write_atomic;
use crate::model::summary::summary;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// `metrics.csv`.
pub const METRICS: &str = "metrics.csv";

/// Makes a new folder: `wanted`, which must not hold a run, or `runs/ARCH-1`, `-2`, …
///
/// # Errors
/// [`Error::Usage`] if `wanted` is taken, [`Error::Io`] if it cannot be made.
pub fn create(wanted: Option<&Path>, arch: &str) -> Result<PathBuf> {
    let folder = match wanted {
        Some(path) => path.to_owned(),
        None => {
            let stem = Path::new(arch).file_stem().unwrap_or_default().to_string_lossy();
            let free = |i: &usize| !Path::new("runs").join(format!("{stem}-{i}")).exists();
            let number = (1..).find(free).unwrap_or(1);
            Path::new("runs").join(format!("{stem}-{number}"))
        }
    };
    let is_used = |mut files: std::fs::ReadDir| files.next().is_some();
    let taken = std::fs::read_dir(&folder).map_or(folder.exists(), is_used);
    if taken {
        return Err(Error::Usage(format!(
            "{} is not an empty folder; a run is never overwritten. Name another --out, or continue it with \
             --resume {}",
            folder.display(),
            folder.display()
        )));
    }
    std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
    Ok(folder)
}

impl Trainer {
    /// Takes a folder for its files and writes the configuration, the network, its table, and the
    /// charts of the classes.
    ///
    /// # Errors
    /// Those of files.
    pub fn write_into(&mut self, folder: &Path) -> Result<()> {
        let spec = toml::to_string(&self.network.spec).map_err(|e| Error::Usage(e.to_string()))?;
        write_atomic(folder.join("config.toml"), self.config.to_toml()?.as_bytes())?;
        write_atomic(folder.join("network.toml"), spec.as_bytes())?;
        let table = summary(&self.network)?.to_text();
        write_atomic(folder.join("summary.txt"), table.as_bytes())?;
        self.draw_class_counts(folder)?;
        self.folder = Some(folder.to_owned());
        self.keep_answers()
    }

    /// Writes `metrics.csv` anew from the history, so that a resumed run has no doubled rows.
    pub(super) fn write_metrics(&self) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let mut csv = String::from(
            "epoch,step,lr,loss,accuracy,val_loss,val_accuracy,grad_norm,images_per_second,seconds\n",
        );
        for m in &self.progress.history {
            let _ = writeln!(
                csv,
                "{},{},{:.6},{:.6},{:.6},{:.6},{:.6},{:.4},{:.1},{:.1}",
                m.epoch,
                m.step,
                m.lr,
                m.loss,
                m.accuracy,
                m.val_loss,
                m.val_accuracy,
                m.grad_norm,
                m.images_per_second,
                m.seconds
            );
        }
        write_atomic(folder.join(METRICS), csv.as_bytes())
    }
}
