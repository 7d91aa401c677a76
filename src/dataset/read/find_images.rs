//! Finds the image files in a folder and its subfolders.

use std::path::{Path, PathBuf};

use crate::dataset::image::{has_image_extension, is_image, read_magic, unsupported_image};
use crate::{Error, Result};

/// Image files in a folder and its subfolders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFiles {
    /// PNG and JPEG files: those of a folder, then those of its subfolders, each sorted by name.
    pub supported: Vec<PathBuf>,
    /// Files that are images by content or name, but neither PNG nor JPEG.
    pub unsupported: Vec<PathBuf>,
}

/// Checks every file in `folder` and its subfolders. Hidden ones are skipped; symbolic links to folders
/// are not followed.
///
/// # Errors
/// [`Error::Data`] if there is no PNG or JPEG file; [`Error::Io`] if a file cannot be read.
pub fn find_images(folder: &Path) -> Result<ImageFiles> {
    let mut found = ImageFiles::default();
    collect(folder, &mut found)?;
    match (found.supported.is_empty(), found.unsupported.len()) {
        (false, _) => Ok(found),
        (true, 0) => Err(Error::data(folder, "holds no picture; expected PNG or JPEG files")),
        (true, n) => Err(Error::data(
            folder,
            format!("holds no PNG or JPEG, but {n} of other kinds; expected one: convert them"),
        )),
    }
}

fn collect(folder: &Path, found: &mut ImageFiles) -> Result<()> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let entry = entry.map_err(Error::io(folder))?;
        let kind = entry.file_type().map_err(Error::io(folder))?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        match (hidden, kind.is_dir()) {
            (true, _) => {}
            (_, true) => folders.push(entry.path()),
            _ => files.push(entry.path()),
        }
    }
    files.sort();
    folders.sort();
    for file in files {
        let head = read_magic(&file)?;
        if is_image(&head) {
            found.supported.push(file);
        } else if unsupported_image(&head).is_some() || has_image_extension(&file) {
            found.unsupported.push(file);
        }
    }
    folders.iter().try_for_each(|folder| collect(folder, found))
}
