//! The header of a table: which column holds what, and which character separates them.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::PIXELS;
use crate::dataset::class_of;
use crate::limits::MAX_FIELD;

/// The headers that are understood, for messages.
pub(super) const EXPECTED_HEADER: &str =
    "`label,feature`, `id,feature`, `emotion,pixels` or `emotion,pixels,Usage`";

/// Characters that may separate columns. The first with which the header has pixels is taken.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Columns with the name of a class from which a table is one of votes.
const VOTES: usize = 4;

/// Positions of the columns, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    separator: u8,
    /// Lower-case names of all columns.
    pub(super) names: Vec<String>,
    /// The column with all pixels, or 2304 columns with one each, in the order of the pixels.
    pub(super) pixels: Vec<usize>,
    pub(super) label: Option<usize>,
    pub(super) id: Option<usize>,
    pub(super) usage: Option<usize>,
}

impl Columns {
    /// Parses a header line. The columns may have any order and be separated by commas, semicolons, tabs
    /// or bars; case and spaces around names are ignored. Columns of other names are left out.
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
        for separator in SEPARATORS {
            if let Some(columns) = Self::separated_by(separator, header)? {
                return Ok(columns);
            }
        }
        Err(wrong_header(header))
    }

    /// Parses the header if it has pixels when it is split at `separator`.
    fn separated_by(separator: u8, header: &[u8]) -> Result<Option<Self>, String> {
        let fields = split_fields(header, separator)?;
        let name = |field: &Cow<[u8]>| String::from_utf8_lossy(field).trim().to_ascii_lowercase();
        let names: Vec<String> = fields.iter().map(name).collect();
        let mut columns =
            Columns { separator, names, pixels: Vec::new(), label: None, id: None, usage: None };
        for (i, name) in columns.names.iter().enumerate() {
            let twice = match name.as_str() {
                "pixels" | "feature" => {
                    columns.pixels.push(i);
                    columns.pixels.len() > 1
                }
                "label" | "emotion" => columns.label.replace(i).is_some(),
                "id" => columns.id.replace(i).is_some(),
                "usage" => columns.usage.replace(i).is_some(),
                _ => false,
            };
            if twice {
                return Err(format!(
                    "found column `{name}` or its synonym twice; expected it once"
                ));
            }
        }
        if columns.pixels.is_empty() {
            columns.pixels = numbered_columns(&columns.names);
        }
        Ok((!columns.pixels.is_empty()).then_some(columns))
    }

    /// Splits a line of the table.
    pub(super) fn split<'a>(&self, line: &'a [u8]) -> Result<Vec<Cow<'a, [u8]>>, String> {
        split_fields(line, self.separator)
    }

    /// Returns how many fields a line may have. Columns without a name at the end of the header may be
    /// missing, as a separator at the end of every line, or of the header alone, leaves them.
    pub(super) fn lengths(&self) -> RangeInclusive<usize> {
        let named = self.names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        named..=self.names.len()
    }

    /// Returns a note on the columns that are not read; `None` if all are.
    pub(super) fn note(&self) -> Option<String> {
        const NAMED: usize = 5;
        let read = |i: &usize| {
            self.pixels.contains(i) || [self.label, self.id, self.usage].contains(&Some(*i))
        };
        let (mut names, mut votes, mut count) = (Vec::new(), 0, 0);
        for i in (0..self.names.len()).filter(|i| !read(i)) {
            let name = &self.names[i];
            votes += usize::from(class_of(name).is_some());
            count += 1;
            names.push(if name.is_empty() { "one without a name".into() } else { quoted(name) });
        }
        let more = names.len() > NAMED;
        names.truncate(NAMED);
        let way_out = match self.label.is_none() && votes >= VOTES {
            true => {
                ", and the faces have no label: votes are not read; write the class with most \
                     of them into a column `label`"
            }
            false => "",
        };
        let dots = if more { ", …" } else { "" };
        let columns = if count == 1 { "column" } else { "columns" };
        (count > 0)
            .then(|| format!("{count} {columns} ignored: {}{dots}{way_out}", names.join(", ")))
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", excerpt(name.as_bytes()))
}

/// Returns the positions of 2304 columns that are numbered from 0 or 1, such as `pixel0`, `pixel1`, …, in the
/// order of their numbers; none if there are others.
fn numbered_columns(names: &[String]) -> Vec<usize> {
    const STEMS: [&str; 8] = ["", "pixel", "pixels", "px", "p", "feature", "f", "x"];
    let number = |name: &String| -> Option<usize> {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let known = STEMS.contains(&stem.trim_end_matches(['_', '-', '.', ' ']));
        known.then(|| name[stem.len()..].parse().ok())?
    };
    let numbered = names.iter().enumerate().filter_map(|(i, name)| Some((number(name)?, i)));
    let mut numbered: Vec<(usize, usize)> = numbered.collect();
    numbered.sort_unstable();
    let first = numbered.first().map_or(0, |(n, _)| *n);
    let in_order = numbered.iter().zip(first..).all(|((n, _), k)| *n == k);
    match in_order && first <= 1 && numbered.len() == PIXELS {
        true => numbered.into_iter().map(|(_, i)| i).collect(),
        false => Vec::new(),
    }
}

