//! Several files that belong together: all of them become new, or none.

use crate::files::temporaries::{self, Temporary};
use crate::files::{folder_of, no_folder};
use crate::platform::sync_folder;
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Files that are written together. [`FileSet::add`] writes a temporary file beside each; only
/// [`FileSet::commit`] changes the files themselves.
///
/// An error leaves every file as it was. After a crash, all files that are there belong to one set: the
/// old one or the new one. Only a crash between the renames of `commit` may leave some missing.
///
/// ```
/// let folder = tempfile::tempdir().unwrap();
/// let [a, b] = ["a.csv", "b.csv"].map(|name| folder.path().join(name));
/// let mut files = fer::files::FileSet::default();
/// files.add(&a, b"1").unwrap();
/// files.add(&b, b"2").unwrap();
/// assert!(!a.exists());
/// files.commit().unwrap();
/// assert_eq!(std::fs::read(&b).unwrap(), b"2");
/// ```
#[derive(Debug, Default)]
pub struct FileSet {
    new: Vec<(PathBuf, Temporary)>,
}

/// A file while a set is committed.
struct Placed<'a> {
    path: &'a Path,
    /// The old content, where there was a file.
    old: Option<Temporary>,
    /// Whether `path` holds the new content.
    is_new: bool,
}

impl FileSet {
    /// Writes the new content of a file, beside it.
    ///
    /// # Errors
    /// [`Error::Io`] with `path`: the folder is missing, not writable, or full.
    pub fn add(&mut self, path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
        self.add_with(path, |file| file.write_all(bytes))
    }

    /// Writes the new content of a file like [`FileSet::add`]: `write` gets the open file.
    ///
    /// # Errors
    /// [`Error::Io`] with `path`, also for the errors of `write`.
    pub fn add_with(
        &mut self,
        path: impl AsRef<Path>,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<()> {
        let path = path.as_ref();
        let folder = folder_of(path);
        if !folder.is_dir() {
            let source = io::Error::new(ErrorKind::NotFound, no_folder(folder));
            return Err(Error::Io { path: path.into(), source });
        }
        let written = match std::fs::metadata(path) {
            // A device or a pipe is written to, not replaced.
            Ok(there) if !there.is_file() && !there.is_dir() => {
                File::create(path).and_then(|mut device| write(&mut device))
            }
            _ => Temporary::create(folder, |path| File::create_new(path)).and_then(
                |(mut file, temporary)| {
                    write(&mut file)?;
                    file.sync_all()?;
                    self.new.push((path.to_owned(), temporary));
                    Ok(())
                },
            ),
        };
        written.map_err(Error::io(path))
    }

    /// Puts the new files in place of the old ones.
    ///
    /// Every old file but the first is moved aside before the first is replaced, so that no moment mixes
    /// old and new ones.
    ///
    /// # Errors
    /// [`Error::Io`] with the file that could not be replaced; all are then as they were.
    pub fn commit(self) -> Result<()> {
        let _hold = temporaries::hold();
        let (paths, new): (Vec<PathBuf>, Vec<Temporary>) = self.new.into_iter().unzip();
        let mut placed = Vec::with_capacity(paths.len());
        let done = place(&paths, new, &mut placed);
        if done.is_err() {
            placed.into_iter().rev().for_each(undo);
            return done;
        }
        let folders: BTreeSet<&Path> = paths.iter().map(|path| folder_of(path)).collect();
        folders.into_iter().try_for_each(|folder| sync_folder(folder).map_err(Error::io(folder)))
    }
}

fn place<'a>(
    paths: &'a [PathBuf],
    new: Vec<Temporary>,
    placed: &mut Vec<Placed<'a>>,
) -> Result<()> {
    if let ([path], 1) = (paths, new.len()) {
        return new.into_iter().try_for_each(|n| n.rename(path)).map_err(Error::io(path));
    }
    for (i, path) in paths.iter().enumerate() {
        let old = keep_old(path, i == 0).map_err(Error::io(path))?;
        placed.push(Placed { path, old, is_new: false });
    }
    for (file, new) in placed.iter_mut().zip(new) {
        new.rename(file.path).map_err(Error::io(file.path))?;
        file.is_new = true;
    }
    Ok(())
}

/// Keeps the old content of a file under a temporary name: beside it, or in its stead.
fn keep_old(path: &Path, beside: bool) -> io::Result<Option<Temporary>> {
    if !path.is_file() {
        return Ok(None); // a folder in the way fails at the rename
    }
    let keep = |to: &Path| match beside {
        true => std::fs::hard_link(path, to).or_else(|_| std::fs::copy(path, to).map(drop)),
        false => std::fs::rename(path, to),
    };
    Temporary::create(folder_of(path), keep).map(|((), old)| Some(old))
}

fn undo(file: Placed<'_>) {
    match file.old {
        Some(old) => drop(old.rename(file.path)),
        None if file.is_new => drop(std::fs::remove_file(file.path)),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(folder: &Path, names: &[&str], content: &[u8]) -> FileSet {
        let mut files = FileSet::default();
        for name in names {
            files.add(folder.join(name), content).unwrap();
        }
        files
    }

    #[test]
    fn all_are_new_or_all_are_old() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str| std::fs::read(folder.path().join(name)).ok();
        let count = || std::fs::read_dir(folder.path()).unwrap().count();
        set(folder.path(), &["a", "b"], b"old").commit().unwrap();
        drop(set(folder.path(), &["a", "b"], b"never committed"));
        assert_eq!((read("a"), read("b"), count()), (Some("old".into()), Some("old".into()), 2));
        // The third cannot be placed: a folder has its name.
        std::fs::create_dir_all(folder.path().join("c/in the way")).unwrap();
        let e = set(folder.path(), &["a", "new", "b", "c"], b"new").commit().unwrap_err();
        assert!(e.to_string().contains("/c: "), "{e}");
        assert_eq!(
            (read("a"), read("b"), read("new")),
            (Some("old".into()), Some("old".into()), None)
        );
        assert_eq!(count(), 3, "no temporary is left");
        set(folder.path(), &["a", "new", "b"], b"new").commit().unwrap();
        assert!(["a", "b", "new"].iter().all(|name| read(name) == Some("new".into())));
        assert_eq!(count(), 4);
    }
}
