//! Parses FER2013 CSV files: per line a label and 2304 pixels.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use rayon::prelude::*;

use crate::dataset::class_label::{EXPECTED_CLASSES, class_of};
#[cfg(feature = "cli")]
use crate::dataset::read::BadRow;
use crate::dataset::read::columns::{Columns, EXPECTED_HEADER, excerpt};
use crate::dataset::read::line_reader::{Chunk, Line, Lines, LinesError};
use crate::dataset::{Dataset, ReadOptions, Report, Sample, Usage};
use crate::limits::{MAX_FACES, MAX_ID, MAX_LINE};
use crate::{CLASS_NAMES, Error, PIXELS, Result};

/// Parses the 2304 integers 0…255 of a face into `out`; 70.0 counts as 70. They are separated by spaces, tabs or commas, and
/// may stand in brackets.
///
/// # Errors
/// A message with the first wrong pixel, or with the number of pixels.
///
/// # Example
/// ```
/// let text = "7 ".repeat(2304);
/// let mut face = [0_u8; fer::PIXELS];
/// fer::dataset::read::csv_rows::parse_pixels(text.as_bytes(), &mut face).unwrap();
/// assert_eq!(face[2303], 7);
/// ```
pub fn parse_pixels(text: &[u8], out: &mut [u8]) -> Result<(), String> {
    let is_gap = |b: u8| matches!(b, b' ' | b'\t' | b',');
    let list = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]"));
    let text = list.unwrap_or(text);
    let (mut at, mut count) = (0, 0);
    while at < text.len() {
        if is_gap(text[at]) {
            at += 1;
            continue;
        }
        let start = at;
        let mut value = 0_u32;
        while at < text.len() && text[at].is_ascii_digit() && value <= 255 {
            value = value * 10 + u32::from(text[at] - b'0');
            at += 1;
        }
        // A table of decimal numbers writes 70 as 70.0, and NumPy writes it as 70 and a point.
        if at > start && text.get(at) == Some(&b'.') {
            at += 1 + text[at + 1..].iter().take_while(|b| **b == b'0').count();
        }
        if at == start || value > 255 || (at < text.len() && !is_gap(text[at])) {
            let word = text[start..].split(|&b| is_gap(b)).next().unwrap_or_default();
            return Err(format!(
                "pixel {} is `{}`; expected a whole number from 0 to 255: multiply shares of 1 by 255, and round",
                count + 1,
                excerpt(word)
            ));
        }
        if let Some(pixel) = out.get_mut(count) {
            *pixel = value as u8;
        }
        count += 1;
    }
    if count != out.len() {
        return Err(format!("found {count} pixels; expected {} (48 x 48)", out.len()));
    }
    Ok(())
}

/// Parses a label; an empty one is none.
fn parse_label(text: &[u8]) -> Result<Option<u8>, String> {
    let text = text.trim_ascii();
    match std::str::from_utf8(text).ok().and_then(class_of) {
        None if text.is_empty() => Ok(None),
        None => Err(wrong_label(text)),
        label => Ok(label),
    }
}

fn wrong_label(text: &[u8]) -> String {
    let given = String::from_utf8_lossy(text).to_lowercase();
    let is_near = |name: &&str| 2 * strsim::levenshtein(name, &given) <= name.len();
    let nearest = CLASS_NAMES.into_iter().find(is_near);
    let hint = nearest.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
    format!("found the label `{}`; expected {EXPECTED_CLASSES}{hint}", excerpt(text))
}

fn parse_id(text: &[u8]) -> Result<String, String> {
    match std::str::from_utf8(text) {
        Ok(id) if id.len() <= MAX_ID && !id.chars().any(char::is_control) => {
            Ok(id.trim().to_string())
        }
        _ => Err(format!(
            "found the id `{}`; expected at most {MAX_ID} bytes of UTF-8 text",
            excerpt(text)
        )),
    }
}

fn parse_usage(text: &[u8]) -> Result<Usage, String> {
    std::str::from_utf8(text.trim_ascii()).ok().and_then(Usage::parse).ok_or_else(|| {
        let (found, expected) = (excerpt(text), Usage::EXPECTED);
        format!("found the Usage `{found}`; {expected}: rename it, or take the column out")
    })
}

