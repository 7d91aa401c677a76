//! Writes a dataset as a CSV file.

use std::io::{BufWriter, Write};
use std::path::Path;

use flate2::{Compression, write::GzEncoder};

use crate::Result;
use crate::dataset::{Dataset, Usage};
use crate::files::FileSet;

/// Writes the columns `label,feature`, or `id,feature` if no face has a label, to `path`; compressed if
/// the name ends in `.gz`. A face without a label among others has an empty one. A column `Usage` follows
/// if a face belongs to a part of FER2013.
///
/// The file is written atomically, see [`FileSet`]. The same faces give the same bytes.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if the file cannot be written.
pub fn write_csv(dataset: &Dataset, path: impl AsRef<Path>) -> Result<()> {
    let mut files = FileSet::default();
    add_csv(dataset, path.as_ref(), &mut files)?;
    files.commit()
}

/// Writes the same file as [`write_csv`] as one of several that belong together.
///
/// # Errors
/// As [`write_csv`].
pub fn add_csv(dataset: &Dataset, path: &Path, files: &mut FileSet) -> Result<()> {
    let compressed = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
    files.add_with(path, |file| {
        let mut out = BufWriter::with_capacity(1 << 16, file);
        if compressed {
            let mut gzip = GzEncoder::new(&mut out, Compression::default());
            write_rows(dataset, &mut gzip)?;
            gzip.finish()?;
        } else {
            write_rows(dataset, &mut out)?;
        }
        out.flush()
    })
}

fn write_rows(dataset: &Dataset, out: &mut impl Write) -> std::io::Result<()> {
    let labelled = dataset.labels().iter().any(Option::is_some);
    let has_parts = (0..dataset.len()).any(|i| dataset.usage(i).is_some());
    let first = if labelled { "label" } else { "id" };
    writeln!(out, "{first},feature{}", if has_parts { ",Usage" } else { "" })?;
    let mut row = Vec::with_capacity(10_000);
    for i in 0..dataset.len() {
        row.clear();
        match dataset.label(i) {
            Some(label) => write!(row, "{label},")?,
            None if labelled => row.push(b','),
            None => write_id(&mut row, &dataset.id(i))?,
        }
        for (k, pixel) in dataset.image(i).iter().enumerate() {
            if k > 0 {
                row.push(b' ');
            }
            write!(row, "{pixel}")?;
        }
        if has_parts {
            write!(row, ",{}", dataset.usage(i).map_or("", Usage::name))?;
        }
        row.push(b'\n');
        out.write_all(&row)?;
    }
    Ok(())
}

fn write_id(row: &mut Vec<u8>, id: &str) -> std::io::Result<()> {
    if id.contains(['"', ',']) {
        write!(row, "\"{}\",", id.replace('"', "\"\""))
    } else {
        write!(row, "{id},")
    }
}
