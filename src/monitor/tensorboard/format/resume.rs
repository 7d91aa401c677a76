//! Continues a run without doubled steps.
//!
//! A run stopped at step T and resumed from a checkpoint at step S ≤ T computes the steps S … T
//! again. Appending would leave both. Cutting the old file does not help: steps of different tags may
//! be mixed, and an open TensorBoard has read beyond the cut. So:
//!
//! 1. Copy the records with step < S into a temporary file that TensorBoard does not read. The
//!    truncated record at the end, and records with a wrong checksum, are left out.
//! 2. Sync it and rename it to a name that sorts behind the old file's.
//! 3. Empty the old file, and remove those before it. The next resume removes the empty one: an
//!    open TensorBoard whose Python loader finds its file gone never looks at the next.
//!
//! A crash before the rename leaves the old file; one before the last step leaves both. That is why
//! **the last of our files holds the whole run**, and only that one is read here. TensorBoard gets
//! the same picture in each of these states, also when it is open meanwhile: its Rust loader drops
//! what a tag had from a step on when that step comes again, its Python loader drops everything
//! when it meets the second start of a session ([`crate::monitor::tensorboard::format::event::session_start`]).

use std::fs::{self, File, OpenOptions};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::files::Temporary;
use crate::monitor::tensorboard::event_writer::{Clock, EventWriter};
use crate::monitor::tensorboard::format::decode::{Event, EventContent};
use crate::monitor::tensorboard::format::record::{Next, RecordReader};
use crate::platform::sync_folder;
use crate::{Error, Result};

/// The files of this program are `events.out.tfevents.NUMBER.fer`: TensorBoard reads every file whose name
/// contains `tfevents`, in the order of their names. Other writers' files are never touched.
const PREFIX: &str = "events.out.tfevents.";
const SUFFIX: &str = ".fer";

/// Numbers of records of the old file, by what happened to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resumed {
    /// Records kept.
    pub kept: u64,
    /// Records dropped because their step comes again.
    pub dropped: u64,
    /// Records dropped because a checksum was wrong.
    pub damaged: u64,
}

/// Returns the names of this program's event files in `dir`, sorted.
pub(crate) fn event_files(dir: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let entry = entry.map_err(Error::io(dir))?;
        if let Some(name) = entry.file_name().to_str().filter(|name| number(name).is_some()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    // Ten digits, so that names sort as numbers do.
    (digits.len() == 10).then(|| digits.parse().ok()).flatten()
}

/// Returns the name of a new file: the time in seconds, or more, so that it sorts behind `files`.
pub(crate) fn next_path(dir: &Path, files: &[String], now: f64) -> PathBuf {
    let last = files.last().and_then(|name| number(name));
    let number = last.map_or(0, |last| last + 1).max(now as u64);
    dir.join(format!("{PREFIX}{number:010}{SUFFIX}"))
}

/// Copies the old file as the module describes; `files` are the sorted event files in `dir`, at least
/// one.
pub(crate) fn resume(dir: &Path, files: &[String], step: u64, clock: Clock) -> Result<EventWriter> {
    let (file, temporary) =
        Temporary::create(dir, |path| File::create_new(path)).map_err(Error::io(dir))?;
    let mut writer = EventWriter::on(temporary.path().to_owned(), file, 0, clock);
    writer.head()?;
    if let Some(last) = files.last() {
        let resumed = copy(&dir.join(last), step, &mut writer)?;
        writer.set_resumed(resumed);
    }
    writer.flush()?;
    writer.sync().map_err(Error::io(temporary.path()))?;
    let path = next_path(dir, files, clock());
    temporary.rename(&path).map_err(Error::io(&path))?;
    writer.set_path(path);
    sync_folder(dir).map_err(Error::io(dir))?;
    for (i, name) in files.iter().enumerate() {
        let path = dir.join(name);
        let is_last = i + 1 == files.len();
        let done = if is_last { empty(&path) } else { fs::remove_file(&path) };
        done.map_err(Error::io(&path))?;
    }
    Ok(writer)
}

fn empty(path: &Path) -> std::io::Result<()> {
    OpenOptions::new().write(true).open(path)?.set_len(0)
}

/// Copies the events before `step` except the head, which `writer` has already written.
fn copy(old: &Path, step: u64, writer: &mut EventWriter) -> Result<Resumed> {
    let file = File::open(old).map_err(Error::io(old))?;
    let mut reader = RecordReader::new(BufReader::new(file));
    let mut resumed = Resumed::default();
    loop {
        let record = match reader.read().map_err(Error::io(old))? {
            Next::Record(record) => record,
            Next::Damaged => {
                resumed.damaged += 1;
                continue;
            }
            Next::DamagedLength => {
                resumed.damaged += 1;
                return Ok(resumed);
            }
            Next::End | Next::Truncated => return Ok(resumed),
        };
        match Event::decode(&record) {
            Ok(Event { content: EventContent::Head, .. }) => {}
            Ok(event) if event.step < step => {
                writer.put_encoded(&record)?;
                resumed.kept += 1;
            }
            Ok(_) => resumed.dropped += 1,
            Err(_) => resumed.damaged += 1,
        }
    }
}
