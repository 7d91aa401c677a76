//! Files that are either the old one or the new one, never half of either.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Writes `bytes` to `path` so that a crash at any moment leaves the old file or the new one.
///
/// A temporary in the same folder is written, synced, renamed over `path`, and then the folder
/// is synced so that the rename itself survives a power cut.
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
    let path = path.as_ref();
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        let message = no_folder(folder);
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, message);
        return Err(Error::Io { path: path.into(), source });
    }
    let written = match std::fs::metadata(path) {
        // A device or a pipe is written to, never replaced by a file of its name.
        Ok(there) if !there.is_file() && !there.is_dir() => std::fs::write(path, bytes),
        _ => replace(path, folder, bytes),
    };
    written.map_err(Error::io(path))
}

fn replace(path: &Path, folder: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".fer-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // A temporary is private by default; a result is for everyone whom the umask allows.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    // Its name means nothing to anybody; the caller knows the file that was wanted.
    let mut temporary = builder.tempfile_in(folder).map_err(|e| e.kind())?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|failure| failure.error)?;
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// Makes a folder for results where there is none.
///
/// **Errors**: [`Error::Usage`] where a file has its name; [`Error::Io`] where it cannot be made.
pub fn make_folder(path: &Path) -> Result<()> {
    if path.exists() && !path.is_dir() {
        let message = format!("`{}` is a file; name a folder", path.display());
        return Err(Error::Usage(message));
    }
    std::fs::create_dir_all(path).map_err(Error::io(path))
}

/// Refuses an output in a folder that is not there, before any work is done.
///
/// # Errors
/// [`Error::Usage`], saying which folder to create.
pub fn require_folder_of(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
            Err(Error::Usage(no_folder(parent)))
        }
        _ => Ok(()),
    }
}

/// Refuses an output that would replace one of the inputs, before any work is done.
///
/// # Errors
/// [`Error::Usage`], saying which.
pub fn require_other_than(inputs: &[PathBuf], out: &Path) -> Result<()> {
    let Ok(there) = out.canonicalize() else {
        return Ok(()); // nothing is there yet
    };
    match inputs.iter().find(|input| input.canonicalize().is_ok_and(|path| path == there)) {
        Some(input) => Err(Error::Usage(format!(
            "{}: would be written over the input {}; name another file",
            out.display(),
            input.display()
        ))),
        None => Ok(()),
    }
}

fn no_folder(folder: &Path) -> String {
    format!("the folder {} does not exist; create it first", folder.display())
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
    fn an_input_is_not_written_over_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("a.png");
        std::fs::write(&input, b"x").unwrap();
        let same = folder.path().join(".").join("a.png");
        let error = require_other_than(std::slice::from_ref(&input), &same).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
        require_other_than(&[input, "-".into()], &folder.path().join("b.png")).unwrap();
    }

    #[test]
    fn a_folder_in_the_way_is_an_error_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        assert!(write_atomic(folder.path().join("a"), b"x").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
