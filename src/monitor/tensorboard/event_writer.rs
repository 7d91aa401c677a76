//! The writer of one event file, one method for each kind of value.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::Shown as _;
use crate::monitor::tensorboard::format::event::{self, Summary};
use crate::monitor::tensorboard::format::record::put_record;
use crate::monitor::tensorboard::format::resume::{self, Resumed};
use crate::monitor::tensorboard::format::tags;
use crate::monitor::tensorboard::summary::histogram::Histogram;
use crate::monitor::tensorboard::summary::hparams::{self, HParam, Metric, Status};
use crate::monitor::tensorboard::summary::pr_curve::PrCurve;
use crate::monitor::tensorboard::summary::{graph, image, keras_graph, scalar, text};
use crate::protobuf::Message;
use crate::{Error, Result};

/// Returns the wall time in seconds since 1970. Tests pass a constant clock, so that files are equal
/// to the byte.
pub type Clock = fn() -> f64;

/// The clock of the computer.
pub fn system_clock() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// Size of the buffer from which it is written without a flush.
const BUFFER: usize = 1 << 20;

/// Size up to which the buffer is kept where it cannot be written.
const KEPT: usize = 1 << 24;

/// Writes the event file of one folder (`RUN`, `RUN/train`, `RUN/validation`).
///
/// Values are buffered as whole records. The buffer is written at [`EventWriter::flush`], when it
/// exceeds 1 MiB, and when the writer is dropped. So the file ends inside a record only if the process
/// dies during a write; readers wait for the rest of such a record, and [`EventWriter::resume`] cuts it
/// off.
///
/// The steps of a tag must rise: when a step comes again, TensorBoard drops the values from that step
/// on. A tag has one kind of value.
///
/// **Errors** of every method that writes: [`Error::Io`] if the buffer could not be written. The file
/// still ends with a whole record, and the next flush writes the rest: up to 16 MiB are kept; what is
/// beyond is dropped and counted by [`EventWriter::lost`].
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: File,
    /// Bytes of whole records in the file.
    length: u64,
    buffer: Vec<u8>,
    /// Whether the file may end with a part of a record.
    torn: bool,
    /// Bytes of records that were dropped.
    lost: u64,
    clock: Clock,
    resumed: Resumed,
}

impl EventWriter {
    /// Starts the event file of a new run in `dir`, which is created if missing.
    ///
    /// **Errors**: [`Error::Usage`] if `dir` already has an event file of this program, [`Error::Io`].
    pub fn create(dir: impl AsRef<Path>, clock: Clock) -> Result<Self> {
        let dir = dir.as_ref();
        std::fs::create_dir_all(dir).map_err(Error::io(dir))?;
        if let Some(found) = resume::event_files(dir)?.last() {
            return Err(Error::Usage(format!(
                "{}: the folder has an event file, {found}; resume that run or choose another folder",
                dir.shown()
            )));
        }
        let path = resume::next_path(dir, &[], clock());
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.map_err(Error::io(&path))?;
        let mut writer = Self::on(path, file, 0, clock);
        writer.head()?;
        Ok(writer)
    }

    /// Continues the run in `dir` at `step`: keeps the values of smaller steps and drops the rest,
    /// which will be written again (see [`crate::monitor::tensorboard::format::resume`]). Starts a new
    /// file if there is none. Values that are written once per run stand at step 0: write them again
    /// only if [`EventWriter::resumed`] kept nothing.
    ///
    /// **Errors**: [`Error::Io`].
    pub fn resume(dir: impl AsRef<Path>, step: u64, clock: Clock) -> Result<Self> {
        let dir = dir.as_ref();
        std::fs::create_dir_all(dir).map_err(Error::io(dir))?;
        let files = resume::event_files(dir)?;
        if files.is_empty() {
            return Self::create(dir, clock);
        }
        resume::resume(dir, &files, step, clock)
    }

