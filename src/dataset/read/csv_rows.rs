//! Parses FER2013 CSV files: the header, and per line a label and 2304 pixels.
//!
//! Lines without a quote are split at their commas; lines with one go through `csv_core`.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use rayon::prelude::*;

use crate::dataset::read::line_reader::{Chunk, Line, Lines, LinesError, MAX_LINE};
use crate::dataset::{Dataset, ReadOptions, Report, Sample, Usage};
use crate::{Error, PIXELS, Result};

/// Longest field, in bytes.
pub const MAX_FIELD: usize = 64 * 1024;

/// Longest id of a row, in bytes.
const MAX_ID: usize = 256;

const EXPECTED_HEADER: &str =
    "`label,feature`, `id,feature`, `emotion,pixels` or `emotion,pixels,Usage`";

/// Positions of the columns, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    count: usize,
    pixels: usize,
    label: Option<usize>,
    id: Option<usize>,
    usage: Option<usize>,
    names: String,
}

impl Columns {
    /// Parses a header line. The columns may have any order; case and spaces around names are ignored.
    ///
    /// # Errors
    /// A message with what was found and what was expected.
    pub fn parse(header: &[u8]) -> Result<Self, String> {
        let header = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(header);
        if header.starts_with(b"\xff\xfe") || header.starts_with(b"\xfe\xff") || header.contains(&0)
        {
            return Err(
                "found UTF-16 or binary data; expected UTF-8 text: save the file again as \
                        \"CSV UTF-8\""
                    .into(),
            );
        }
        let fields = split_fields(header)?;
        let names: Vec<String> =
            fields.iter().map(|f| String::from_utf8_lossy(f).trim().to_ascii_lowercase()).collect();
        let mut columns = Columns {
            count: names.len(),
            pixels: usize::MAX,
            label: None,
            id: None,
            usage: None,
            names: names.join(","),
        };
        for (i, name) in names.iter().enumerate() {
            let twice = match name.as_str() {
                "pixels" | "feature" => std::mem::replace(&mut columns.pixels, i) != usize::MAX,
                "label" | "emotion" => columns.label.replace(i).is_some(),
                "id" => columns.id.replace(i).is_some(),
                "usage" => columns.usage.replace(i).is_some(),
                _ => return Err(wrong_header(header)),
            };
            if twice {
                return Err(format!(
                    "found column `{name}` or its synonym twice; expected it once"
                ));
            }
        }
        if columns.pixels == usize::MAX {
            return Err(wrong_header(header));
        }
        Ok(columns)
    }
}

fn wrong_header(header: &[u8]) -> String {
    let way_out = if header.first().is_some_and(u8::is_ascii_digit) {
        "the file seems to start with a face: put a header line before it"
    } else {
        "rename the columns"
    };
    format!("found the header `{}`; expected {EXPECTED_HEADER}: {way_out}", excerpt(header))
}

/// Returns the first characters of unexpected input, safe to print.
fn excerpt(bytes: &[u8]) -> String {
    const LENGTH: usize = 32;
    let text: String = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * LENGTH)])
        .chars()
        .take(LENGTH)
        .flat_map(|c| {
            if c.is_control() { c.escape_default().to_string() } else { c.to_string() }
                .chars()
                .collect::<Vec<_>>()
        })
        .collect();
    if bytes.len() > LENGTH { format!("{text}…") } else { text }
}

/// Splits a line into fields.
fn split_fields(line: &[u8]) -> Result<Vec<Cow<'_, [u8]>>, String> {
    let fields: Vec<Cow<[u8]>> = if line.contains(&b'"') {
        quoted_fields(line)?.into_iter().map(Cow::Owned).collect()
    } else {
        line.split(|&b| b == b',').map(Cow::Borrowed).collect()
    };
    match fields.iter().find(|f| f.len() > MAX_FIELD) {
        Some(field) => Err(format!(
            "found a field of {} bytes; expected at most {MAX_FIELD}: a face needs 9,300",
            field.len()
        )),
        None => Ok(fields),
    }
}

