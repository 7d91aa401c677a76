//! Reads a folder with one subfolder of images per class, or a plain folder of images.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::dataset::class_label::{EXPECTED_CLASSES, class_of};
use crate::dataset::image::{Decoded, read_image};
use crate::dataset::read::find_images::{holds_pictures, is_picture, list_folder};
use crate::dataset::read::foreign::{HEAD, recognise};
use crate::dataset::{Dataset, ReadOptions, Report, Sample};
use crate::error::Shown as _;
use crate::limits::MAX_FACES;
use crate::{CLASS_NAMES, Error, Result};

/// Number of images that are decoded in parallel before they are added to the dataset.
const BATCH: usize = 256;

/// The image files of a folder, with their labels, and what else lies there.
#[derive(Default)]
struct Listing {
    images: Vec<(PathBuf, Option<u8>)>,
    /// Images and folders of images in a place that gives them no class, with the message.
    misplaced: Vec<Error>,
    /// Files that are no images, and folders without one.
    ignored: Vec<PathBuf>,
    /// Whether a class folder has a number for its name.
    numbered: bool,
}

impl Listing {
    /// Lists a plain folder of images, or one with a folder for each class.
    fn of(folder: &Path) -> Result<Self> {
        let mut found = Listing::default();
        let (images, mut folders) = found.sorted(folder)?;
        folders.retain(|inner| class_of_folder(inner).is_some() || found.has_images(inner));
        if folders.is_empty() {
            found.images.extend(images.into_iter().map(|file| (file, None)));
            return Ok(found);
        }
        let beside =
            "found a picture beside class folders; expected every picture inside one: move it";
        found.misplaced.extend(images.into_iter().map(|file| Error::data(file, beside)));
        for inner in folders {
            match class_of_folder(&inner) {
                Some(class) => found.add_class(&inner, class)?,
                None => found.misplaced.push(unknown_class(&inner)),
            }
        }
        Ok(found)
    }

    fn add_class(&mut self, folder: &Path, class: u8) -> Result<()> {
        let (images, mut deeper) = self.sorted(folder)?;
        self.images.extend(images.into_iter().map(|file| (file, Some(class))));
        deeper.retain(|inner| self.has_images(inner));
        let inside = "found a folder inside a class folder; expected pictures only: move them up";
        self.misplaced.extend(deeper.into_iter().map(|inner| Error::data(inner, inside)));
        let name = folder.file_name().unwrap_or_default().as_encoded_bytes();
        self.numbered |= name.iter().any(u8::is_ascii_digit);
        Ok(())
    }

    /// Returns the image files and the folders in a folder, and notes the other files.
    fn sorted(&mut self, folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
        let (files, folders) = list_folder(folder)?;
        let mut images = Vec::with_capacity(files.len());
        for file in files {
            if is_picture(&file) { images.push(file) } else { self.ignored.push(file) }
        }
        Ok((images, folders))
    }

    /// Whether a folder holds images at any depth; if not, it is noted.
    fn has_images(&mut self, folder: &Path) -> bool {
        let some = holds_pictures(folder);
        if !some {
            self.ignored.push(folder.to_owned());
        }
        some
    }

    /// Returns notes on what is ignored, and on numbers as names.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(first) = self.ignored.first() {
            let (count, first) = (self.ignored.len(), first.shown());
            let entries = if count == 1 { "entry" } else { "entries" };
            notes.push(format!("{count} {entries} without pictures ignored, such as {first}"));
        }
        if self.numbered {
            notes.push(format!("folders named by number are read as {EXPECTED_CLASSES}"));
        }
        notes
    }
}

fn class_of_folder(folder: &Path) -> Option<u8> {
    class_of(&folder.file_name()?.to_string_lossy())
}

