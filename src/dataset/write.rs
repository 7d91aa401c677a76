//! Writes a set as a CSV that [`super::read()`] reads again.

use std::io::{BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::NamedTempFile;

use super::Dataset;
use crate::{Error, Result};

/// Writes `label,feature` (or `id,feature`, if any face has no label) to `path`, compressed if the
/// name ends in `.gz`.
///
/// The file appears whole or not at all: it is written beside its place, flushed to the disk, and
/// renamed. Same faces, same bytes.
///
/// # Errors
/// [`Error::Io`] with the path, if the system refuses.
pub fn write_csv(dataset: &Dataset, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let file = NamedTempFile::new_in(folder).map_err(Error::io(path))?;
    let out = BufWriter::with_capacity(1 << 16, file.as_file());
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) {
        let mut gzip = GzEncoder::new(out, Compression::default());
        write_rows(dataset, &mut gzip).map_err(Error::io(path))?;
        gzip.finish().and_then(|mut out| out.flush()).map_err(Error::io(path))?;
    } else {
        let mut out = out;
        write_rows(dataset, &mut out).and_then(|()| out.flush()).map_err(Error::io(path))?;
    }
    file.as_file().sync_all().map_err(Error::io(path))?;
    open_to_readers(&file).map_err(Error::io(path))?;
    file.persist(path).map_err(|e| Error::io(path)(e.error))?;
    Ok(())
}

/// A temporary file is private; the finished one is readable like any other.
#[cfg(unix)]
fn open_to_readers(file: &NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn open_to_readers(_: &NamedTempFile) -> std::io::Result<()> {
    Ok(())
}

fn write_rows(dataset: &Dataset, out: &mut impl Write) -> std::io::Result<()> {
    let labelled = dataset.is_labelled();
    out.write_all(if labelled { b"label,feature\n" } else { b"id,feature\n" })?;
    let mut row = Vec::with_capacity(10_000);
    for i in 0..dataset.len() {
        row.clear();
        match dataset.label(i) {
            Some(label) if labelled => write!(row, "{label},")?,
            _ => write_id(&mut row, &dataset.id(i))?,
        }
        for (k, pixel) in dataset.image(i).iter().enumerate() {
            if k > 0 {
                row.push(b' ');
            }
            write!(row, "{pixel}")?;
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