/// Parses one line: the 2304 pixels into `image`, and the label, id and usage.
///
/// # Errors
/// A message with what was found and what was expected.
pub fn parse_row(text: &[u8], columns: &Columns, image: &mut [u8]) -> Result<Sample, String> {
    let fields = columns.split(text)?;
    let (lengths, found) = (columns.lengths(), fields.len());
    let is_filled = |field: &Cow<[u8]>| !field.trim_ascii().is_empty();
    if found < *lengths.start() || fields.iter().skip(*lengths.end()).any(is_filled) {
        let way_out = match columns.pixels.len() == 1 && found > PIXELS {
            true => ": put quotes around the pixels, or spaces between them",
            false => "",
        };
        let (expected, names) = (lengths.end(), columns.names.join(","));
        return Err(format!(
            "found {found} columns; expected {expected} ({}){way_out}",
            excerpt(names.as_bytes())
        ));
    }
    let sample = Sample {
        label: columns.label.map(|i| parse_label(&fields[i])).transpose()?.flatten(),
        id: columns.id.map(|i| parse_id(&fields[i])).transpose()?,
        usage: columns.usage.map(|i| parse_usage(&fields[i])).transpose()?,
        line: None,
    };
    match columns.pixels[..] {
        [one] => parse_pixels(&fields[one], image)?,
        ref several => {
            let pixels: Vec<&[u8]> = several.iter().map(|&i| &*fields[i]).collect();
            parse_pixels(&pixels.join(&b' '), image)?;
        }
    }
    Ok(sample)
}

/// Reads a CSV stream into a dataset; `path` is used in messages.
///
/// # Errors
/// [`Error::Data`] with the line of the first bad row (unless `options.skip_bad`), of a wrong
/// header, of damaged gzip data, or without a single good row.
pub fn read_csv<R: Read + Send>(
    stream: R,
    path: &Path,
    options: &ReadOptions,
    report: &mut Report,
) -> Result<Dataset> {
    let mut dataset = Dataset::new();
    dataset.add_source(path);
    each_csv_chunk(stream, path, options, report, &mut |rows, report| {
        rows.collect_into(&mut dataset, path, options, report)
    })?;
    if dataset.is_empty() {
        return Err(Error::data(path, nothing_read(options, report)));
    }
    dataset.shrink_to_fit();
    Ok(dataset)
}

/// Reads a CSV stream and hands over its rows a chunk at a time: a dataset, and the bad rows, of which the
/// first one is an error unless `skip_bad`.
///
/// # Errors
/// As [`read_csv`], and those of `take`.
#[cfg(feature = "cli")]
pub(crate) fn each_csv_dataset<R: Read + Send>(
    stream: R,
    path: &Path,
    skip_bad: bool,
    take: &mut dyn FnMut(Dataset, Vec<BadRow>) -> Result<()>,
) -> Result<()> {
    let options = ReadOptions { skip_bad, list_bad: usize::MAX, usage: None };
    let mut report = Report::default();
    each_csv_chunk(stream, path, &options, &mut report, &mut |rows, report| {
        let mut dataset = Dataset::new();
        dataset.add_source(path);
        rows.collect_into(&mut dataset, path, &options, report)?;
        take(dataset, std::mem::take(&mut report.bad))
    })?;
    match report.rows {
        0 => Err(Error::data(path, nothing_read(&options, &report))),
        _ => Ok(()),
    }
}

/// Reads a CSV stream a chunk at a time. While all threads parse one chunk of lines, the next one is read
/// and decompressed.
fn each_csv_chunk<R: Read + Send>(
    stream: R,
    path: &Path,
    options: &ReadOptions,
    report: &mut Report,
    take: &mut dyn FnMut(Rows, &mut Report) -> Result<()>,
) -> Result<()> {
    let mut lines = Lines::new(stream);
    let fail = |e: LinesError| stream_error(path, e);
    let Some(mut chunk) = lines.next_chunk().map_err(fail)? else {
        return Err(Error::data(path, format!("the file is empty; expected {EXPECTED_HEADER}")));
    };
    let columns = read_header(&mut chunk, path, options)?;
    report.notes.extend(columns.note());
    loop {
        // A line that is too long may never end: report it before reading on.
        let is_cut = chunk.lines.last().is_some_and(|line| line.cut);
        let (next, rows) = match is_cut {
            false => rayon::join(|| Some(lines.next_chunk()), || Rows::parse(&chunk, &columns)),
            true => (None, Rows::parse(&chunk, &columns)),
        };
        take(rows, report)?;
        match next.unwrap_or_else(|| lines.next_chunk()).map_err(fail)? {
            Some(following) => chunk = following,
            None => return Ok(()),
        }
    }
}

