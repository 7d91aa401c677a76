//! Pictures and faces one after the other, for inputs that do not fit memory.
//!
//! | file | reads |
//! |---|---|
//! | this file | folders and single pictures; finds out what an input is |
//! | `table` | rows of a CSV file, plain or gzip |
//! | `archive` | pictures in a tar file (WebDataset), plain or gzip |
//! | `parquet` | Parquet: `image` with `bytes` and `path`, as Hugging Face writes it, or `pixels` (feature `parquet`) |

mod archive;
#[cfg(feature = "parquet")]
mod parquet;
mod table;

use crate::dataset::image::is_image;
use crate::dataset::read::{find_images, read_head};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// One picture or face of an input.
#[derive(Debug)]
pub struct Record {
    /// Its name: the id of a row, the path in a folder or archive, or its number.
    pub id: String,
    /// What it holds.
    pub content: Content,
}

/// The content of a [`Record`].
#[derive(Debug)]
pub enum Content {
    /// A face, `[48, 48]`.
    Face(Vec<u8>),
    /// An encoded picture in memory.
    Picture(Vec<u8>),
    /// A picture file.
    File(PathBuf),
    /// Something that cannot be read, and why.
    Bad(Error),
}

/// What is done with each record. An error ends the reading.
pub type Take<'a> = &'a mut dyn FnMut(Record) -> Result<()>;

/// Kind of an input, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Folder,
    Picture,
    Tar,
    Parquet,
    Table,
}

fn kind_of(input: &Path) -> Result<Kind> {
    if input.is_dir() {
        return Ok(Kind::Folder);
    }
    std::fs::metadata(input).map_err(Error::io(input))?;
    let head = read_head(input)?;
    let name = input.to_string_lossy().to_lowercase();
    let is_tar = head.get(257..262) == Some(b"ustar");
    let packed =
        head.starts_with(b"\x1f\x8b") && (name.ends_with(".tar.gz") || name.ends_with(".tgz"));
    Ok(match head.as_slice() {
        head if is_image(head) => Kind::Picture,
        head if head.starts_with(b"PAR1") => Kind::Parquet,
        _ if is_tar || packed => Kind::Tar,
        _ => Kind::Table,
    })
}

/// Returns whether an input is read one record after the other only: a tar or Parquet file.
pub fn is_archive(input: &Path) -> bool {
    !input.is_dir() && matches!(kind_of(input), Ok(Kind::Tar | Kind::Parquet))
}

/// Reads an input and hands over its records in their order. A record that cannot be read is
/// [`Content::Bad`]; an input that cannot be read further is an error, and so is a bad row of a CSV file unless
/// `skip_bad`.
///
/// # Errors
/// [`Error::Data`] for an input of an unknown kind, without the expected columns, or that is damaged;
/// those of `take`.
pub fn each_record(input: &Path, skip_bad: bool, take: Take<'_>) -> Result<()> {
    match kind_of(input)? {
        Kind::Folder => each_file(input, take),
        Kind::Picture => {
            take(Record { id: input.display().to_string(), content: Content::File(input.into()) })
        }
        Kind::Tar => archive::each_picture(input, take),
        Kind::Table => table::each_row(input, skip_bad, take),
        #[cfg(feature = "parquet")]
        Kind::Parquet => parquet::each_row(input, take),
        #[cfg(not(feature = "parquet"))]
        Kind::Parquet => Err(Error::data(
            input,
            "found a Parquet file; this build cannot read it: cargo build --release --features parquet",
        )),
    }
}

fn each_file(folder: &Path, take: Take<'_>) -> Result<()> {
    let files = find_images(folder)?;
    if files.supported.is_empty() {
        return Err(Error::data(
            folder,
            "found no picture; expected PNG, JPEG, WebP, GIF or BMP files",
        ));
    }
    for path in files.supported {
        let id = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        take(Record { id, content: Content::File(path) })?;
    }
    Ok(())
}
