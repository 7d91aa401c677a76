//! Which pictures are below a folder, however deep.

use std::path::{Path, PathBuf};

use crate::dataset::image::picture::{foreign_picture, has_picture_ending, head_of, is_picture};
use crate::{Error, Result};

/// The pictures below a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// PNG and JPEG files: those of a folder, then those of the folders in it, each sorted by name.
    pub pictures: Vec<PathBuf>,
    /// Files that are pictures by content or name, but neither PNG nor JPEG.
    pub others: Vec<PathBuf>,
}

/// Looks at every file below `folder`. Hidden ones are passed over; symbolic links to folders are
/// not followed.
///
/// # Errors
/// [`Error::Data`] where there is neither PNG nor JPEG; [`Error::Io`] if the system refuses a file.
pub fn pictures_below(folder: &Path) -> Result<Tree> {
    let mut tree = Tree::default();
    collect(folder, &mut tree)?;
    match (tree.pictures.is_empty(), tree.others.len()) {
        (false, _) => Ok(tree),
        (true, 0) => Err(Error::data(folder, "holds no picture; expected PNG or JPEG files")),
        (true, n) => Err(Error::data(
            folder,
            format!("holds no PNG or JPEG, but {n} of other kinds; expected one: convert them"),
        )),
    }
}

fn collect(folder: &Path, tree: &mut Tree) -> Result<()> {
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
        let head = head_of(&file)?;
        if is_picture(&head) {
            tree.pictures.push(file);
        } else if foreign_picture(&head).is_some() || has_picture_ending(&file) {
            tree.others.push(file);
        }
    }
    folders.iter().try_for_each(|folder| collect(folder, tree))
}
