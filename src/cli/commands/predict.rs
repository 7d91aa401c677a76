//! `fer predict`.

use crate::PIXELS;
use crate::cli::shared::input::{Averaging, Reading, is_model, model_or_input};
use crate::cli::shared::output::keep_inputs;
use crate::cli::shared::photos::{PhotoArgs, Seen, is_photo};
use crate::cli::shared::predictions::{Answers, labels_csv, print_faceless};
use crate::console::eprintln_safe;
use crate::dataset::Dataset;
use crate::dataset::image::{ColorPlanes, decode_colors, read_bytes};
use crate::dataset::read::STDIN;
use crate::explain::attribute;
use crate::explain::image_ops::gaussian_blur;
use crate::explain::{AttributionOptions, FaceBatch, Method, Target};
use crate::files::{require_folder_of, write_atomic};
use crate::model::weights::network_file::EMBEDDED;
use crate::model::{Ensemble, LoadedModel, Predictions};
use crate::photo::draw::{FaceAnnotation, LONGEST, draw};
use crate::render::format::percent;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Arguments of `fer predict`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    /// Photos, folders of pictures, CSV files (with labels or without), or - for standard input.
    /// Photos are PNG or JPEG of 12 to 16,384 pixels a side and up to 67 megapixels; a progressive
    /// JPEG up to 29. Faces are found from 40 pixels and 2 % of the longer side on
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// More networks, or `embedded`, whose probabilities are averaged with the first one's
    #[arg(long, value_name = "MODEL")]
    with: Vec<PathBuf>,
    #[command(flatten)]
    photos: PhotoArgs,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    averaging: Averaging,
    /// Name the K most probable expressions
    #[arg(long, value_name = "K", default_value_t = 7)]
    top: usize,
    /// Print one JSON object a face
    #[arg(long)]
    json: bool,
    /// Write a CSV with the columns id and label instead
    #[arg(long, value_name = "CSV", conflicts_with = "json")]
    out: Option<PathBuf>,
    /// Draw boxes, labels and saliency (of the first network) on one photo
    #[arg(long, value_name = "PNG", conflicts_with = "out")]
    draw: Option<PathBuf>,
}

pub(crate) fn run(mut args: Args) -> Result<()> {
    let model = model_or_input(args.model.take(), &mut args.inputs);
    check(&args, model.as_deref())?;
    let first = model.unwrap_or(EMBEDDED.into());
    let models: Vec<PathBuf> = std::iter::once(first).chain(args.with.clone()).collect();
    let ensemble = Ensemble::read(&models)?;
    let seen = args.photos.read(&args.inputs, &args.reading)?;
    if seen.faces.is_empty() && args.json {
        seen.faceless.iter().try_for_each(|(_, path)| print_faceless(path, true))?;
    }
    seen.require_a_face()?;
    let photo = args.draw.as_ref().map(|_| photo(&args.inputs[0], &seen)).transpose()?;
    let predictions = args.averaging.predict(&ensemble, &seen.faces)?;
    if let Some(path) = &args.out {
        let none =
            |(_, path): &(usize, PathBuf)| eprintln_safe!("{}: no face found", path.display());
        seen.faceless.iter().for_each(none);
        return write_atomic(path, labels_csv(&seen.faces, &predictions)?.as_bytes());
    }
    if let (Some(path), Some(photo)) = (&args.draw, &photo) {
        write_atomic(path, &drawing(photo, &ensemble, &seen, &predictions)?)?;
    }
    if !args.json {
        say_uncalibrated(&ensemble); // JSON says so with each answer
    }
    let calibrated = ensemble.is_calibrated(args.averaging.tta);
    let (names, top) = (&ensemble.classes(), args.top);
    Answers { seen: &seen, predictions: &predictions, names, top, calibrated }.print(args.json)
}

fn say_uncalibrated(ensemble: &Ensemble) {
    for network in ensemble.uncalibrated() {
        let name = network.path.display();
        eprintln_safe!(
            "{name}: how sure it may be has not been measured; fer calibrate {name} does it"
        );
    }
    let networks = ensemble.members().len();
    if networks > 1 {
        eprintln_safe!("the mean of {networks} networks: how sure it may be has not been measured");
    }
}