    /// A writer that appends to `file` behind `length` bytes of whole records.
    pub(crate) fn on(path: PathBuf, file: File, length: u64, clock: Clock) -> Self {
        let resumed = Resumed::default();
        let (buffer, torn, lost) = (Vec::new(), false, 0);
        EventWriter { path, file, length, buffer, torn, lost, clock, resumed }
    }
    pub(crate) fn set_resumed(&mut self, resumed: Resumed) {
        self.resumed = resumed;
    }
    pub(crate) fn set_path(&mut self, path: PathBuf) {
        self.path = path;
    }
    pub(crate) fn sync(&self) -> std::io::Result<()> {
        self.file.sync_all()
    }

    /// Returns the path of the event file.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Returns the number of records that [`EventWriter::resume`] kept and dropped.
    pub fn resumed(&self) -> Resumed {
        self.resumed
    }

    /// Writes the two events at the head of every file.
    pub(crate) fn head(&mut self) -> Result<()> {
        let now = (self.clock)();
        self.put(&event::file_version(now))?;
        self.put(&event::session_start(now))?;
        self.flush()
    }
    fn put(&mut self, event: &Message) -> Result<()> {
        self.put_encoded(event.as_bytes())
    }
    pub(crate) fn put_encoded(&mut self, event: &[u8]) -> Result<()> {
        put_record(&mut self.buffer, event);
        if self.buffer.len() <= BUFFER {
            return Ok(());
        }
        let flushed = self.flush();
        // What could not be written, but is kept, is the business of the next flush.
        if self.buffer.is_empty() { flushed } else { Ok(()) }
    }

    /// Writes a summary of any kind.
    pub fn summary(&mut self, step: u64, summary: &Summary) -> Result<()> {
        self.put(&event::summary((self.clock)(), step, summary))
    }

    /// Writes a number.
    pub fn scalar(&mut self, tag: &str, step: u64, value: f32) -> Result<()> {
        self.summary(step, &scalar::scalar(tag, value))
    }
    /// Writes the distribution of some numbers. NaN and infinite values are left out; their number, if
    /// not 0, is written as the scalar `nonfinite/TAG`.
    pub fn histogram(&mut self, tag: &str, step: u64, values: &[f32]) -> Result<()> {
        self.write_histogram(tag, step, &Histogram::new(values))
    }
    /// Writes a histogram.
    pub fn write_histogram(&mut self, tag: &str, step: u64, histogram: &Histogram) -> Result<()> {
        self.nonfinite(tag, step, histogram.nonfinite)?;
        self.summary(step, &histogram.summary(tag))
    }
    /// Writes a PNG file.
    ///
    /// **Errors**: [`Error::Render`] if it is no PNG.
    pub fn image(&mut self, tag: &str, step: u64, png: &[u8]) -> Result<()> {
        self.images(tag, step, &[png])
    }
    /// Writes PNG files of one size, side by side.
    ///
    /// **Errors**: [`Error::Render`] if there is none, one is no PNG, or their sizes differ.
    pub fn images<P: AsRef<[u8]>>(&mut self, tag: &str, step: u64, pngs: &[P]) -> Result<()> {
        self.summary(step, &image::images(tag, pngs)?)
    }
    /// Writes a text in Markdown.
    pub fn text(&mut self, tag: &str, step: u64, markdown: &str) -> Result<()> {
        self.summary(step, &text::text(tag, markdown))
    }
    /// Writes a table of cells in Markdown.
    ///
    /// **Errors**: [`Error::Shape`] if there is no cell or the rows differ in length.
    pub fn table<S: AsRef<str>>(&mut self, tag: &str, step: u64, rows: &[Vec<S>]) -> Result<()> {
        self.summary(step, &text::table(tag, rows)?)
    }
    /// Writes a precision-recall curve: `scores` in [0, 1], and which samples are of the class. Scores
    /// that are NaN or infinite are left out and counted as in [`EventWriter::histogram`].
    ///
    /// **Errors**: [`Error::Shape`] if the lengths differ.
    pub fn pr_curve(
        &mut self,
        tag: &str,
        step: u64,
        scores: &[f32],
        positive: &[bool],
    ) -> Result<()> {
        let curve = PrCurve::new(scores, positive)?;
        self.nonfinite(tag, step, curve.nonfinite)?;
        self.summary(step, &curve.summary(tag))
    }
    fn nonfinite(&mut self, tag: &str, step: u64, count: u64) -> Result<()> {
        match count {
            0 => Ok(()),
            _ => self.scalar(&tags::nonfinite(tag), step, count as f32),
        }
    }

