//! Atomic file writes: after a crash a file holds its old content or its new one.

use crate::{Error, Result};
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

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
    let path = path.as_ref();
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        let message = no_folder(folder);
        let source = io::Error::new(ErrorKind::NotFound, message);
        return Err(Error::Io { path: path.into(), source });
    }
    let written = match std::fs::metadata(path) {
        // A device or a pipe is written to, not replaced.
        Ok(there) if !there.is_file() && !there.is_dir() => {
            File::create(path).and_then(|mut device| write(&mut device))
        }
        _ => replace(path, folder, write),
    };
    written.map_err(Error::io(path))
}

fn replace(
    path: &Path,
    folder: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let (mut file, temporary) = create_temporary(folder, |path| File::create_new(path))?;
    let written = write(&mut file)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// Calls `create` with an unused path `folder/.fer-PROCESS-NUMBER.tmp`; returns what it made and the path.
///
/// # Errors
/// Those of `create`, except that a name in use is passed over.
pub(crate) fn create_temporary<T>(
    folder: &Path,
    create: impl Fn(&Path) -> io::Result<T>,
) -> io::Result<(T, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".fer-{}-{number}.tmp", std::process::id()));
        match create(&path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            result => return result.map(|created| (created, path)),
        }
    }
}

/// Makes a folder for results where there is none.
///
/// **Errors**: [`Error::Usage`] if a file has its name; [`Error::Io`] if it cannot be created.
pub fn make_folder(path: &Path) -> Result<()> {
    if path.exists() && !path.is_dir() {
        let message = format!("`{}` is a file; name a folder", path.display());
        return Err(Error::Usage(message));
    }
    std::fs::create_dir_all(path).map_err(Error::io(path))
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
    format!("the folder {} does not exist; create it first", folder.display())
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
