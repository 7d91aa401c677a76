//! Reads faces: detects the format of an input by its content and parses it.
//!
//! | file | what it does |
//! |---|---|
//! | [`line_reader`], `gunzip` | splits a stream, plain or gzip, into lines of bounded length |
//! | `columns`, [`csv_rows`] | parses the header of a FER2013 file, and a line into a sample |
//! | [`foreign`] | names files of other formats |
//! | [`folder`] | reads a folder of images, with or without class folders |
//! | [`find_images`] | lists the image files in a folder and its subfolders |

mod columns;
pub mod csv_rows;
mod find_images;
pub mod folder;
pub mod foreign;
#[cfg(feature = "images")]
mod gunzip;
pub mod line_reader;

pub use find_images::{ImageFiles, find_images};

use std::fs::File;
use std::io::{self, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::dataset::image::{decode, has_image_extension, is_image, read_bounded};
use crate::dataset::read::csv_rows::read_csv;
use crate::dataset::read::foreign::{HEAD, recognise};
#[cfg(feature = "images")]
use crate::dataset::read::{csv_rows::stream_error, line_reader::LinesError};
use crate::dataset::{Dataset, Sample, Usage};
use crate::files::require_file;
use crate::{CLASS_NAMES, Error, Result};

/// Options for reading.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Skip bad rows and images, count and list them; otherwise the first one is an error.
    pub skip_bad: bool,
    /// Maximum number of bad rows in the report (all are counted).
    pub list_bad: usize,
    /// Read only the rows of this part; requires a column `Usage`.
    pub usage: Option<Usage>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions { skip_bad: false, list_bad: 100, usage: None }
    }
}

/// Format of an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// CSV text.
    #[default]
    Csv,
    /// CSV text, compressed with gzip.
    CsvGzip,
    /// A folder of images.
    Folder,
    /// One image.
    #[serde(rename = "picture")]
    Image,
}

/// A row or image that was skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// The file.
    pub path: PathBuf,
    /// Its line, counted from 1; `None` for an image.
    pub line: Option<u64>,
    /// What was found and what was expected.
    pub message: String,
}

/// Statistics of a reading.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Format of the input.
    pub format: Format,
    /// Number of rows or images, good and bad.
    pub rows: usize,
    /// Number of rows with another `Usage` than the requested one.
    pub filtered: usize,
    /// Number of bad rows or images.
    pub bad_count: usize,
    /// The first bad rows or images.
    pub bad: Vec<BadRow>,
    /// Warnings, such as a class without a face.
    pub notes: Vec<String>,
}

impl Report {
    /// Counts a bad row; returns the error if bad rows are not to be skipped.
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

/// A stream whose first bytes have been read and put back.
pub type Sniffed<R> = Chain<Cursor<Vec<u8>>, R>;

/// Reads faces from `path`: a CSV file (plain or gzip), a folder of class-named folders of
/// images, a folder of images, one image, or `-` for standard input (CSV or one image).
///
/// The first bytes of a file determine its format, never its name.
///
/// # Errors
/// [`Error::Data`] for any other data; its message names the file, the line, what was found, what was
/// expected and what to do. [`Error::Io`] if the file cannot be read.
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

/// Name of standard input in messages and results.
pub const STDIN: &str = "<stdin>";

/// Returns the first [`HEAD`] bytes of a stream, and the whole stream.
///
/// # Errors
/// [`Error::Io`] if the stream cannot be read; `path` is used in the message.
pub fn sniff<R: Read>(mut stream: R, path: &Path) -> Result<(Vec<u8>, Sniffed<R>)> {
    let mut head = Vec::with_capacity(HEAD);
    (&mut stream).take(HEAD as u64).read_to_end(&mut head).map_err(Error::io(path))?;
    Ok((head.clone(), Cursor::new(head).chain(stream)))
}

/// Returns the first [`HEAD`] bytes of a regular file; none of anything else.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read.
pub fn read_head(path: &Path) -> Result<Vec<u8>> {
    match path.is_file() {
        true => Ok(sniff(File::open(path).map_err(Error::io(path))?, path)?.0),
        false => Ok(Vec::new()),
    }
}

/// Reads faces from a stream: a CSV file (plain or gzip) or one image; `path` is used in messages.
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
    if let Some(other) = recognise(&head) {
        return Err(Error::data(path, other.as_data()));
    }
    let dataset = if is_image(&head) || has_image_extension(path) && is_binary(&head) {
        (report.format, report.rows) = (Format::Image, 1);
        read_one_image(stream, path, options, &mut report)?
    } else if head.starts_with(b"\x1f\x8b") {
        report.format = Format::CsvGzip;
        read_gzip(stream, path, options, &mut report)?
    } else {
        read_csv(stream, path, options, &mut report)?
    };
    report.note_missing_classes(&dataset);
    Ok((dataset, report))
}

