//! Every picture below a folder, however deep, as faces without labels.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::picture::{is_picture, read_picture};
use super::read::{Format, ReadOptions, Report};
use super::{Dataset, Sample};
use crate::{Error, Result};

/// Reads the PNG and JPEG pictures below `folder`, sorted by path, each scaled to 48×48. Other files
/// are passed over, hidden ones too; symbolic links to folders are not followed.
///
/// # Errors
/// [`Error::Data`] for a damaged picture (unless `options.skip_bad`) or where there is none.
pub fn read_tree(folder: &Path, options: &ReadOptions) -> Result<(Dataset, Report)> {
    let pictures = pictures_below(folder)?;
    let mut report = Report { format: Format::Folder, ..Report::default() };
    let mut dataset = Dataset::new();
    for path in pictures {
        report.rows += 1;
        match read_picture(&path) {
            Ok(picture) => {
                let id = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                let source = dataset.add_source(&path);
                let sample = Sample { id: Some(id), ..Sample::default() };
                dataset.push(&picture.to_face(), sample, source);
            }
            Err(error) => report.add_bad(error, options)?,
        }
    }
    if dataset.is_empty() {
        return Err(none_in(folder));
    }
    Ok((dataset, report))
}

/// The PNG and JPEG files below `folder`, in the order of [`read_tree`].
///
/// # Errors
/// [`Error::Data`] where there is none.
pub fn pictures_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut pictures = Vec::new();
    collect(folder, &mut pictures)?;
    if pictures.is_empty() { Err(none_in(folder)) } else { Ok(pictures) }
}

fn none_in(folder: &Path) -> Error {
    Error::data(folder, "holds no picture; expected PNG or JPEG files")
}

/// Adds the pictures of a folder, then those of the folders in it, each sorted by name.
fn collect(folder: &Path, pictures: &mut Vec<PathBuf>) -> Result<()> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let entry = entry.map_err(Error::io(folder))?;
        let kind = entry.file_type().map_err(Error::io(folder))?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        match (hidden, kind.is_dir()) {
            (true, _) => {}
            (_, true) => folders.push(entry.path()),
            _ if entry.path().is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files.sort();
    folders.sort();
    for file in files {
        if starts_like_a_picture(&file)? {
            pictures.push(file);
        }
    }
    folders.iter().try_for_each(|folder| collect(folder, pictures))
}

fn starts_like_a_picture(path: &Path) -> Result<bool> {
    let mut head = Vec::with_capacity(8);
    let file = File::open(path).map_err(Error::io(path))?;
    file.take(8).read_to_end(&mut head).map_err(Error::io(path))?;
    Ok(is_picture(&head))
}
