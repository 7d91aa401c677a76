//! What a user points at: photos go through the face finder, everything else is read as data.

use super::input::Reading;
use crate::dataset::picture::{Picture, is_picture, read_picture};
use crate::dataset::tree::pictures_below;
use crate::dataset::{Dataset, Sample};
use crate::error::{Error, Result};
use crate::photo::{FaceChoice, Frame, SeetaFace, faces};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Which faces of a photo are meant.
#[derive(Debug, Default, clap::Args)]
pub struct PhotoArgs {
    /// Faces of a photo: auto (a small or cropped picture whole, else every face), largest, all, or
    /// off (the picture as it is)
    #[arg(long = "face", value_name = "WHICH", default_value = "auto")]
    pub choice: FaceChoice,
}

/// Faces that were read, and where in their pictures they are.
#[derive(Debug, Default)]
pub struct Seen {
    /// The faces.
    pub faces: Dataset,
    /// One a face; none = not cut out of a photo.
    pub frames: Vec<Option<Frame>>,
    /// Pictures in which no face was found.
    pub faceless: Vec<PathBuf>,
}

impl PhotoArgs {
    /// Reads pictures, folders of pictures, CSV files and `-`.
    pub fn read(&self, inputs: &[PathBuf], reading: &Reading) -> Result<Seen> {
        let mut seen = Seen::default();
        let mut finder = None;
        for input in inputs {
            let pictures = match self.choice {
                FaceChoice::Off => None,
                _ if reading.chooses_by_usage() => None,
                _ if input.is_dir() => Some(pictures_below(input)?),
                _ => is_picture_file(input).then(|| vec![input.clone()]),
            };
            let Some(pictures) = pictures else {
                let data = reading.read_pictures(input)?;
                seen.frames.resize(seen.frames.len() + data.len(), None);
                seen.faces.append(data);
                continue;
            };
            for path in pictures {
                match read_picture(&path) {
                    Ok(picture) => {
                        let finder = match &mut finder {
                            Some(finder) => finder,
                            none => none.insert(SeetaFace::new()?),
                        };
                        let id = path.strip_prefix(input).ok().filter(|p| *p != Path::new(""));
                        let id = id.unwrap_or(&path).display().to_string();
                        seen.add(&path, &id, &picture, self.choice, finder);
                    }
                    Err(e) if reading.skips_bad() => eprintln!("{e}"),
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(seen)
    }
}

impl Seen {
    fn add(
        &mut self,
        path: &Path,
        id: &str,
        picture: &Picture,
        choice: FaceChoice,
        finder: &SeetaFace,
    ) {
        let found = faces(picture, choice, finder);
        if found.is_empty() {
            self.faceless.push(path.into());
            return;
        }
        let mut data = Dataset::new();
        let source = data.add_source(path);
        for (k, face) in found.iter().enumerate() {
            let id = match k {
                0 => id.to_owned(),
                k => format!("{id}#{}", k + 1),
            };
            data.push(&face.pixels, Sample { id: Some(id), ..Sample::default() }, source);
            self.frames.push(face.frame);
        }
        self.faces.append(data);
    }

    /// Refuses inputs that hold no face at all.
    ///
    /// # Errors
    /// [`Error::NoFace`] that names the pictures.
    pub fn require_a_face(&self) -> Result<()> {
        if !self.faces.is_empty() || self.faceless.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = self.faceless.iter().map(|p| p.display().to_string()).collect();
        Err(Error::NoFace(names.join(", ")))
    }
}

/// Whether a path is a file that begins like a PNG or JPEG; what cannot be read is none, and its
/// reader will say why.
pub fn is_picture_file(path: &Path) -> bool {
    let mut head = Vec::new();
    let is_file = std::fs::metadata(path).is_ok_and(|m| m.is_file());
    let file = is_file.then(|| std::fs::File::open(path).ok()).flatten();
    file.is_some_and(|f| f.take(8).read_to_end(&mut head).is_ok()) && is_picture(&head)
}