/// Whether a file is neither text nor gzip. What has the name of a picture is then a damaged one.
fn is_binary(head: &[u8]) -> bool {
    let is_cut = |e: std::str::Utf8Error| e.error_len().is_none(); // in the middle of a character
    let is_text = std::str::from_utf8(head).map_or_else(is_cut, |text| !text.contains('\0'));
    !is_text && !head.starts_with(b"\x1f\x8b")
}

/// Reads a CSV file, plain or gzip, and hands over its faces and bad rows a chunk at a time. Unless
/// `skip_bad`, the first bad row is an error.
///
/// # Errors
/// As [`read`], and those of `take`.
#[cfg(feature = "cli")]
pub(crate) fn each_chunk(
    path: &Path,
    skip_bad: bool,
    take: &mut dyn FnMut(Dataset, Vec<BadRow>) -> Result<()>,
) -> Result<()> {
    let (head, stream) = sniff(File::open(path).map_err(Error::io(path))?, path)?;
    match recognise(&head) {
        Some(other) => Err(Error::data(path, other.as_data())),
        None if head.starts_with(b"\x1f\x8b") => {
            csv_rows::each_csv_dataset(gunzip::Gunzip::new(stream), path, skip_bad, take)
        }
        None => csv_rows::each_csv_dataset(stream, path, skip_bad, take),
    }
}

fn read_one_image<R: Read>(
    stream: R,
    path: &Path,
    options: &ReadOptions,
    report: &mut Report,
) -> Result<Dataset> {
    if options.usage.is_some() {
        return Err(Error::data(path, "found a picture; choosing by Usage needs a CSV"));
    }
    let bytes = read_bounded(stream, path)?;
    let picture = decode(&bytes, path)?;
    report.notes.extend(picture.warning);
    let face = picture.image.to_face();
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
    let mut stream = gunzip::Gunzip::new(stream);
    let mut head = Vec::with_capacity(HEAD);
    let first = stream.by_ref().take(HEAD as u64).read_to_end(&mut head);
    first.map_err(|source| stream_error(path, LinesError { line: 1, source }))?;
    match recognise(&head) {
        None if is_image(&head) => Err(Error::data(
            path,
            "found a picture in gzip data; expected a table there: unpack it first",
        )),
        None if head.starts_with(b"\x1f\x8b") => {
            Err(Error::data(path, "found gzip inside gzip; expected a table there: unpack it once"))
        }
        None => read_csv(Cursor::new(head).chain(stream), path, options, report),
        Some(other) => {
            Err(Error::data(path, other.as_data().replace("found ", "found gzip data of ")))
        }
    }
}

#[cfg(not(feature = "images"))]
fn read_gzip<R>(_: R, path: &Path, _: &ReadOptions, _: &mut Report) -> Result<Dataset> {
    Err(Error::data(
        path,
        "found gzip data; this build cannot read it: unpack it, or enable the feature `images`",
    ))
}
