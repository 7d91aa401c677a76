//! Temporary files and folders, none of which is left behind: they go with their value, with the program
//! when a signal ends it, and with the next write into the folder after a crash.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Temporary files and folders of this process that exist now.
static OURS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
/// Held while several files are renamed, so that a signal waits until all are.
static COMMIT: Mutex<()> = Mutex::new(());
/// Folders that this process has searched for what a crash left.
static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Age from which a temporary file of a process that is gone counts as left behind. Where processes of
/// two machines share a folder, one cannot see the other's.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A temporary file or folder `.fer-PROCESS-NUMBER.tmp`, removed with its value.
#[derive(Debug)]
pub(crate) struct Temporary {
    path: PathBuf,
}

impl Temporary {
    /// Calls `create` with an unused path in `folder`; returns what it made, and the temporary.
    ///
    /// # Errors
    /// Those of `create`, except that a name in use is passed over.
    pub fn create<T>(
        folder: &Path,
        create: impl Fn(&Path) -> io::Result<T>,
    ) -> io::Result<(T, Self)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        if lock(&SWEPT).insert(folder.to_owned()) {
            sweep_left_behind(folder);
        }
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".fer-{}-{number}.tmp", std::process::id()));
            let mut ours = lock(&OURS);
            match create(&path) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => {
                    let _ = std::fs::remove_file(&path); // such as a copy that filled the disk
                    return Err(e);
                }
                Ok(created) => {
                    ours.insert(path.clone());
                    return Ok((created, Self { path }));
                }
            }
        }
    }

    /// Returns its path.
    #[cfg(any(test, feature = "images"))]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Renames it to `to`, whose old content is lost.
    ///
    /// # Errors
    /// Those of the system; the temporary is then removed.
    pub fn rename(self, to: &Path) -> io::Result<()> {
        std::fs::rename(&self.path, to) // of two names of one file, rename(2) leaves both: see drop
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let mut ours = lock(&OURS);
        remove(&self.path);
        ours.remove(&self.path);
    }
}

fn remove(path: &Path) {
    if std::fs::remove_file(path).is_err_and(|e| e.kind() != ErrorKind::NotFound) {
        let _ = std::fs::remove_dir_all(path).or_else(|_| std::fs::remove_file(path)); // once more
    }
}

/// Keeps [`end_with`] waiting while the returned value lives.
pub(super) fn hold() -> MutexGuard<'static, ()> {
    lock(&COMMIT)
}

/// Removes every temporary file and folder of this process, lets nobody make another, and calls `end`,
/// which ends the program.
pub fn end_with(end: impl FnOnce()) {
    let (_commit, ours) = (hold(), lock(&OURS));
    ours.iter().for_each(|path| remove(path));
    end();
}

/// The process that made a temporary file or folder of this name; `None` for other names.
fn maker(name: &OsStr) -> Option<u32> {
    let (process, _) =
        name.to_str()?.strip_prefix(".fer-")?.strip_suffix(".tmp")?.split_once('-')?;
    process.parse().ok()
}

/// Removes what processes that no longer run left in `folder`, where the system tells which run.
fn sweep_left_behind(folder: &Path) {
    let is_gone = |process: u32| !Path::new("/proc").join(process.to_string()).exists();
    if is_gone(std::process::id()) {
        return; // no list of processes
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        if maker(&entry.file_name()).is_some_and(is_gone) && age().is_some_and(|a| a > LEFT_BEHIND)
        {
            remove(&entry.path());
        }
    }
}

/// Removes every temporary file of this program from a folder that no other process writes into.
pub(crate) fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // The other names are those of earlier versions.
        let ours = name.starts_with(".fer-") || name.ends_with(".previous.tmp");
        if (ours && name.ends_with(".tmp")) || [".progress.tmp", "resume.fer.tmp"].contains(&&*name)
        {
            remove(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_left_goes_with_the_next_write_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let here = |name: &str| folder.path().join(name);
        let own = format!(".fer-{}-9999999.tmp", std::process::id());
        let (old, young) = (".fer-4294967294-0.tmp", ".fer-4294967294-1.tmp"); // no process has it
        for name in [own.as_str(), old, young, ".fer-notes.txt"] {
            std::fs::write(here(name), b"x").unwrap();
        }
        let long_ago = std::time::SystemTime::now() - 2 * LEFT_BEHIND;
        for name in [own.as_str(), old, ".fer-notes.txt"] {
            let file = std::fs::OpenOptions::new().write(true).open(here(name)).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        let there = |p: &Path| std::fs::File::create_new(p);
        let (_, temporary) = Temporary::create(folder.path(), there).unwrap();
        assert!(!here(old).exists() || !Path::new("/proc/self").exists());
        assert!(here(young).exists() && here(&own).exists() && here(".fer-notes.txt").exists());
        let path = temporary.path().to_owned();
        drop(temporary);
        assert!(!path.exists());
        sweep(folder.path());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the notes");
    }

    #[test]
    fn a_second_name_of_a_file_does_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&a, b"x").unwrap();
        std::fs::hard_link(&a, &b).unwrap();
        let link = |p: &Path| std::fs::hard_link(&a, p);
        Temporary::create(folder.path(), link).unwrap().1.rename(&b).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
