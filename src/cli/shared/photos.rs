//! Inputs of the commands: photos go through the face detector, everything else is read as data.

use crate::cli::shared::input::{Reading, named};
use crate::console::eprintln_safe;
use crate::dataset::image::{
    Decoded, GrayImage, decode, has_image_extension, is_image, read_bounded, read_image, read_magic,
};
use crate::dataset::read::{STDIN, find_images, sniff};
use crate::dataset::{Dataset, Sample};
use crate::error::Shown as _;
use crate::photo::{FaceChoice, FaceLocation, SHORTEST, SeetaFace, Turn, crop_faces};
use crate::render::format::counted;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Which faces of a photo are used.
#[derive(Debug, Default, clap::Args)]
pub struct PhotoArgs {
    /// Face detection in photos: auto (every face; a picture of at most 96 pixels, or of a cropped
    /// face, is taken whole), largest, all, or off (every picture is taken whole)
    #[arg(long = "detect", value_name = "WHICH", default_value = "auto",
          value_parser = named::<FaceChoice>)]
    pub choice: FaceChoice,
}

/// The faces of the inputs, and their places in the pictures.
#[derive(Debug, Default)]
pub struct InputFaces {
    /// The faces.
    pub faces: Dataset,
    /// One per face; `None` for a row of a table.
    pub crops: Vec<Option<FaceCrop>>,
    /// Pictures in which no face was detected, each with the number of faces that come before it.
    pub without_face: Vec<(usize, PathBuf)>,
    /// Inputs that could not be read, each with the number of faces that come before it.
    pub failures: Vec<(usize, PathBuf, Error)>,
    /// The encoded picture from standard input, which cannot be read twice.
    pub stdin: Option<Vec<u8>>,
}

/// The place of a face in its picture.
#[derive(Clone, Copy, Debug)]
pub struct FaceCrop {
    /// The square in the picture.
    pub location: FaceLocation,
    /// Turn of the face in the photo.
    pub turn: Turn,
    /// Number of the face in its picture, from 1.
    pub number: usize,
}

/// Pictures that are read before their faces are handed on.
const PICTURES_AT_ONCE: usize = 16;