/// Removes the header from the first lines, and a line `sep=;` before it, as Excel writes it.
fn read_header(chunk: &mut Chunk, path: &Path, options: &ReadOptions) -> Result<Columns> {
    let first = chunk.text(chunk.lines[0]);
    let is_hint = first.len() <= 8 && first.to_ascii_lowercase().starts_with(b"sep=");
    if is_hint && chunk.lines.len() > 1 {
        chunk.lines.remove(0);
    }
    let header = chunk.lines.remove(0);
    if header.cut {
        return Err(Error::data_at(path, header.number, too_long()));
    }
    let columns = Columns::parse(chunk.text(header))
        .map_err(|message| Error::data_at(path, header.number, message))?;
    if options.usage.is_some() && columns.usage.is_none() {
        let names = columns.names.join(",");
        let found = format!("found the columns {}", excerpt(names.as_bytes()));
        let message = found + "; choosing by Usage needs a column `Usage`";
        return Err(Error::data_at(path, header.number, message));
    }
    Ok(columns)
}

fn nothing_read(options: &ReadOptions, report: &Report) -> String {
    match (options.usage, report.bad_count) {
        (Some(usage), 0) if report.filtered > 0 => format!(
            "none of the {} rows has the Usage {}; expected at least one",
            report.filtered,
            usage.name()
        ),
        (_, 0) => "found a header and no rows; expected at least one face".into(),
        (_, bad) => format!("all {bad} rows are bad; expected at least one good face"),
    }
}

fn too_long() -> String {
    format!("found a line of more than {MAX_LINE} bytes; expected a face, at most 9,300")
}

/// Turns an error of the stream into one of the data, unless the system refused to read.
pub(super) fn stream_error(path: &Path, error: LinesError) -> Error {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    let LinesError { line, source } = error;
    match source.kind() {
        UnexpectedEof => Error::data_at(
            path,
            line,
            "the gzip data end too early; expected the whole file: copy or download it again",
        ),
        InvalidData | InvalidInput => Error::data_at(
            path,
            line,
            format!(
                "cannot read further ({source}); expected a whole gzip file with nothing else behind it: \
                 copy or download it again, or give what is whole: zcat FILE > TABLE.csv"
            ),
        ),
        _ => Error::io(path)(source),
    }
}

/// The rows of one chunk, parsed in parallel.
struct Rows {
    pixels: Vec<u8>,
    samples: Vec<(u64, Result<Sample, String>)>,
}

impl Rows {
    fn parse(chunk: &Chunk, columns: &Columns) -> Self {
        let mut pixels = vec![0; chunk.lines.len() * PIXELS];
        let samples = pixels
            .par_chunks_exact_mut(PIXELS)
            .zip(&chunk.lines)
            .map(|(image, &line)| (line.number, Self::parse_line(chunk, line, columns, image)))
            .collect();
        Rows { pixels, samples }
    }

    fn parse_line(
        chunk: &Chunk,
        line: Line,
        columns: &Columns,
        image: &mut [u8],
    ) -> Result<Sample, String> {
        if line.cut {
            return Err(too_long());
        }
        let sample = parse_row(chunk.text(line), columns, image)?;
        Ok(Sample { line: Some(line.number), ..sample })
    }

    fn collect_into(
        self,
        dataset: &mut Dataset,
        path: &Path,
        options: &ReadOptions,
        report: &mut Report,
    ) -> Result<()> {
        for (image, (number, sample)) in self.pixels.chunks_exact(PIXELS).zip(self.samples) {
            report.rows += 1;
            match sample {
                Ok(sample) if options.usage.is_some_and(|u| sample.usage != Some(u)) => {
                    report.filtered += 1;
                }
                Ok(_) if dataset.len() == MAX_FACES => {
                    let message =
                        format!("found more than {MAX_FACES} faces; give fewer at a time");
                    return Err(Error::data_at(path, number, message));
                }
                Ok(sample) => dataset.push(image, sample, 0),
                Err(message) => {
                    report.add_bad(Error::data_at(path, number, message), options)?;
                }
            }
        }
        Ok(())
    }
}
