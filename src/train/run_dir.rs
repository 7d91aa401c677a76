//! Run folders. Each belongs to one training and is never overwritten; it holds everything that is needed
//! to repeat or to continue the training.

use crate::error::Shown as _;
use crate::files::make_folder;
use crate::model::weights::crash_safe;
use crate::train::checkpoint::LAST;
use crate::{Error, Result};
#[cfg(feature = "cli")]
use crate::{
    files::write_atomic,
    model::{Network, summary},
    train::config::TrainConfig,
};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The resolved configuration.
const CONFIG: &str = "config.toml";

/// What a training leaves that ended before its first checkpoint: names, or the beginning of names. A
/// folder with nothing else can be taken again.
const BEFORE_A_CHECKPOINT: [&str; 11] = [
    CONFIG, "network.toml", "summary.txt", "soft_labels.safetensors", "class_counts", "live.json",
    "progress.json", "train", "validation", "events.out.tfevents.", ".fer-",
];

/// A run folder that this process has taken. No other training can take it while this value lives.
#[derive(Debug)]
pub struct RunDir {
    /// The folder.
    pub path: PathBuf,
    /// Open while it is locked; `None` where the system cannot lock folders.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "held, not read"))]
    pub(crate) lock: Option<File>,
}

/// Takes a run folder: `wanted`, which must hold nothing but what a training leaves that ended before its
/// first checkpoint, or the first free one of `runs/ARCH-1`, `-2`, …
///
/// # Errors
/// [`Error::Usage`] if `wanted` is taken, [`Error::Io`] if it cannot be made.
pub fn create(wanted: Option<&Path>, arch: &str) -> Result<RunDir> {
    if let Some(folder) = wanted {
        require_free(folder)?;
        make_folder(folder)?;
        let lock = lock(folder)?;
        return claim(folder, lock, is_free)?.ok_or_else(|| taken(folder));
    }
    let stem = Path::new(arch).file_stem().unwrap_or_default().to_string_lossy();
    for number in 1_u64.. {
        let folder = Path::new("runs").join(format!("{stem}-{number}"));
        if !is_empty(&folder) {
            continue;
        }
        std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        if let Ok(lock) = lock(&folder)
            && let Some(run) = claim(&folder, lock, is_empty)?
        {
            return Ok(run);
        }
    }
    Err(Error::Usage("runs: no number is free".into()))
}

/// Refuses a folder that [`create`] would refuse, before any work is done.
///
/// # Errors
/// [`Error::Usage`] if it holds something or is a file.
pub fn require_free(wanted: &Path) -> Result<()> {
    if is_free(wanted) { Ok(()) } else { Err(taken(wanted)) }
}

/// Whether the folder does not exist or holds no file whose name `counts`.
fn holds_no(folder: &Path, counts: impl Fn(&str) -> bool) -> bool {
    let Ok(mut files) = std::fs::read_dir(folder) else { return !folder.exists() };
    files.all(|file| file.is_ok_and(|file| !counts(&file.file_name().to_string_lossy())))
}

fn is_empty(folder: &Path) -> bool {
    holds_no(folder, |_| true)
}

fn is_free(folder: &Path) -> bool {
    holds_no(folder, |name| !BEFORE_A_CHECKPOINT.iter().any(|left| name.starts_with(left)))
}

/// Takes a folder that is locked and, as seen under the lock, still `free`. Its `config.toml` shows others
/// that it is taken; where the system cannot lock folders, whoever creates that file has the folder.
fn claim(
    folder: &Path,
    lock: Option<File>,
    free: impl Fn(&Path) -> bool,
) -> Result<Option<RunDir>> {
    if !free(folder) {
        return Ok(None);
    }
    let file = folder.join(CONFIG);
    match std::fs::OpenOptions::new().write(true).create_new(true).open(&file) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(Error::io(&file)(e)),
        Err(_) if lock.is_none() => Ok(None),
        _ => Ok(Some(RunDir { path: folder.to_owned(), lock })),
    }
}

/// How often [`lock`] tries, and how long it waits before it tries again.
const LOCK_TRIES: u32 = 20;
const LOCK_WAIT: Duration = Duration::from_millis(50);

/// Locks a run folder against other trainings for as long as the returned file is open. The lock ends
/// with the program, however that ends. `None` where the system cannot lock folders.
///
/// A program that this process starts holds a copy of the open folder, and so the lock, from its birth
/// until it runs its own code. A lock that was just given up may therefore stand for some milliseconds
/// more; a second of trying tells it from a training.
///
/// # Errors
/// [`Error::Usage`] if another training has the folder.
pub(crate) fn lock(folder: &Path) -> Result<Option<File>> {
    let Ok(file) = File::open(folder) else { return Ok(None) };
    for attempt in 0..LOCK_TRIES {
        if attempt > 0 {
            std::thread::sleep(LOCK_WAIT);
        }
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
        }
    }
    Err(Error::Usage(format!(
        "{0} is being trained by another process; to see how far it is: fer watch {0}",
        folder.shown()
    )))
}

fn taken(folder: &Path) -> Error {
    let shown = folder.shown();
    Error::Usage(match crash_safe::exists(&folder.join(LAST)) {
        true => format!(
            "{shown} is not an empty folder: it holds a training, and a run is never overwritten. Name \
             another --out, or continue it with --resume {shown}"
        ),
        false => {
            format!("{shown} is not an empty folder and holds no training; name another --out")
        }
    })
}

/// Reads the configuration of a run folder, as it stands there.
///
/// # Errors
/// [`Error::Model`] if it is missing or empty, because the training ended before it was written;
/// [`Error::Usage`] if it is no configuration.
#[cfg(feature = "cli")]
pub(crate) fn read_config(folder: &Path) -> Result<TrainConfig> {
    let file = folder.join(CONFIG);
    match std::fs::metadata(&file).map(|m| m.len()) {
        Ok(0) => Err(Error::model(
            folder,
            format!(
                "its training ended before its settings were written; start it again: fer train … \
                 --out {}",
                folder.shown()
            ),
        )),
        Ok(_) => TrainConfig::read(&file),
        Err(_) => Err(Error::model(
            folder,
            "is not a run folder: it holds neither last.safetensors nor config.toml",
        )),
    }
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
