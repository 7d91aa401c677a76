//! `fer predict`: the expressions in photos, folders of pictures and tables.

use crate::cli::commands::bulk::{self, Bulk, Shard};
use crate::cli::commands::predict_video::{self, Rows, VideoArgs, is_video};
use crate::cli::shared::input::{Averaging, Reading, is_model, model_or_input};
use crate::cli::shared::network_input::{mean_face, pixels};
use crate::cli::shared::output::keep_inputs;
use crate::cli::shared::photos::{InputFaces, PhotoArgs, is_photo};
use crate::cli::shared::precision::{noted, precision};
use crate::cli::shared::predictions::{FacePredictions, csv_header, csv_of};
use crate::console::eprintln_safe;
use crate::dataset::Dataset;
use crate::dataset::image::{ColorPlanes, decode_colors, read_bytes};
use crate::dataset::read::STDIN;
use crate::explain::{AttributionOptions, FaceBatch, Method, Target, attribute};
use crate::files::{require_folder_of, write_atomic};
use crate::model::weights::network_file::EMBEDDED;
use crate::model::{Ensemble, LoadedModel, Predictions};
use crate::photo::draw::{FaceAnnotation, LONGEST, draw};
use crate::render::format::percent;
use crate::{Error, Result};
use fer_kernels::Precision;
use std::path::{Path, PathBuf};

/// Arguments of `fer predict`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fer predict photo.jpg --draw answer.png\n  fer predict runs/fer-s-1 test.csv --out answers.csv\n  ffmpeg -i talk.mp4 -f yuv4mpegpipe - | fer predict - --every 5 --out talk.csv"
)]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    /// Photos, folders of pictures, CSV files (with or without labels), one video (.y4m, .mjpeg), or -
    /// for standard input.
    /// Photos are PNG, JPEG, WebP, GIF (first frame) or BMP, with sides of 12 to 16,384 pixels and up to 67 megapixels (progressive
    /// JPEG: 29). Faces are detected from a width of 40 pixels and 2 % of the longer side
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// More networks, or `embedded`: the probabilities of all networks are averaged
    #[arg(long, value_name = "MODEL")]
    ensemble: Vec<PathBuf>,
    #[command(flatten)]
    photos: PhotoArgs,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    averaging: Averaging,
    /// Precision of products: f32 or bf16 (sums are f32)
    #[arg(long, default_value = "f32", hide_default_value = true, value_parser = precision)]
    precision: Precision,
    /// Print the K most probable expressions
    #[arg(long, value_name = "K", default_value_t = 7)]
    top_k: usize,
    /// Print one JSON object per face, picture without a face, and file that cannot be read
    #[arg(long)]
    json: bool,
    /// Write a table instead: id, label, class, and the probability of each class; Parquet if the name
    /// ends in .parquet, else CSV
    #[arg(long, value_name = "TABLE", conflicts_with = "json")]
    out: Option<PathBuf>,
    /// Predict part I of N: every N-th picture or row; with --out
    #[arg(long, value_name = "I/N", requires = "out")]
    shard: Option<Shard>,
    /// Continue where an earlier run with the same --out was ended
    #[arg(long, requires = "out")]
    resume: bool,
    /// Draw boxes, labels and saliency (of the first network) onto one photo
    #[arg(long, value_name = "PNG", conflicts_with = "out")]
    draw: Option<PathBuf>,
    #[command(flatten)]
    video: VideoArgs,
}

