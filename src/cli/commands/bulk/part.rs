//! The answers so far, and how far that is.
//!
//! While the work runs, `OUT.part` holds the rows of a CSV and `OUT.progress` what they cover. The rows are
//! on the disk before the progress that counts them, and `--resume` cuts off what was written after it. So
//! a kill at any moment loses at most the work since the last note.

use crate::error::Shown as _;
use crate::files::{write_atomic, write_atomic_with};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Time between two notes of the progress.
const NOTE_EVERY: Duration = Duration::from_secs(2);

/// Settings that a continued run must share with its beginning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Job {
    pub version: String,
    pub inputs: Vec<String>,
    pub networks: Vec<String>,
    pub shard: String,
    pub detect: String,
    pub tta: bool,
    pub precision: String,
}

/// Position in the inputs and the outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    job: Job,
    /// Length of the rows.
    bytes: u64,
    /// Records of all shards that need not be looked at again.
    pub seen: usize,
    /// Records of this shard that are done.
    pub records: usize,
    /// Faces in the table.
    pub faces: usize,
    /// Records that cannot be read.
    pub bad: usize,
}

/// The open `OUT.part`.
pub(super) struct Part {
    file: File,
    path: PathBuf,
    note: PathBuf,
    pub progress: Progress,
    noted: Instant,
}

fn beside(out: &Path, ending: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

impl Part {
    /// Starts a table with this header, or continues that of an earlier run.
    ///
    /// # Errors
    /// [`Error::Usage`] if the earlier run had other settings; [`Error::Io`].
    pub fn open(out: &Path, job: Job, header: &str, resume: bool) -> Result<Self> {
        let (path, note) = (beside(out, ".part"), beside(out, ".progress"));
        let earlier = if resume { read_note(&note)? } else { None };
        if let Some(earlier) = &earlier {
            require_same(&earlier.job, &job, &note)?;
        }
        let fresh = earlier.is_none();
        let mut open = OpenOptions::new();
        let open = open.write(true).create(true).truncate(fresh);
        let mut file = open.open(&path).map_err(Error::io(&path))?;
        let progress =
            earlier.unwrap_or(Progress { job, bytes: 0, seen: 0, records: 0, faces: 0, bad: 0 });
        file.set_len(progress.bytes).map_err(Error::io(&path))?;
        file.seek(SeekFrom::End(0)).map_err(Error::io(&path))?;
        let mut part = Self { file, path, note, progress, noted: Instant::now() };
        if fresh {
            part.write(header)?;
            part.note()?;
        }
        Ok(part)
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.file.write_all(text.as_bytes()).map_err(Error::io(&self.path))?;
        self.progress.bytes += text.len() as u64;
        Ok(())
    }

    /// Adds the rows of some records.
    pub fn add(
        &mut self,
        rows: &str,
        records: usize,
        seen: usize,
        faces: usize,
        bad: usize,
    ) -> Result<()> {
        self.write(rows)?;
        self.progress.records += records;
        self.progress.seen = seen;
        self.progress.faces += faces;
        self.progress.bad += bad;
        if self.noted.elapsed() >= NOTE_EVERY {
            self.note()?;
        }
        Ok(())
    }

    /// Notes how far the work is.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn note(&mut self) -> Result<()> {
        self.file.sync_data().map_err(Error::io(&self.path))?;
        let text = serde_json::to_vec(&self.progress).map_err(|e| Error::Usage(e.to_string()))?;
        write_atomic(&self.note, &text)?;
        self.noted = Instant::now();
        Ok(())
    }

    /// Makes the table the output: as it is, or as `convert` writes it (it returns whether it did).
    pub fn finish(
        mut self,
        out: &Path,
        convert: impl Fn(&Path, &Path) -> Result<bool>,
    ) -> Result<()> {
        self.note()?;
        if !convert(&self.path, out)? {
            let path = self.path.clone();
            let mut from = File::open(&path).map_err(Error::io(&path))?;
            write_atomic_with(out, |file| std::io::copy(&mut from, file).map(drop))?;
        }
        self.discard();
        Ok(())
    }

    /// Removes what is only needed while the work runs.
    pub fn discard(self) {
        let Self { file, path, note, .. } = self;
        drop(file);
        let _ = std::fs::remove_file(path); // an empty rest harms nobody
        let _ = std::fs::remove_file(note);
    }
}

fn read_note(path: &Path) -> Result<Option<Progress>> {
    match std::fs::read(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io(path)(e)),
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|e| {
            let message =
                format!("is no note of an earlier run ({e}); start anew without --resume");
            Error::data(path, message)
        }),
    }
}

/// Refuses to continue a run with other settings.
fn require_same(then: &Job, now: &Job, note: &Path) -> Result<()> {
    let [before, after] = [then, now].map(|job| serde_json::to_value(job).unwrap_or_default());
    let changed = before
        .as_object()
        .into_iter()
        .flatten()
        .find(|(key, value)| after[key.as_str()] != **value);
    match changed {
        None => Ok(()),
        Some((key, value)) => Err(Error::Usage(format!(
            "--resume: {} began with {key} {value}, and this one has {}; use the same, or start anew without \
             --resume",
            note.shown(),
            after[key.as_str()]
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(shard: &str) -> Job {
        Job {
            version: "1".into(),
            inputs: vec!["a.tar (3 bytes)".into()],
            networks: vec![],
            shard: shard.into(),
            detect: "auto".into(),
            tta: false,
            precision: "f32".into(),
        }
    }

    /// Rows written after the last saved position are cut off, as after a kill.
    #[test]
    fn a_run_is_continued_from_its_last_note() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("answers.csv");
        let mut part = Part::open(&out, job("1/1"), "id\n", false).unwrap();
        part.add("a\n", 1, 1, 1, 0).unwrap();
        part.note().unwrap();
        part.add("lost\n", 1, 2, 1, 0).unwrap();
        drop(part);
        assert!(!out.exists());
        let other = Part::open(&out, job("2/4"), "id\n", true).err().unwrap().to_string();
        assert!(other.contains("began with shard \"1/1\", and this one has \"2/4\""), "{other}");
        let mut part = Part::open(&out, job("1/1"), "id\n", true).unwrap();
        assert_eq!((part.progress.seen, part.progress.faces), (1, 1));
        part.add("b\n", 1, 2, 1, 0).unwrap();
        part.finish(&out, |_, _| Ok(false)).unwrap();
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "id\na\nb\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
