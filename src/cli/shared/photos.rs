//! What a user points at: photos go through the face finder, everything else is read as data.

use crate::cli::shared::input::Reading;
use crate::console::eprintln_safe;
use crate::dataset::image::{
    GrayImage, decode, has_image_extension, is_image, read_bounded, read_image, read_magic,
};
use crate::dataset::read::find_images;
use crate::dataset::read::{STDIN, sniff};
use crate::dataset::{Dataset, Sample};
use crate::photo::{FaceChoice, FaceLocation, SHORTEST, SeetaFace, crop_faces};
use crate::render::format::counted;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Which faces of a photo are meant.
#[derive(Debug, Default, clap::Args)]
pub struct PhotoArgs {
    /// Faces of a photo: auto (every face; a picture of at most 96 pixels, or one that is a cropped
    /// face, whole), largest, all, or off (the picture as it is)
    #[arg(long = "face", value_name = "WHICH", default_value = "auto")]
    pub choice: FaceChoice,
}

/// Faces that were read, and where in their pictures they are.
#[derive(Debug, Default)]
pub struct Seen {
    /// The faces.
    pub faces: Dataset,
    /// One a face; none = a row of a table.
    pub cuts: Vec<Option<Cut>>,
    /// Pictures in which no face was found, each with the number of faces that come before it.
    pub faceless: Vec<(usize, PathBuf)>,
    /// The picture that came by standard input, undecoded: it cannot be read again.
    pub stdin: Option<Vec<u8>>,
}

/// How a face came out of its picture.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Where it is.
    pub location: FaceLocation,
    /// Which of the picture's faces it is, from 1.
    pub number: usize,
}

impl PhotoArgs {
    /// Reads pictures, folders of pictures, CSV files and `-`.
    ///
    /// # Errors
    /// [`Error::Data`] for the first that is bad, unless bad ones are skipped; then where nothing is
    /// left.
    pub fn read(&self, inputs: &[PathBuf], reading: &Reading) -> Result<Seen> {
        let mut reader =
            Reader { choice: self.choice, reading, finder: None, seen: Seen::default() };
        inputs.iter().try_for_each(|input| reader.read(input))?;
        let seen = reader.seen;
        if seen.faces.is_empty() && seen.faceless.is_empty() {
            let first = inputs.first().map_or(Path::new(""), PathBuf::as_path);
            let message = "found nothing that can be read; expected at least one picture or row";
            return Err(Error::data(first, message));
        }
        Ok(seen)
    }
}

/// What is read, and how.
struct Reader<'a> {
    choice: FaceChoice,
    reading: &'a Reading,
    finder: Option<SeetaFace>,
    seen: Seen,
}

impl Reader<'_> {
    fn read(&mut self, input: &Path) -> Result<()> {
        if self.reading.chooses_by_usage() {
            self.seen.add_rows(self.reading.read(input)?); // a picture has no Usage: it is refused
        } else if input == Path::new("-") {
            self.read_stdin()?;
        } else if input.is_dir() {
            let files = find_images(input)?;
            say_passed_over(input, &files.unsupported);
            for path in files.supported {
                let id = path.strip_prefix(input).unwrap_or(&path).display().to_string();
                self.look(&path, &id, read_image(&path))?;
            }
        } else if is_photo(input) {
            self.look(input, &input.display().to_string(), read_image(input))?;
        } else {
            self.seen.add_rows(self.reading.read(input)?);
        }
        Ok(())
    }

    fn read_stdin(&mut self) -> Result<()> {
        let path = Path::new(STDIN);
        let (head, stream) = sniff(std::io::stdin(), path)?;
        if !is_image(&head) {
            self.seen.add_rows(self.reading.read_stream(stream, path)?);
            return Ok(());
        }
        let bytes = read_bounded(stream, path)?;
        self.look(path, STDIN, decode(&bytes, path))?;
        self.seen.stdin = Some(bytes);
        Ok(())
    }

    /// Takes the faces of a picture that was read from `path`.
    fn look(&mut self, path: &Path, id: &str, picture: Result<GrayImage>) -> Result<()> {
        let picture = match picture.and_then(|picture| require_size(picture, path)) {
            Ok(picture) => picture,
            Err(e) if self.reading.skips_bad() => {
                eprintln_safe!("{e}");
                return Ok(());
            }
            Err(e) => return Err(e),
        };
        let finder = match &mut self.finder {
            Some(finder) => finder,
            none => none.insert(SeetaFace::new()?),
        };
        let found = crop_faces(&picture, self.choice, finder);
        if found.is_empty() {
            self.seen.faceless.push((self.seen.faces.len(), path.into()));
        }
        let mut data = Dataset::new();
        let source = data.add_source(path);
        for (face, number) in found.iter().zip(1..) {
            let id = Some(numbered(id, number));
            data.push(&face.pixels, Sample { id, ..Sample::default() }, source);
            self.seen.cuts.push(Some(Cut { location: face.location, number }));
        }
        self.seen.faces.append(data);
        Ok(())
    }
}

/// `a.jpg`, `a.jpg#2`, `a.jpg#3`: the faces of a picture.
pub fn numbered(name: &str, number: usize) -> String {
    if number == 1 { name.to_owned() } else { format!("{name}#{number}") }
}

fn require_size(picture: GrayImage, path: &Path) -> Result<GrayImage> {
    if picture.width.min(picture.height) >= SHORTEST {
        return Ok(picture);
    }
    let message = format!(
        "found a picture of {} x {}; expected at least {SHORTEST} pixels a side: fewer show no \
         expression",
        picture.width, picture.height
    );
    Err(Error::data(path, message))
}

/// One line on standard error about the pictures of a folder that cannot be read.
fn say_passed_over(folder: &Path, others: &[PathBuf]) {
    let Some(first) = others.first() else { return };
    let (folder, first) = (folder.display(), first.display());
    let pictures = counted(others.len(), "picture");
    eprintln_safe!("{folder}: {pictures} passed over, neither PNG nor JPEG, such as {first}");
}

impl Seen {
    fn add_rows(&mut self, data: Dataset) {
        self.cuts.resize(self.cuts.len() + data.len(), None);
        self.faces.append(data);
    }

    /// Refuses inputs that hold no face at all.
    ///
    /// # Errors
    /// [`Error::NoFace`] that names the pictures.
    pub fn require_a_face(&self) -> Result<()> {
        if !self.faces.is_empty() {
            return Ok(());
        }
        let names: Vec<String> =
            self.faceless.iter().map(|(_, p)| p.display().to_string()).collect();
        Err(Error::NoFace(names.join(", ")))
    }
}

/// Whether a path is a file that begins like a PNG or JPEG, or is called one: a damaged picture gets
/// its reader's message, not that of a table.
pub fn is_photo(path: &Path) -> bool {
    let begins_like_one = || read_magic(path).is_ok_and(|head| is_image(&head));
    path.is_file() && (has_image_extension(path) || begins_like_one())
}
