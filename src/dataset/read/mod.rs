//! Finds out what an input is, by its content, and reads it.

pub mod csv_rows;
pub mod folder;
#[cfg(feature = "images")]
mod gunzip;
pub mod line_reader;
pub mod tree;

use std::fs::{File, Metadata};
use std::io::{self, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::dataset::image::picture;
use crate::dataset::read::csv_rows::read_csv;
use crate::dataset::{Dataset, Sample, Usage};
use crate::{CLASS_NAMES, Error, Result};

/// How to read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Go on after a bad row or picture, count it and list it; otherwise the first one is the error.
    pub skip_bad: bool,
    /// Most bad rows to list in the report (all are counted).
    pub list_bad: usize,
    /// Only rows of this part; needs a column `Usage`.
    pub usage: Option<Usage>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions { skip_bad: false, list_bad: 100, usage: None }
    }
}

/// What kind of input it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Text.
    #[default]
    Csv,
    /// Text, compressed.
    CsvGzip,
    /// A folder of pictures.
    Folder,
    /// One picture.
    Picture,
}

/// A row or picture that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// The file.
    pub path: PathBuf,
    /// Its line, from 1; `None` for a picture.
    pub line: Option<u64>,
    /// What was found and what was expected.
    pub message: String,
}

/// What reading met.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Kind of input.
    pub format: Format,
    /// Rows or pictures met, good and bad.
    pub rows: usize,
    /// Rows of another `Usage` than the wanted one.
    pub filtered: usize,
    /// Bad ones.
    pub bad_count: usize,
    /// The first of the bad ones.
    pub bad: Vec<BadRow>,
    /// Remarks that are not errors, such as a class without a face.
    pub notes: Vec<String>,
}

impl Report {
    /// Counts a bad row, or hands the error back where bad rows are not to be skipped.
    pub(crate) fn add_bad(&mut self, error: Error, options: &ReadOptions) -> Result<()> {
        let (path, line, message) = match error {
            Error::Data { path, line, message } if options.skip_bad => (path, line, message),
            Error::Io { path, source } if options.skip_bad => (path, None, source.to_string()),
            other => return Err(other),
        };
        self.bad_count += 1;
        if self.bad.len() < options.list_bad {
            self.bad.push(BadRow { path, line, message });
        }
        Ok(())
    }

    fn note_missing_classes(&mut self, dataset: &Dataset) {
        let counts = dataset.class_counts();
        if counts.iter().sum::<usize>() == 0 {
            return;
        }
        for (name, _) in CLASS_NAMES.iter().zip(counts).filter(|&(_, n)| n == 0) {
            self.notes.push(format!("no face of the class {name}"));
        }
    }
}

/// A stream whose first bytes were looked at.
pub type Sniffed<R> = Chain<Cursor<Vec<u8>>, R>;

/// Reads faces from `path`: a CSV (plain or gzip), a folder of class-named folders of PNG or JPEG
/// pictures, a folder of pictures, one picture, or `-` for standard input (CSV or one picture).
///
/// What a file is follows from its first bytes, never from its name.
///
/// # Errors
/// [`Error::Data`] for anything that is not such data, with file, line, what was found, what was
/// expected and the way out; [`Error::Io`] if the system refuses the file.
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<(Dataset, Report)> {
    let path = path.as_ref();
    if path == Path::new("-") {
        return read_stream(io::stdin(), Path::new(STDIN), options);
    }
    let metadata = std::fs::metadata(path).map_err(Error::io(path))?;
    if !metadata.is_dir() {
        require_file(path, &metadata)?;
        return read_stream(File::open(path).map_err(Error::io(path))?, path, options);
    }
    let mut report = Report { format: Format::Folder, ..Report::default() };
    let dataset = folder::read_folder(path, options, &mut report)?;
    report.note_missing_classes(&dataset);
    Ok((dataset, report))
}

/// What messages and answers call the standard input.
pub const STDIN: &str = "<stdin>";

/// Looks at the first [`picture::HEAD`] bytes of a stream: these, and the whole stream.
///
/// # Errors
/// [`Error::Io`] if the system refuses it; `path` is for its message.
pub fn sniff<R: Read>(mut stream: R, path: &Path) -> Result<(Vec<u8>, Sniffed<R>)> {
    let mut head = Vec::with_capacity(picture::HEAD);
    let first = (&mut stream).take(picture::HEAD as u64).read_to_end(&mut head);
    first.map_err(Error::io(path))?;
    Ok((head.clone(), Cursor::new(head).chain(stream)))
}

/// Refuses what would block or never end (FIFO, socket, device).
pub(crate) fn require_file(path: &Path, metadata: &Metadata) -> Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(Error::data(
        path,
        "found a pipe, socket or device; expected a file or a folder: give `-` to read standard \
         input",
    ))
}

/// Reads faces from a stream: a CSV (plain or gzip) or one picture; `path` is for messages.
///
/// # Errors
/// As [`read`].
pub fn read_stream<R: Read + Send>(
    stream: R,
    path: &Path,
    options: &ReadOptions,
) -> Result<(Dataset, Report)> {
    let mut report = Report::default();
    let (head, stream) = sniff(stream, path)?;
    if let Some(what) = foreign_format(&head) {
        return Err(Error::data(
            path,
            format!("found {what}; expected CSV, gzip, PNG or JPEG: unpack or convert it first"),
        ));
    }
    let dataset = if picture::is_picture(&head) {
        (report.format, report.rows) = (Format::Picture, 1);
        read_picture(stream, path, options)?
    } else if head.starts_with(b"\x1f\x8b") {
        report.format = Format::CsvGzip;
        read_gzip(stream, path, options, &mut report)?
    } else {
        read_csv(stream, path, options, &mut report)?
    };
    report.note_missing_classes(&dataset);
    Ok((dataset, report))
}

fn read_picture<R: Read>(stream: R, path: &Path, options: &ReadOptions) -> Result<Dataset> {
    if options.usage.is_some() {
        return Err(Error::data(path, "found a picture; choosing by Usage needs a CSV"));
    }
    let bytes = picture::read_bounded(stream, path)?;
    let face = picture::decode(&bytes, path)?.to_face();
    let mut dataset = Dataset::new();
    let source = dataset.add_source(path);
    dataset.push(
        &face,
        Sample { id: Some(path.display().to_string()), ..Sample::default() },
        source,
    );
    Ok(dataset)
}

#[cfg(feature = "images")]
fn read_gzip<R: Read + Send>(
    stream: R,
    path: &Path,
    options: &ReadOptions,
    report: &mut Report,
) -> Result<Dataset> {
    read_csv(gunzip::Gunzip::new(stream), path, options, report)
}

#[cfg(not(feature = "images"))]
fn read_gzip<R>(_: R, path: &Path, _: &ReadOptions, _: &mut Report) -> Result<Dataset> {
    Err(Error::data(path, "found gzip data; this build has no feature `images`: unpack it first"))
}

/// Names of formats that users try and that are not read.
fn foreign_format(head: &[u8]) -> Option<&'static str> {
    const FORMATS: [(&[u8], &str); 5] = [
        (b"PK\x03\x04", "a zip archive"),
        (b"\x28\xb5\x2f\xfd", "zstd data"),
        (b"\xfd7zXZ\0", "xz data"),
        (b"BZh", "bzip2 data"),
        (b"RIFF", "a RIFF file"),
    ];
    let known = FORMATS.iter().find(|(magic, _)| head.starts_with(magic)).map(|&(_, name)| name);
    picture::foreign_picture(head).or(known)
}