    /// Writes the settings of the run and the metrics to show beside them. Once, in the run folder.
    pub fn hparams(&mut self, hparams: &[(&str, HParam)], metrics: &[Metric]) -> Result<()> {
        self.summary(0, &hparams::experiment(hparams, metrics))?;
        self.summary(0, &hparams::session_start(hparams, (self.clock)()))
    }
    /// Writes how the run ended; `step` is the number of finished steps, so that resuming drops it.
    pub fn session_end(&mut self, step: u64, status: Status) -> Result<()> {
        self.summary(step, &hparams::session_end(status, (self.clock)()))
    }
    /// Writes the operations of the network. Once.
    pub fn run_graph(&mut self, nodes: &[graph::Node]) -> Result<()> {
        self.put(&event::graph((self.clock)(), &graph::graph_def(nodes)))
    }
    /// Writes the layers of the network, a block. Once.
    pub fn keras_graph(&mut self, model: &keras_graph::Layer) -> Result<()> {
        self.summary(0, &keras_graph::keras_graph(model))
    }

    /// Writes the buffer to the file. TensorBoard looks for new records every five seconds.
    pub fn flush(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.try_flush() {
            self.torn = true; // a full disk may have taken half a record
            let _ = self.mend();
            if self.buffer.len() > KEPT {
                self.lost += self.buffer.len() as u64;
                self.buffer.clear();
            }
            return Err(Error::io(&self.path)(error));
        }
        Ok(())
    }

    fn try_flush(&mut self) -> std::io::Result<()> {
        self.mend()?;
        self.file.write_all(&self.buffer)?;
        self.length += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Cuts off a part of a record at the end: the next one must not stand behind it.
    fn mend(&mut self) -> std::io::Result<()> {
        if self.torn {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            self.torn = false;
        }
        Ok(())
    }

    /// Returns the number of bytes that were dropped because they could not be written for long.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

impl Drop for EventWriter {
    /// Writes the rest of the buffer. Errors are lost here: flush first.
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_full_disk_refused_is_written_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path(), || 1.0).unwrap();
        writer.scalar("epoch_loss", 0, 1.0).unwrap();
        let read_only = File::open(writer.path()).unwrap();
        let good = std::mem::replace(&mut writer.file, read_only);
        assert!(writer.flush().is_err());
        writer.scalar("epoch_loss", 1, 1.0).unwrap();
        writer.file = good;
        writer.flush().unwrap();
        let resumed = EventWriter::resume(folder.path(), 9, || 1.0).unwrap().resumed();
        assert_eq!((resumed.kept, resumed.damaged), (2, 0));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error_and_memory_stays_bounded() {
        let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut writer = EventWriter::on("/dev/full".into(), full(), 0, || 1.0);
        let mut errors = 0;
        for step in 0..100_000 {
            errors += usize::from(writer.scalar("epoch_loss", step, 1.0).is_err());
            assert!(writer.buffer.len() <= KEPT + 1000);
        }
        assert_eq!((errors, writer.lost()), (0, 0), "all is kept");
        writer.buffer.resize(KEPT + 1, 0);
        assert!(
            matches!(writer.flush(), Err(Error::Io { path, .. }) if path == Path::new("/dev/full"))
        );
        assert!(writer.flush().is_ok(), "nothing is left to write");
        assert!(writer.lost() > KEPT as u64);
    }
}
