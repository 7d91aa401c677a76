//! Finds the image files in a folder and its subfolders.

use std::path::{Path, PathBuf};

use crate::dataset::image::{Format, has_image_extension, is_image, read_magic, unsupported_image};
use crate::{Error, Result};

/// Image files in a folder and its subfolders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFiles {
    /// Pictures that are read: those of a folder, then those of its subfolders, each sorted by name.
    pub supported: Vec<PathBuf>,
    /// Files that are images by content or name, in formats that are not read.
    pub unsupported: Vec<PathBuf>,
}

/// Checks every file in `folder` and its subfolders. Hidden ones are skipped; symbolic links to folders
/// are not followed.
///
/// # Errors
/// [`Error::Data`] if there is no picture that is read; [`Error::Io`] if a file cannot be read.
pub fn find_images(folder: &Path) -> Result<ImageFiles> {
    let mut found = ImageFiles::default();
    collect(folder, &mut found)?;
    match (found.supported.is_empty(), found.unsupported.len()) {
        (false, _) => Ok(found),
        (true, 0) => {
            Err(Error::data(folder, format!("holds no picture; expected {} files", Format::ALL)))
        }
        (true, n) => Err(Error::data(
            folder,
            format!("holds {n} pictures of other kinds; expected {}: convert them", Format::ALL),
        )),
    }
}

fn collect(folder: &Path, found: &mut ImageFiles) -> Result<()> {
    let (files, folders) = list_folder(folder)?;
    for file in files {
        let head = read_magic(&file)?;
        if is_image(&head) {
            found.supported.push(file);
        } else if unsupported_image(&head).is_some() || has_image_extension(&file) {
            found.unsupported.push(file);
        }
    }
    let mut inside = folders.iter().filter(|folder| !folder.is_symlink());
    inside.try_for_each(|folder| collect(folder, found))
}

/// Returns the files and the folders in a folder, without hidden ones, each sorted by name.
pub(super) fn list_folder(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let entry = entry.map_err(Error::io(folder))?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    folders.sort();
    Ok((files, folders))
}

/// Whether a file is a picture of any kind by its content, or by its name. A file that cannot be
/// read counts, so that reading it says why.
pub(super) fn is_picture(file: &Path) -> bool {
    let by_content = |head: Vec<u8>| is_image(&head) || unsupported_image(&head).is_some();
    has_image_extension(file) || read_magic(file).map_or(true, by_content)
}

/// Whether a folder holds a picture, at any depth.
pub(super) fn holds_pictures(folder: &Path) -> bool {
    let mut found = ImageFiles::default();
    let whole = collect(folder, &mut found).is_ok();
    !whole || !found.supported.is_empty() || !found.unsupported.is_empty()
}