fn unknown_class(folder: &Path) -> Error {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let has_classes = list_folder(folder)
        .is_ok_and(|(_, inner)| inner.iter().any(|folder| class_of_folder(folder).is_some()));
    let way_out = match has_classes {
        true => "the classes are inside it: give this folder instead",
        false => {
            "rename it, give the folder that holds the classes, such as D/train, or leave it \
                  out with --skip-bad"
        }
    };
    let classes = CLASS_NAMES.join(", ");
    let found = format!("found the folder `{name}`; expected class names ({classes}) or numbers");
    Error::data(folder, format!("{found} 0 to 6: {way_out}"))
}

/// Reads every image of a folder, sorted by path, scaled to 48×48. Files that are no images are left out,
/// with a note.
///
/// # Errors
/// [`Error::Data`] for a bad or misplaced image or a folder of images of no class (unless
/// `options.skip_bad`), or a folder without images.
pub fn read_folder(folder: &Path, options: &ReadOptions, report: &mut Report) -> Result<Dataset> {
    if options.usage.is_some() {
        return Err(Error::data(folder, "found a folder; choosing by Usage needs a CSV"));
    }
    let listing = Listing::of(folder)?;
    if listing.images.len() > MAX_FACES {
        let found =
            format!("found {} pictures; at most {MAX_FACES} are read", listing.images.len());
        return Err(Error::data(folder, found));
    }
    report.notes.extend(listing.notes());
    for error in listing.misplaced {
        report.rows += 1;
        report.add_bad(error, options)?;
    }
    let (mut dataset, mut warnings) = (Dataset::new(), Warnings::default());
    for batch in listing.images.chunks(BATCH) {
        let pictures: Vec<Result<Decoded>> =
            batch.par_iter().map(|(path, _)| read_image(path)).collect();
        for ((path, label), picture) in batch.iter().zip(pictures) {
            report.rows += 1;
            match picture {
                Ok(picture) => {
                    let id = path.strip_prefix(folder).unwrap_or(path).display().to_string();
                    let sample = Sample { label: *label, id: Some(id), ..Sample::default() };
                    let source = dataset.add_source(path);
                    dataset.push(&picture.image.to_face(), sample, source);
                    warnings.add(path, picture.warning);
                }
                Err(error) => report.add_bad(named(path, error), options)?,
            }
        }
    }
    report.notes.extend(warnings.note());
    if dataset.is_empty() {
        return Err(Error::data(
            folder,
            "found no picture; expected PNG, JPEG, WebP, GIF or BMP files, in one folder per class",
        ));
    }
    dataset.shrink_to_fit();
    Ok(dataset)
}

/// Returns the error of a picture in a folder, with what the file really is.
fn named(path: &Path, error: Error) -> Error {
    let way_out = "remove it from the folder, or leave it out with --skip-bad";
    if path.is_symlink() && !path.exists() {
        return Error::data(
            path,
            format!("found a link to a file that does not exist; expected a picture: {way_out}"),
        );
    }
    if !path.is_file() {
        return Error::data(
            path,
            format!("found a pipe, socket or device; expected a picture: {way_out}"),
        );
    }
    let mut head = Vec::with_capacity(HEAD);
    let read = File::open(path).and_then(|file| file.take(HEAD as u64).read_to_end(&mut head));
    match recognise(&head) {
        Some(found) if read.is_ok() => Error::data(path, found.as_data()),
        _ => error,
    }
}

/// Pictures that were read although they are damaged.
#[derive(Default)]
struct Warnings {
    count: usize,
    first: Option<String>,
}

impl Warnings {
    fn add(&mut self, path: &Path, warning: Option<String>) {
        let Some(warning) = warning else { return };
        self.count += 1;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.first.get_or_insert_with(|| format!("{name}: {warning}"));
    }

    fn note(self) -> Option<String> {
        let count =
            if self.count == 1 { "a picture".into() } else { format!("{} pictures", self.count) };
        self.first.map(|first| format!("{count} with harmless damage or several frames; {first}"))
    }
}
