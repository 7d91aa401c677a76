//! `fer predict --draw`: boxes, labels and saliency on one photo, or on every photo into a folder.

use crate::cli::shared::network_input::{mean_face, pixels};
use crate::cli::shared::output::print_written;
use crate::cli::shared::photos::{InputFaces, is_photo};
use crate::console::eprintln_safe;
use crate::dataset::Dataset;
use crate::dataset::image::{ColorPlanes, decode_colors, has_image_extension, read_bytes};
use crate::dataset::read::STDIN;
use crate::error::Shown as _;
use crate::explain::{AttributionOptions, FaceBatch, Method, Target, attribute};
use crate::files::{make_folder, require_folder_of, write_atomic};
use crate::model::{Ensemble, LoadedModel, Predictions};
use crate::photo::Turn;
use crate::photo::draw::{FaceAnnotation, LONGEST, draw};
use crate::render::format::{counted, percent};
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Writes the drawings of the pictures.
pub(super) struct Drawings<'a> {
    /// `Some` for a folder with a drawing of each picture, `None` for one file.
    folder: Option<&'a Path>,
    file: &'a Path,
    inputs: &'a [PathBuf],
    ensemble: &'a Ensemble,
    /// Names used in the folder.
    used: BTreeSet<PathBuf>,
}

impl<'a> Drawings<'a> {
    /// Checks the name before any work: one that ends in .png is the drawing of one picture, any other
    /// a folder.
    ///
    /// # Errors
    /// [`Error::Usage`] if the inputs do not fit, or the folder lies in an input folder.
    pub fn check(target: &Path, inputs: &[PathBuf]) -> Result<()> {
        let name = target.shown();
        require_folder_of(target)?;
        if is_file_name(target) {
            return match inputs {
                [one] if is_photo(one) || !one.exists() => Ok(()), // standard input: when it is read
                _ => Err(Error::Usage(format!(
                    "--draw {name}: expected one picture; for several, name a folder"
                ))),
            };
        }
        if has_image_extension(target) {
            let message = format!("--draw {name}: expected a name that ends in .png, or a folder");
            return Err(Error::Usage(message));
        }
        if let Some(table) = inputs.iter().find(|i| i.is_file() && !is_photo(i)) {
            return Err(a_table(&table.shown()));
        }
        let parent = target.parent().filter(|p| !p.as_os_str().is_empty());
        let place = target.canonicalize();
        let place = place.or_else(|_| parent.unwrap_or(Path::new(".")).canonicalize());
        let holds = |input: &&PathBuf| {
            let inside = |input: PathBuf| place.as_ref().is_ok_and(|p| p.starts_with(input));
            input.is_dir() && input.canonicalize().is_ok_and(inside)
        };
        match inputs.iter().find(holds) {
            Some(input) => Err(Error::Usage(format!(
                "--draw {name} is inside the input folder {}, where a second run would read the \
                 drawings; name a folder elsewhere",
                input.shown()
            ))),
            None => Ok(()),
        }
    }

    /// Prepares the drawings; [`Drawings::check`] has been passed.
    pub fn new(file: &'a Path, inputs: &'a [PathBuf], ensemble: &'a Ensemble) -> Result<Self> {
        let folder = (!is_file_name(file)).then_some(file);
        folder.map_or(Ok(()), make_folder)?;
        Ok(Drawings { folder, file, inputs, ensemble, used: BTreeSet::new() })
    }

    /// Draws the pictures among faces that were read together.
    ///
    /// # Errors
    /// [`Error::Usage`] for rows of a table, [`Error::Io`] if a file cannot be written.
    pub fn add(&mut self, input: &InputFaces, predictions: &Predictions) -> Result<()> {
        for faces in pictures(input)? {
            let path = input.faces.origin(faces.start).path;
            let photo = read(path, input)?;
            let png = drawing(&photo, self.ensemble, input, predictions, faces)?;
            match self.folder {
                None => {
                    write_atomic(self.file, &png)?;
                    print_written(self.file);
                }
                Some(folder) => {
                    let file = folder.join(self.free_name(path));
                    make_folder(file.parent().unwrap_or(folder))?;
                    write_atomic(file, &png)?;
                }
            }
        }
        Ok(())
    }

    /// Says where the drawings are.
    pub fn finish(&self) {
        if let Some(folder) = self.folder {
            let drawn = counted(self.used.len(), "picture");
            eprintln_safe!("written: {drawn} in {}", folder.shown());
        }
    }