pub(crate) fn run(mut args: Args) -> Result<()> {
    let model = model_or_input(args.model.take(), &mut args.inputs)?;
    validate(&args, model.as_deref())?;
    let first = model.unwrap_or(EMBEDDED.into());
    let models: Vec<PathBuf> = std::iter::once(first).chain(args.ensemble.clone()).collect();
    let ensemble = Ensemble::read(&models)?.with_precision(noted(args.precision));
    if let [input] = args.inputs.as_slice()
        && let Some(video) = args.video.open(input)?
    {
        refuse_for_videos(&args)?;
        let rows = Rows { json: args.json, out: args.out.as_ref() };
        let name = input.display().to_string();
        return predict_video::predict(video, &ensemble, args.video, &rows, &name);
    }
    if args.shard.is_some() || args.resume || bulk::is_needed(&args.inputs, args.out.as_deref()) {
        return one_by_one(&args, &ensemble);
    }
    if !args.json && args.out.is_none() {
        note_uncalibrated(&ensemble); // JSON has it in each object
    }
    let names = ensemble.classes();
    let mut csv = csv_header(&names)?;
    let (mut faces, mut without_face, mut failures) = (0, vec![], vec![]);
    args.photos.read_each(&args.inputs, &args.reading, &mut |part| {
        let predictions = args.averaging.predict(&ensemble, &part.faces)?;
        faces += part.faces.len();
        answer(&args, &ensemble, &part, &predictions, &mut csv)?;
        without_face.extend(part.without_face.into_iter().map(|(_, path)| path));
        failures.extend(part.failures.into_iter().map(|(.., error)| error));
        Ok(())
    })?;
    if let Some(path) = &args.out
        && faces > 0
    {
        without_face.iter().for_each(|path| eprintln_safe!("{}: no face found", path.display()));
        write_atomic(path, csv.as_bytes())?;
    }
    finish(faces, &without_face, failures)
}

/// Predicts many pictures in bounded memory.
fn one_by_one(args: &Args, ensemble: &Ensemble) -> Result<()> {
    let Some(out) = args.out.as_deref() else {
        let message = "tar and Parquet files hold many pictures: name a table for the answers, --out answers.csv";
        return Err(Error::Usage(message.into()));
    };
    if args.reading.chooses_by_usage() {
        return Err(Error::Usage(
            "--usage does not go with --shard, --resume, tar or Parquet".into(),
        ));
    }
    let bulk = Bulk {
        inputs: &args.inputs,
        ensemble,
        photos: &args.photos,
        tta: args.averaging.tta,
        skip_bad: args.reading.skips_bad(),
        shard: args.shard.unwrap_or(Shard { number: 1, of: 1 }),
        resume: args.resume,
        out,
    };
    bulk.run()
}

/// Answers the faces that were read together: prints, draws, or adds to the CSV.
fn answer(
    args: &Args,
    ensemble: &Ensemble,
    input: &InputFaces,
    predictions: &Predictions,
    csv: &mut String,
) -> Result<()> {
    let names = ensemble.classes();
    if args.out.is_some() {
        csv.push_str(&csv_of(&input.faces, predictions, &names)?);
        return Ok(());
    }
    if let Some(path) = &args.draw
        && (!input.faces.is_empty() || input.stdin.is_some())
        && input.failures.is_empty()
    {
        let photo = photo(&args.inputs[0], input)?;
        if !input.faces.is_empty() {
            write_atomic(path, &drawing(&photo, ensemble, input, predictions)?)?;
        }
    }
    // A single picture without a face is an error, whose message says it.
    let is_all = args.inputs.len() == 1 && input.faces.is_empty() && !args.json;
    if is_all && input.without_face.len() == 1 {
        return Ok(());
    }
    let calibrated = ensemble.is_calibrated(args.averaging.tta);
    FacePredictions { input, predictions, names: &names, top: args.top_k, calibrated }
        .print(args.json)
}

/// Lists the inputs that could not be read. Without any face, that is the error.
fn finish(faces: usize, without_face: &[PathBuf], mut failures: Vec<Error>) -> Result<()> {
    if failures.is_empty() && faces == 0 {
        let names: Vec<String> = without_face.iter().map(|p| p.display().to_string()).collect();
        return Err(Error::NoFace(names.join(", ")));
    }
    match failures.len() {
        0 => Ok(()),
        1 => Err(failures.remove(0)),
        n => {
            let lines: Vec<String> = failures.iter().map(|e| format!("\n  {e}")).collect();
            Err(Error::Inputs(format!("{n} inputs cannot be read:{}", lines.concat())))
        }
    }
}