impl PhotoArgs {
    /// Reads pictures, folders of pictures, CSV files and `-`.
    ///
    /// # Errors
    /// [`Error::Data`] for the first bad input, or if nothing is left where bad ones are skipped.
    pub fn read(&self, inputs: &[PathBuf], reading: &Reading) -> Result<InputFaces> {
        let mut all = InputFaces::default();
        self.read_each(inputs, reading, &mut |part| {
            match part.failures.into_iter().next() {
                Some((.., error)) => return Err(error),
                None => all.append(InputFaces { failures: vec![], ..part }),
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// Reads the same in order, a few pictures or one table at a time, and hands the faces to
    /// `take`. An input that cannot be read is one of their failures and stops nothing.
    ///
    /// # Errors
    /// Those of `take`; [`Error::Data`] if nothing is left where bad inputs are skipped.
    pub fn read_each(
        &self,
        inputs: &[PathBuf],
        reading: &Reading,
        take: &mut dyn FnMut(InputFaces) -> Result<()>,
    ) -> Result<()> {
        let mut reader = Reader {
            choice: self.choice,
            reading,
            detector: None,
            found: InputFaces::default(),
            pictures: 0,
            anything: false,
            take,
        };
        for input in inputs {
            if let Err(error) = reader.read(input) {
                reader.fail(input, error)?;
            }
        }
        reader.hand_on()?;
        if !reader.anything {
            let first = inputs.first().map_or(Path::new(""), PathBuf::as_path);
            let message = "found nothing that can be read; expected at least one picture or row";
            return Err(Error::data(first, message));
        }
        Ok(())
    }
}

/// Reads inputs one by one.
struct Reader<'a> {
    choice: FaceChoice,
    reading: &'a Reading,
    detector: Option<SeetaFace>,
    /// Faces that were read and not yet returned.
    found: InputFaces,
    /// Number of pictures among them.
    pictures: usize,
    /// Whether anything was handed on.
    anything: bool,
    take: &'a mut dyn FnMut(InputFaces) -> Result<()>,
}

impl Reader<'_> {
    /// Hands on what was read so far.
    fn hand_on(&mut self) -> Result<()> {
        self.pictures = 0;
        let found = std::mem::take(&mut self.found);
        if found.faces.is_empty() && found.without_face.is_empty() && found.failures.is_empty() {
            return Ok(());
        }
        self.anything = true;
        (self.take)(found)
    }

    /// Notes an input that cannot be read. A closed output is no failure of the input.
    fn fail(&mut self, path: &Path, error: Error) -> Result<()> {
        self.found.failures.push((self.found.faces.len(), path.into(), error));
        Ok(())
    }

    fn read(&mut self, input: &Path) -> Result<()> {
        if self.reading.chooses_by_usage() {
            self.found.add_rows(self.reading.read(input)?); // refuses a picture, which has no column Usage
        } else if input == Path::new("-") {
            self.read_stdin()?;
        } else if input.is_dir() {
            let files = find_images(input)?;
            note_skipped(input, &files.unsupported);
            for path in files.supported {
                let id = path.strip_prefix(input).unwrap_or(&path).display().to_string();
                self.add_picture(&path, &id, read_image(&path))?;
            }
        } else if is_photo(input) {
            self.add_picture(input, &input.display().to_string(), read_image(input))?;
        } else {
            self.found.add_rows(self.reading.read(input)?);
        }
        Ok(())
    }

    fn read_stdin(&mut self) -> Result<()> {
        let path = Path::new(STDIN);
        let (head, stream) = sniff(std::io::stdin(), path)?;
        if !is_image(&head) {
            self.found.add_rows(self.reading.read_stream(stream, path)?);
            return Ok(());
        }
        let bytes = read_bounded(stream, path)?;
        let picture = decode(&bytes, path);
        self.found.stdin = Some(bytes);
        self.add_picture(path, STDIN, picture)
    }

    /// Adds the faces of a picture that was read from `path`.
    fn add_picture(&mut self, path: &Path, id: &str, picture: Result<Decoded>) -> Result<()> {
        let picture = match picture.and_then(|picture| require_size(picture, path)) {
            Ok(picture) => picture,
            Err(e) if self.reading.skips_bad() => {
                eprintln_safe!("{e}");
                return Ok(());
            }
            Err(e) => return self.fail(path, e),
        };
        let detector = match &mut self.detector {
            Some(detector) => detector,
            none => none.insert(SeetaFace::new()?),
        };
        let detected = crop_faces(&picture, self.choice, detector);
        if detected.is_empty() {
            self.found.without_face.push((self.found.faces.len(), path.into()));
        }
        let mut data = Dataset::new();
        let source = data.add_source(path);
        for (face, number) in detected.iter().zip(1..) {
            let crop = FaceCrop { location: face.location, turn: face.turn, number };
            let id = Some(crop.name(id));
            data.push(&face.pixels, Sample { id, ..Sample::default() }, source);
            self.found.crops.push(Some(crop));
        }
        self.found.faces.append(data);
        self.pictures += 1;
        if self.pictures == PICTURES_AT_ONCE { self.hand_on() } else { Ok(()) }
    }
}

impl FaceCrop {
    /// Names the face: `a.jpg#1`, `a.jpg#2` where it was detected in a photo; a picture that was
    /// taken whole keeps its name.
    pub fn name(&self, picture: &str) -> String {
        match self.location.crop_box() {
            Some(_) => format!("{picture}#{}", self.number),
            None => picture.to_owned(),
        }
    }
}

/// Refuses a picture that is too small for a face, and prints the warning about another.
pub(crate) fn require_size(picture: Decoded, path: &Path) -> Result<GrayImage> {
    let Decoded { image: picture, warning } = picture;
    if let Some(warning) = warning {
        eprintln_safe!("{}: {warning}", path.shown());
    }
    if picture.width.min(picture.height) >= SHORTEST {
        return Ok(picture);
    }
    let message = format!(
        "found a picture of {} x {} pixels; expected at least {SHORTEST} pixels per side: use a larger \
         picture of the face",
        picture.width, picture.height
    );
    Err(Error::data(path, message))
}

/// Prints one line about the pictures of a folder in formats that are not read.
fn note_skipped(folder: &Path, others: &[PathBuf]) {
    let Some(first) = others.first() else { return };
    let (folder, first) = (folder.shown(), first.shown());
    let pictures = counted(others.len(), "picture");
    eprintln_safe!("{folder}: {pictures} skipped, in a format that is not read, such as {first}");
}

impl InputFaces {
    /// Adds faces that come after these.
    pub(crate) fn append(&mut self, other: InputFaces) {
        let before = self.faces.len();
        let after = |(n, path): (usize, PathBuf)| (before + n, path);
        self.without_face.extend(other.without_face.into_iter().map(after));
        let after = |(n, path, e): (usize, PathBuf, Error)| (before + n, path, e);
        self.failures.extend(other.failures.into_iter().map(after));
        self.faces.append(other.faces);
        self.crops.extend(other.crops);
        self.stdin = other.stdin.or(self.stdin.take());
    }

    /// Returns the faces with these numbers, in this order; what has no face comes after them.
    pub(crate) fn select(self, faces: &[usize]) -> InputFaces {
        let n = faces.len();
        InputFaces {
            faces: self.faces.select(faces),
            crops: faces.iter().map(|&i| self.crops[i]).collect(),
            without_face: self.without_face.into_iter().map(|(_, path)| (n, path)).collect(),
            failures: self.failures.into_iter().map(|(_, path, e)| (n, path, e)).collect(),
            stdin: self.stdin,
        }
    }

    fn add_rows(&mut self, data: Dataset) {
        self.crops.resize(self.crops.len() + data.len(), None);
        self.faces.append(data);
    }

    /// Refuses inputs without any face.
    ///
    /// # Errors
    /// [`Error::NoFace`] that names the pictures.
    pub fn require_a_face(&self) -> Result<()> {
        if !self.faces.is_empty() {
            return Ok(());
        }
        let names: Vec<String> =
            self.without_face.iter().map(|(_, p)| p.display().to_string()).collect();
        Err(Error::NoFace(names.join(", ")))
    }
}

/// Whether a path is a file with the first bytes or the ending of a picture. With the ending alone
/// a damaged picture gets the message of a picture, not that of a table.
pub fn is_photo(path: &Path) -> bool {
    let has_magic_bytes = || read_magic(path).is_ok_and(|head| is_image(&head));
    path.is_file() && (has_image_extension(path) || has_magic_bytes())
}