fn quoted_fields(line: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    if line.iter().filter(|&&b| b == b'"').count() % 2 == 1 {
        return Err("found a quote that is not closed on its line; expected `\"` in pairs: close \
                    it or remove it"
            .into());
    }
    // The fields are at most as long as the line, and one more than it has bytes.
    let (mut bytes, mut ends) = (vec![0; line.len() + 1], vec![0; line.len() + 2]);
    let mut reader = csv_core::Reader::new();
    let (_, _, written, count) = reader.read_record(line, &mut bytes, &mut ends);
    let (_, _, _, last) = reader.read_record(&[], &mut bytes[written..], &mut ends[count..]);
    let starts = std::iter::once(0).chain(ends.iter().copied());
    Ok(starts.zip(&ends[..count + last]).map(|(from, &to)| bytes[from..to].to_vec()).collect())
}

/// Parses the 2304 integers 0…255 of a face, separated by spaces or tabs, into `out`.
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
    let is_gap = |b: u8| b == b' ' || b == b'\t';
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
        if at == start || value > 255 || (at < text.len() && !is_gap(text[at])) {
            let word = text[start..].split(|&b| is_gap(b)).next().unwrap_or_default();
            return Err(format!(
                "pixel {} is `{}`; expected a whole number from 0 to 255",
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

fn parse_label(text: &[u8]) -> Result<u8, String> {
    match text.trim_ascii() {
        [digit @ b'0'..=b'6'] => Ok(digit - b'0'),
        other => Err(format!(
            "found the label `{}`; expected 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, \
             5 surprise or 6 neutral",
            excerpt(other)
        )),
    }
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
        format!("found the Usage `{}`; expected Training, PublicTest or PrivateTest", excerpt(text))
    })
}

/// Parses one line: the 2304 pixels into `image`, and the label, id and usage.
///
/// # Errors
/// A message with what was found and what was expected.
pub fn parse_row(text: &[u8], columns: &Columns, image: &mut [u8]) -> Result<Sample, String> {
    let fields = split_fields(text)?;
    if fields.len() != columns.count {
        return Err(format!(
            "found {} columns; expected {} ({})",
            fields.len(),
            columns.count,
            columns.names
        ));
    }
    let sample = Sample {
        label: columns.label.map(|i| parse_label(&fields[i])).transpose()?,
        id: columns.id.map(|i| parse_id(&fields[i])).transpose()?,
        usage: columns.usage.map(|i| parse_usage(&fields[i])).transpose()?,
        line: None,
    };
    parse_pixels(&fields[columns.pixels], image)?;
    Ok(sample)
}

/// Reads a CSV stream into a dataset; `path` is used in messages.
///
/// While all threads parse one chunk of lines, the next one is read and decompressed.
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
    let mut lines = Lines::new(stream);
    let mut dataset = Dataset::new();
    dataset.add_source(path);
    let fail = |e: LinesError| stream_error(path, e);
    let Some(mut chunk) = lines.next_chunk().map_err(fail)? else {
        return Err(Error::data(path, format!("the file is empty; expected {EXPECTED_HEADER}")));
    };
    let header = chunk.lines.remove(0);
    if header.cut {
        return Err(Error::data_at(path, header.number, too_long()));
    }
    let columns = Columns::parse(chunk.text(header))
        .map_err(|message| Error::data_at(path, header.number, message))?;
    if options.usage.is_some() && columns.usage.is_none() {
        return Err(Error::data_at(
            path,
            header.number,
            format!(
                "found the columns {}; choosing by Usage needs a column `Usage`",
                columns.names
            ),
        ));
    }
    loop {
        let (next, rows) = rayon::join(|| lines.next_chunk(), || Rows::parse(&chunk, &columns));
        rows.collect_into(&mut dataset, path, options, report)?;
        match next.map_err(fail)? {
            Some(following) => chunk = following,
            None => break,
        }
    }
    if dataset.is_empty() {
        return Err(Error::data(path, nothing_read(options, report)));
    }
    dataset.shrink_to_fit();
    Ok(dataset)
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

fn stream_error(path: &Path, error: LinesError) -> Error {
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
                "cannot read further ({source}); expected a FER2013 file with nothing after it"
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
                Ok(sample) => dataset.push(image, sample, 0),
                Err(message) => {
                    report.add_bad(Error::data_at(path, number, message), options)?;
                }
            }
        }
        Ok(())
    }
}