    /// The name of a picture's drawing: its path below the input folder, or its file name, with the
    /// ending .png; a second one of that name gets a number.
    fn free_name(&mut self, picture: &Path) -> PathBuf {
        let below = |input: &PathBuf| picture.strip_prefix(input).ok().map(Path::to_path_buf);
        let of_folder = self.inputs.iter().filter(|i| i.is_dir()).find_map(below);
        let alone = || PathBuf::from(picture.file_name().unwrap_or(picture.as_os_str()));
        let name = match of_folder.unwrap_or_else(alone) {
            name if name == Path::new(STDIN) => PathBuf::from("stdin.png"),
            name if is_file_name(&name) => name,
            name => {
                let mut longer = name.into_os_string();
                longer.push(".png");
                longer.into()
            }
        };
        let stem = name.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let numbered = |n: usize| name.with_file_name(format!("{stem}-{n}.png"));
        let mut free = name.clone();
        for n in 2.. {
            if self.used.insert(free.clone()) {
                break;
            }
            free = numbered(n);
        }
        free
    }
}

/// Whether a name is that of one drawing.
fn is_file_name(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"))
}

fn a_table(name: &str) -> Error {
    Error::Usage(format!("--draw: {name} is a table; expected pictures"))
}

/// Returns the faces of each picture.
fn pictures(input: &InputFaces) -> Result<Vec<Range<usize>>> {
    let mut pictures: Vec<Range<usize>> = vec![];
    for (i, crop) in input.crops.iter().enumerate() {
        let Some(crop) = crop else {
            return Err(a_table(&input.faces.origin(i).path.shown()));
        };
        match pictures.last_mut() {
            Some(picture) if crop.number > 1 => picture.end = i + 1,
            _ => pictures.push(i..i + 1),
        }
    }
    Ok(pictures)
}

/// Reads the photo to draw on.
fn read(path: &Path, input: &InputFaces) -> Result<ColorPlanes> {
    match &input.stdin {
        Some(bytes) if path == Path::new(STDIN) => decode_colors(bytes, path, LONGEST),
        _ => decode_colors(&read_bytes(path)?, path, LONGEST),
    }
}

/// Draws boxes, labels and the saliency of the first network onto the photo. Returns a PNG.
fn drawing(
    photo: &ColorPlanes,
    ensemble: &Ensemble,
    input: &InputFaces,
    predictions: &Predictions,
    faces: Range<usize>,
) -> Result<Vec<u8>> {
    let own: Vec<usize> = faces.clone().collect();
    let classes: Vec<usize> = own.iter().map(|&i| predictions.class(i)).collect();
    let maps = saliency(ensemble.first(), &input.faces.select(&own), &classes)?;
    let names = ensemble.classes();
    let annotation = |(i, saliency): (usize, Vec<f32>)| {
        let class = predictions.class(i);
        let probability = f64::from(predictions.of(i)[class]);
        let doubtful = input.crops[i].is_some_and(|crop| crop.location.is_doubtful());
        let mark = if doubtful { "?" } else { "" };
        let label = [format!("{}{mark}", names[class]), percent(probability)];
        FaceAnnotation {
            crop_box: input.crops[i].and_then(|crop| crop.location.crop_box()),
            label,
            doubtful,
            saliency,
            turn: input.crops[i].map_or(Turn::Upright, |crop| crop.turn),
        }
    };
    let faces: Vec<FaceAnnotation> = faces.zip(maps).map(annotation).collect();
    draw(photo, &faces).to_png()
}

/// Computes the map of the predicted class of each face by the default method, with largest magnitude 1:
/// above 0 it speaks for the class, below against it.
fn saliency(trained: &LoadedModel, faces: &Dataset, classes: &[usize]) -> Result<Vec<Vec<f32>>> {
    let model = trained.classifier()?;
    let options = AttributionOptions::new(mean_face(trained, faces), 0)?;
    let targets: Vec<Target> = classes.iter().map(|&c| Target::Class(c)).collect();
    let pixels = pixels(trained, faces);
    let maps = attribute(&FaceBatch::new(&model, &pixels, &targets)?, Method::DEFAULT, &options)?;
    Ok(maps.iter().map(|map| map.signed_display(None)).collect())
}