/// Refuses what a video does not have.
fn refuse_for_videos(args: &Args) -> Result<()> {
    match args.draw.is_some() || args.averaging.tta || args.shard.is_some() || args.resume {
        true => Err(Error::Usage(
            "--draw, --tta, --shard and --resume are for photos; found a video".into(),
        )),
        false => Ok(()),
    }
}

fn note_uncalibrated(ensemble: &Ensemble) {
    for network in ensemble.uncalibrated() {
        let name = network.path.display();
        eprintln_safe!(
            "{name}: the probabilities are not calibrated; to calibrate them: fer calibrate {name}"
        );
    }
    let networks = ensemble.members().len();
    if networks > 1 {
        eprintln_safe!("the mean of {networks} networks: the probabilities are not calibrated");
    }
}

/// Refuses contradictory arguments before any work.
fn validate(args: &Args, model: Option<&Path>) -> Result<()> {
    match model {
        Some(path) if args.inputs.is_empty() && !path.exists() => {
            let message = "does not exist; expected a photo, a folder of pictures or a CSV";
            return Err(Error::data(path, message));
        }
        _ if args.inputs.is_empty() => {
            let message = "no input: name a photo, a folder of pictures or a CSV";
            return Err(Error::Usage(message.into()));
        }
        _ => {}
    }
    if let Some(other) = args.inputs.iter().find(|path| path.exists() && is_model(path)) {
        let other = other.display();
        let message =
            format!("{other} is a network, not an input; to average networks: --ensemble {other}");
        return Err(Error::Usage(message));
    }
    if args.inputs.len() > 1
        && let Some(video) = args.inputs.iter().find(|path| is_video(path))
    {
        let message = format!("{} is a video, which is predicted alone", video.display());
        return Err(Error::Usage(message));
    }
    if args.top_k == 0 {
        return Err(Error::Usage("--top-k 0: expected at least 1".into()));
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
        [one] if is_photo(one) || !one.exists() => Ok(()), // standard input is checked when it is read
        _ => Err(not_one_photo()),
    }
}

fn not_one_photo() -> Error {
    Error::Usage("--draw: expected one picture".into())
}

/// Reads the photo to draw on.
fn photo(path: &Path, input: &InputFaces) -> Result<ColorPlanes> {
    match &input.stdin {
        Some(bytes) => decode_colors(bytes, Path::new(STDIN), LONGEST),
        None if path == Path::new("-") => Err(not_one_photo()),
        None => decode_colors(&read_bytes(path)?, path, LONGEST),
    }
}

/// Draws boxes, labels and the saliency of the first network onto the photo. Returns a PNG.
fn drawing(
    photo: &ColorPlanes,
    ensemble: &Ensemble,
    input: &InputFaces,
    predictions: &Predictions,
) -> Result<Vec<u8>> {
    let maps = saliency(ensemble.first(), &input.faces, predictions)?;
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
        }
    };
    let faces: Vec<FaceAnnotation> = maps.into_iter().enumerate().map(annotation).collect();
    draw(photo, &faces).to_png()
}

/// Computes the map of the predicted class of each face by the default method, with largest magnitude 1:
/// above 0 it speaks for the class, below against it.
fn saliency(
    trained: &LoadedModel,
    faces: &Dataset,
    predictions: &Predictions,
) -> Result<Vec<Vec<f32>>> {
    let model = trained.classifier()?;
    let options = AttributionOptions::new(mean_face(trained, faces), 0)?;
    let targets: Vec<Target> =
        (0..faces.len()).map(|i| Target::Class(predictions.class(i))).collect();
    let pixels = pixels(trained, faces);
    let maps = attribute(&FaceBatch::new(&model, &pixels, &targets)?, Method::DEFAULT, &options)?;
    Ok(maps.iter().map(|map| map.signed_display(None)).collect())
}
