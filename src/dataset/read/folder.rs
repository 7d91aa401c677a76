//! Reads a folder with one subfolder of images per class, or a plain folder of images.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::dataset::image::read_image;
use crate::dataset::{Dataset, ReadOptions, Report, Sample};
use crate::{CLASS_NAMES, Error, Result};

/// Number of images that are decoded in parallel before they are added to the dataset.
const BATCH: usize = 256;

/// Returns the label for a folder's name, ignoring case: our class names and the spellings of other
/// releases of FER2013.
///
/// # Example
/// ```
/// assert_eq!(fer::dataset::read::folder::class_of_name("Happiness"), Some(3));
/// ```
pub fn class_of_name(name: &str) -> Option<u8> {
    const SPELLINGS: [&[&str]; 7] = [
        &["angry", "anger"],
        &["disgust", "disgusted"],
        &["fear", "fearful", "afraid"],
        &["happy", "happiness"],
        &["sad", "sadness"],
        &["surprise", "surprised"],
        &["neutral", "neutrality"],
    ];
    let name = name.trim().to_ascii_lowercase();
    (0..).zip(SPELLINGS).find(|(_, s)| s.contains(&name.as_str())).map(|(label, _)| label)
}

/// Returns the files and the folders in a folder, without hidden ones, each sorted by name.
fn entries(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let entry = entry.map_err(Error::io(folder))?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") || name == "Thumbs.db" {
            continue;
        }
        let path = entry.path();
        if path.is_dir() { folders.push(path) } else { files.push(path) }
    }
    files.sort();
    folders.sort();
    Ok((files, folders))
}

/// Image files to read, with their labels.
type Listing = Vec<(PathBuf, Option<u8>)>;

fn list_images(folder: &Path) -> Result<Listing> {
    let (files, folders) = entries(folder)?;
    if folders.is_empty() {
        return Ok(files.into_iter().map(|file| (file, None)).collect());
    }
    if let Some(file) = files.first() {
        return Err(Error::data(
            file,
            "found a file beside class folders; expected every picture inside one: move it",
        ));
    }
    let mut listing = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(label) = class_of_name(&name) else {
            return Err(Error::data(
                &folder,
                format!(
                    "found the folder `{name}`; expected class names ({}): give the folder that \
                     holds them, such as D/train",
                    CLASS_NAMES.join(", ")
                ),
            ));
        };
        let (files, deeper) = entries(&folder)?;
        if let Some(inner) = deeper.first() {
            return Err(Error::data(
                inner,
                "found a folder inside a class folder; expected pictures only: move them up",
            ));
        }
        listing.extend(files.into_iter().map(|file| (file, Some(label))));
    }
    Ok(listing)
}

/// Reads every image of a folder, sorted by path, scaled to 48×48.
///
/// # Errors
/// [`Error::Data`] for an unknown folder name, a file beside class folders, a bad image (unless
/// `options.skip_bad`), or a folder without images.
pub fn read_folder(folder: &Path, options: &ReadOptions, report: &mut Report) -> Result<Dataset> {
    if options.usage.is_some() {
        return Err(Error::data(folder, "found a folder; choosing by Usage needs a CSV"));
    }
    let listing = list_images(folder)?;
    let mut dataset = Dataset::new();
    for batch in listing.chunks(BATCH) {
        let faces: Vec<Result<Vec<u8>>> =
            batch.par_iter().map(|(path, _)| Ok(read_image(path)?.to_face())).collect();
        for ((path, label), face) in batch.iter().zip(faces) {
            report.rows += 1;
            match face {
                Ok(face) => {
                    let id = path.strip_prefix(folder).unwrap_or(path).display().to_string();
                    let sample = Sample { label: *label, id: Some(id), ..Sample::default() };
                    let source = dataset.add_source(path);
                    dataset.push(&face, sample, source);
                }
                Err(error) => report.add_bad(error, options)?,
            }
        }
    }
    if dataset.is_empty() {
        return Err(Error::data(
            folder,
            "found no picture; expected PNG or JPEG files, in one folder per class",
        ));
    }
    dataset.shrink_to_fit();
    Ok(dataset)
}