/// Refuses what cannot be meant, before any work.
fn check(args: &Args, model: Option<&Path>) -> Result<()> {
    match model {
        Some(path) if args.inputs.is_empty() && !path.exists() => {
            let message = "does not exist; expected a photo, a folder of pictures or a CSV";
            return Err(Error::data(path, message));
        }
        _ if args.inputs.is_empty() => {
            let message = "nothing to look at: name a photo, a folder of pictures or a CSV";
            return Err(Error::Usage(message.into()));
        }
        _ => {}
    }
    if let Some(other) = args.inputs.iter().find(|path| path.exists() && is_model(path)) {
        let other = other.display();
        let message =
            format!("{other} is a network, not an input; to average networks: --with {other}");
        return Err(Error::Usage(message));
    }
    if args.top == 0 {
        return Err(Error::Usage("--top 0: expected at least 1".into()));
    }
    let outputs = || args.out.iter().chain(&args.draw);
    outputs().try_for_each(|path| require_folder_of(path))?;
    let inputs: Vec<&Path> = args.inputs.iter().map(PathBuf::as_path).collect();
    keep_inputs(outputs(), &inputs)?;
    let Some(out) = &args.draw else { return Ok(()) };
    if !out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")) {
        let message = format!("--draw {}: expected a name that ends in .png", out.display());
        return Err(Error::Usage(message));
    }
    match args.inputs.as_slice() {
        [one] if is_photo(one) || !one.exists() => Ok(()), // - is looked at when it is read
        _ => Err(not_one_photo()),
    }
}

fn not_one_photo() -> Error {
    Error::Usage("--draw: expected one PNG or JPEG picture".into())
}

/// The photo to draw on.
fn photo(input: &Path, seen: &Seen) -> Result<ColorPlanes> {
    match &seen.stdin {
        Some(bytes) => decode_colors(bytes, Path::new(STDIN), LONGEST),
        None if input == Path::new("-") => Err(not_one_photo()),
        None => decode_colors(&read_bytes(input)?, input, LONGEST),
    }
}

/// The photo with its boxes, labels and the saliency of the first network, as PNG.
fn drawing(
    photo: &ColorPlanes,
    ensemble: &Ensemble,
    seen: &Seen,
    predictions: &Predictions,
) -> Result<Vec<u8>> {
    let maps = saliency(ensemble.first(), &seen.faces, predictions)?;
    let names = ensemble.classes();
    let drawn = |(i, saliency): (usize, Vec<f32>)| {
        let class = predictions.class(i);
        let probability = f64::from(predictions.of(i)[class]);
        let label = [names[class].to_owned(), percent(probability)];
        FaceAnnotation {
            crop_box: seen.cuts[i].and_then(|cut| cut.location.crop_box()),
            label,
            saliency,
        }
    };
    let faces: Vec<FaceAnnotation> = maps.into_iter().enumerate().map(drawn).collect();
    draw(photo, &faces).to_png()
}

/// SmoothGrad of each face's answer, blurred so that it can be seen from afar, largest magnitude 1.
fn saliency(
    trained: &LoadedModel,
    faces: &Dataset,
    predictions: &Predictions,
) -> Result<Vec<Vec<f32>>> {
    let model = trained.explained()?;
    let gray = trained.network.spec.mean as f32;
    let options = AttributionOptions::new(vec![gray; PIXELS], 0)?;
    let targets: Vec<Target> =
        (0..faces.len()).map(|i| Target::Class(predictions.class(i))).collect();
    let pixels = crate::cli::shared::explained::pixels(trained, faces);
    let maps =
        attribute(&FaceBatch::new(&model, &pixels, &targets)?, Method::SmoothGrad, &options)?;
    let blurred = maps.iter().map(|map| gaussian_blur(&map.display(None), 1.0));
    let largest = |map: &[f32]| map.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    Ok(blurred.map(|map| map.iter().map(|v| v / largest(&map)).collect()).collect())
}