/// Names under which other tables keep pixels and labels.
const SIMILAR_PIXELS: [&str; 7] =
    ["image_data", "imagedata", "pixel", "pixel_values", "features", "data", "img"];
const SIMILAR_LABELS: [&str; 7] =
    ["target", "class", "y", "labels", "emotions", "expression", "category"];

fn wrong_header(header: &[u8]) -> String {
    let text = String::from_utf8_lossy(&header[..header.len().min(MAX_FIELD)]).to_ascii_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let separator = |c: char| u8::try_from(c).is_ok_and(|b| SEPARATORS.contains(&b));
    let fields: Vec<String> = text
        .split(separator)
        .map(|field| field.trim_matches([' ', '"', '\r']).to_owned())
        .collect();
    let found = |way_out: &str| {
        format!("found the header `{}`; expected {EXPECTED_HEADER}: {way_out}", excerpt(header))
    };
    let named = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    let classes = words.iter().filter(|w| class_of(w).is_some_and(|_| w.len() > 1)).count();
    let numbers = words.iter().filter(|w| w.starts_with(|c: char| c.is_ascii_digit())).count();
    let way_out = if header.iter().any(|b| b.is_ascii_control() && *b != b'\t') {
        "this is no text"
    } else if header.first().is_some_and(u8::is_ascii_digit) {
        "the file seems to start with a face: put a header line before it"
    } else if classes >= VOTES {
        "these are votes for each class, without pixels: give the table that has the pixels \
         (fer2013.csv)"
    } else if let Some(some) = series(&fields) {
        return found(&format!(
            "there are {some} columns of pixels, not the 2304 columns of 48 x 48"
        ));
    } else if numbers > 100 || text.contains("pixel1") {
        "pixels are read from one column, separated by spaces, or from 2304 columns (48 x 48), \
         `pixel0` to `pixel2303`"
    } else if let Some(pixels) = fields.iter().find(|f| SIMILAR_PIXELS.contains(&f.as_str())) {
        let label = fields.iter().find(|f| SIMILAR_LABELS.contains(&f.as_str()));
        let label = label.map_or(String::new(), |label| format!(" and `{label}` `label`"));
        return found(&format!("if the column holds pixels, call `{pixels}` `pixels`{label}"));
    } else if named(&["path", "file", "filename", "filepath", "image", "photo", "picture"]) {
        "a list of pictures is not read: give the folder that holds them, with one folder per class"
    } else if !header.iter().any(|b| SEPARATORS.contains(b)) {
        "the first line of a table names its columns"
    } else {
        "rename the column with the pixels"
    };
    found(way_out)
}

/// Returns the number of columns that differ in a number at their end only, such as `px0`, `px1`, where there are more than 100.
fn series(fields: &[String]) -> Option<usize> {
    let stem = |field: &String| {
        let stem = field.trim_end_matches(|c: char| c.is_ascii_digit());
        (stem.len() < field.len()).then(|| stem.to_owned())
    };
    let last = stem(fields.last()?)?;
    let count = fields.iter().filter(|field| stem(field).as_ref() == Some(&last)).count();
    (count > 100).then_some(count)
}

/// Returns the first characters of unexpected input, safe to print.
pub(super) fn excerpt(bytes: &[u8]) -> String {
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
fn split_fields(line: &[u8], separator: u8) -> Result<Vec<Cow<'_, [u8]>>, String> {
    let fields: Vec<Cow<[u8]>> = if line.contains(&b'"') {
        quoted_fields(line, separator)?.into_iter().map(Cow::Owned).collect()
    } else {
        line.split(|&b| b == separator).map(Cow::Borrowed).collect()
    };
    match fields.iter().find(|f| f.len() > MAX_FIELD) {
        Some(field) => Err(format!(
            "found a field of {} bytes; expected at most {MAX_FIELD}: a face needs 9,300",
            field.len()
        )),
        None => Ok(fields),
    }
}

fn quoted_fields(line: &[u8], separator: u8) -> Result<Vec<Vec<u8>>, String> {
    if line.iter().filter(|&&b| b == b'"').count() % 2 == 1 {
        return Err("found a quote that is not closed on its line; expected `\"` in pairs: close \
                    it or remove it"
            .into());
    }
    // The fields are at most as long as the line, and one more than it has bytes.
    let (mut bytes, mut ends) = (vec![0; line.len() + 1], vec![0; line.len() + 2]);
    let mut reader = csv_core::ReaderBuilder::new().delimiter(separator).build();
    let (_, _, written, count) = reader.read_record(line, &mut bytes, &mut ends);
    let (_, _, _, last) = reader.read_record(&[], &mut bytes[written..], &mut ends[count..]);
    let starts = std::iter::once(0).chain(ends.iter().copied());
    Ok(starts.zip(&ends[..count + last]).map(|(from, &to)| bytes[from..to].to_vec()).collect())
}
