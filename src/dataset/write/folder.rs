//! Writes a dataset as a folder of PNG images.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use crate::dataset::Dataset;
use crate::error::Shown as _;
use crate::files::Temporary;
use crate::{CLASS_NAMES, Error, Result, SIDE};

/// Writes face i as `CLASS/iiiiii.png`, gray, 48×48; without labels as `iiiiii.png`.
///
/// The folder is written under a temporary name and renamed at the end. It must be empty or not exist. The
/// same faces give the same bytes.
///
/// # Errors
/// [`Error::Usage`] if the folder is not empty, [`Error::Data`] if only some faces have a label,
/// [`Error::Io`] if it cannot be written.
pub fn write_folder(dataset: &Dataset, folder: &Path) -> Result<()> {
    if folder.exists() && std::fs::read_dir(folder).map_err(Error::io(folder))?.next().is_some() {
        let message = format!("{} is not empty; name a new folder", folder.shown());
        return Err(Error::Usage(message));
    }
    let labelled = dataset.labels().iter().any(Option::is_some);
    if let (true, Some(i)) = (labelled, dataset.labels().iter().position(Option::is_none)) {
        let origin = dataset.origin(i);
        return Err(Error::Data {
            path: origin.path.to_owned(),
            line: origin.line,
            message: "has no label, but other faces have one; a folder needs all labels or none"
                .into(),
        });
    }
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let ((), temporary) =
        Temporary::create(parent, |path| std::fs::create_dir(path)).map_err(Error::io(parent))?;
    write_pictures(dataset, temporary.path(), labelled)?;
    temporary.rename(folder).map_err(Error::io(folder))
}

fn write_pictures(dataset: &Dataset, folder: &Path, labelled: bool) -> Result<()> {
    let counts = dataset.class_counts();
    for (class, _) in CLASS_NAMES.iter().zip(counts).filter(|(_, n)| *n > 0) {
        let path = folder.join(class);
        std::fs::create_dir(&path).map_err(Error::io(path))?;
    }
    for i in 0..dataset.len() {
        let class = dataset.label(i).filter(|_| labelled);
        let place = class.map_or(folder.to_owned(), |l| folder.join(CLASS_NAMES[usize::from(l)]));
        let path = place.join(format!("{i:06}.png"));
        write_png(&path, dataset.image(i))?;
    }
    Ok(())
}

fn write_png(path: &Path, face: &[u8]) -> Result<()> {
    let file = BufWriter::new(File::create_new(path).map_err(Error::io(path))?);
    let mut encoder = png::Encoder::new(file, SIDE as u32, SIDE as u32);
    encoder.set_color(png::ColorType::Grayscale);
    let written = encoder.write_header().and_then(|mut picture| {
        picture.write_image_data(face)?;
        picture.finish()
    });
    written.map_err(|e| match e {
        png::EncodingError::IoError(source) => Error::io(path)(source),
        other => Error::Render(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{ReadOptions, SynthOptions, read, synthesize};

    #[test]
    fn a_written_folder_reads_back_and_is_not_overwritten() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("faces");
        let faces = synthesize(&SynthOptions { count: 14, ..Default::default() }).unwrap();
        write_folder(&faces, &folder).unwrap();
        let (back, _) = read(&folder, &ReadOptions::default()).unwrap();
        assert_eq!(back.class_counts(), faces.class_counts());
        let first_angry = faces.indices_of(0)[0];
        assert_eq!(back.image(0), faces.image(first_angry));
        assert!(write_folder(&faces, &folder).is_err());
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }
}
