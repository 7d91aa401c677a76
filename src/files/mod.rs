//! Atomic file writes: after a crash a file holds its old content or its new one.

mod file_set;
mod temporaries;

pub use file_set::FileSet;
pub use temporaries::end_with;
pub(crate) use temporaries::{Temporary, sweep};

use crate::error::Shown as _;
use crate::{Error, Result};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Writes `bytes` to `path` so that a crash at any moment leaves either the old or the new file.
///
/// A temporary file in the same folder is written, synced and renamed over `path`; then the folder is
/// synced, so that the rename survives a power failure.
///
/// **Errors**: [`Error::Io`] with `path`: the folder is missing, not writable, or full.
///
/// ```
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("map.png");
/// fer::files::write_atomic(&path, b"new").unwrap();
/// assert_eq!(std::fs::read(&path).unwrap(), b"new");
/// ```
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    write_atomic_with(path, |file| file.write_all(bytes))
}

/// Writes a file like [`write_atomic`], for content that is too large for memory: `write` gets the open
/// file.
///
/// **Errors**: [`Error::Io`] with `path`, also for the errors of `write`.
pub fn write_atomic_with(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<()> {
    let mut file = FileSet::default();
    file.add_with(path, write)?;
    file.commit()
}

/// Replaces a file as a whole, but does not wait until it is on the disk: for files that are written
/// every few seconds.
///
/// # Errors
/// [`Error::Io`] with `path`.
#[cfg(feature = "cli")]
pub(crate) fn write_unsynced(path: &Path, bytes: &[u8]) -> Result<()> {
    Temporary::create(folder_of(path), |path| File::create_new(path))
        .and_then(|(mut file, temporary)| {
            file.write_all(bytes)?;
            temporary.rename(path)
        })
        .map_err(Error::io(path))
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// Those of the system; `InvalidData` with a message for a pipe, a device, or a longer file.
pub fn read_limited(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let refuse = |found: String| io::Error::new(io::ErrorKind::InvalidData, found);
    let metadata = std::fs::metadata(path)?; // before it is opened: opening a pipe may wait
    if !metadata.is_file() {
        let found = if metadata.is_dir() { "a folder" } else { "a pipe, socket or device" };
        return Err(refuse(format!("found {found}; expected a file")));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let length = metadata.len().max(limit + 1);
        return Err(refuse(format!("is {length} bytes long; at most {limit} are read")));
    }
    Ok(bytes)
}

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// As [`read_limited`], and `InvalidData` for what is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "is not text (UTF-8)");
    String::from_utf8(read_limited(path, limit)?).map_err(not_text)
}

/// Returns the last part of a path as a name to show, that of the folder itself for `.`.
pub fn name(path: &Path) -> String {
    let whole = || path.canonicalize().ok()?.file_name().map(ToOwned::to_owned);
    let name = path.file_name().map(ToOwned::to_owned).or_else(whole);
    name.unwrap_or_else(|| path.into()).to_string_lossy().into_owned()
}

/// Returns names to show of several paths: the last part of each, and for those that would have the same
/// name as many parts before it as tell them apart.
///
/// ```
/// let runs = ["a/run".into(), "b/run".into(), "c/other".into()];
/// assert_eq!(fer::files::distinct_names(&runs), ["a/run", "b/run", "other"]);
/// ```
pub fn distinct_names(paths: &[PathBuf]) -> Vec<String> {
    let whole = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let whole: Vec<PathBuf> = paths.iter().map(whole).collect();
    let last = |path: &Path, parts: usize| -> String {
        let all: Vec<_> = path.components().collect();
        let end: PathBuf = all[all.len().saturating_sub(parts)..].iter().collect();
        end.to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = paths.iter().map(|path| name(path)).collect();
    let longest = whole.iter().map(|path| path.components().count()).max().unwrap_or(0);
    for parts in 2..=longest {
        let same =
            |i: usize| (0..names.len()).any(|k| whole[k] != whole[i] && names[k] == names[i]);
        let colliding: Vec<usize> = (0..names.len()).filter(|&i| same(i)).collect();
        colliding.into_iter().for_each(|i| names[i] = last(&whole[i], parts));
    }
    names
}

/// Returns the folder of a file.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes a folder for results where there is none.
///
/// **Errors**: [`Error::Usage`] if a file has its name; [`Error::Io`] if it cannot be created.
pub fn make_folder(path: &Path) -> Result<()> {
    if let Some(file) = path.ancestors().find(|place| place.exists() && !place.is_dir()) {
        let message = format!("`{}` is a file; name a folder", file.shown());
        return Err(Error::Usage(message));
    }
    std::fs::create_dir_all(path).map_err(Error::io(path))
}

/// Makes a folder for results, does the work that fills it, and takes it away again if the work failed, the folder is
/// new, and nothing is in it.
///
/// # Errors
/// Those of [`make_folder`] and of `work`.
#[cfg(feature = "cli")]
pub(crate) fn with_folder(path: Option<&Path>, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let Some(path) = path else { return work() };
    let is_new = !path.exists();
    make_folder(path)?;
    let done = work();
    if done.is_err() && is_new {
        let _ = std::fs::remove_dir(path); // which the system refuses if something is in it
    }
    done
}

/// Refuses an output file whose folder does not exist, before any work is done.
///
/// # Errors
/// [`Error::Usage`] that names the folder.
pub fn require_folder_of(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
            Err(Error::Usage(no_folder(parent)))
        }
        _ => Ok(()),
    }
}

fn no_folder(folder: &Path) -> String {
    format!("the folder {} does not exist; create it first", folder.shown())
}

/// Refuses files that would block or never end (FIFO, socket, device).
pub(crate) fn require_file(path: &Path, metadata: &std::fs::Metadata) -> Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(Error::data(
        path,
        "found a pipe, socket or device; expected a file or a folder: give `-` to read standard \
         input",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_the_old_file_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_atomic(&path, b"one").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_atomic(folder.path().join("no/a.txt"), b"x").unwrap_err().to_string();
        assert!(error.contains("does not exist") && error.contains("a.txt"), "{error}");
    }

    #[test]
    fn a_folder_in_the_way_is_an_error_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        assert!(write_atomic(folder.path().join("a"), b"x").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
