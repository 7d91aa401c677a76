//! `fer predict`: the expressions in photos, folders of pictures and tables.

mod answered;
mod drawing;
mod video;

use crate::cli::commands::bulk::{self, Bulk, Shard};
use crate::cli::commands::predict::answered::{Answered, Order, write_sheet};
use crate::cli::commands::predict::drawing::Drawings;
use crate::cli::commands::predict::video::{Rows, VideoArgs, is_video};
use crate::cli::shared::input::{Averaging, Reading, is_model, model_or_input, named};
use crate::cli::shared::output::{differ, keep_inputs};
use crate::cli::shared::photos::{InputFaces, PhotoArgs};
use crate::cli::shared::precision::{noted, precision};
use crate::cli::shared::predictions::{FacePredictions, csv_header, csv_of};
use crate::console::eprintln_safe;
use crate::error::Shown as _;
use crate::files::{require_folder_of, write_atomic};
use crate::model::weights::network_file::EMBEDDED;
use crate::model::{Ensemble, Predictions};
use crate::render::write::check_name;
use crate::{Error, Result};
use fer_kernels::Precision;
use std::path::{Path, PathBuf};

/// Arguments of `fer predict`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fer predict photo.jpg --draw answer.png\n  fer predict photos/ --draw drawn/ --sheet faces.png\n  fer predict runs/fer-s-1 test.csv --out answers.csv\n  ffmpeg -i talk.mp4 -f yuv4mpegpipe - | fer predict - --every 5 --out talk.csv"
)]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    /// Photos, folders of pictures, CSV files (with or without labels), one video (.y4m, .mjpeg), or -
    /// for standard input.
    /// Photos are PNG, JPEG, WebP, GIF (first frame) or BMP, with sides of 12 to 16,384 pixels and up to 67 megapixels (progressive
    /// JPEG: 29). Faces are detected from a width of 40 pixels and 2 % of the longer side, in photos of up to
    /// 1,000 pixels from 20
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
    /// Draw boxes, labels and saliency (of the first network) onto the photo: a name that ends in .png;
    /// any other name is a folder, which gets a drawing of every picture with a face
    #[arg(long, value_name = "PNG|FOLDER")]
    draw: Option<PathBuf>,
    /// Write a contact sheet: every face with its answer, by class (or in the order of --sort)
    #[arg(long, value_name = "PNG")]
    sheet: Option<PathBuf>,
    /// Order of the answers: class (within it from the most probable to the least) or probability
    /// [default: that of the inputs]
    #[arg(long, value_name = "ORDER", value_parser = named::<Order>)]
    sort: Option<Order>,
    #[command(flatten)]
    video: VideoArgs,
}

impl Args {
    /// Whether all faces are drawn or held until the end.
    fn shows_faces(&self) -> bool {
        self.draw.is_some() || self.sheet.is_some() || self.sort.is_some()
    }
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
        return video::predict(video, &ensemble, args.video, &rows, &name);
    }
    if args.shard.is_some() || args.resume || bulk::is_needed(&args.inputs, args.out.as_deref()) {
        return one_by_one(&args, &ensemble);
    }
    if !args.json && args.out.is_none() {
        note_uncalibrated(&ensemble); // JSON has it in each object
    }
    in_order(&args, &ensemble)
}

/// Predicts the inputs in their order, a few at a time; what must be sorted is answered at the end.
fn in_order(args: &Args, ensemble: &Ensemble) -> Result<()> {
    let names = ensemble.classes();
    let mut csv = csv_header(&names)?;
    let mut drawings =
        args.draw.as_deref().map(|path| Drawings::new(path, &args.inputs, ensemble)).transpose()?;
    let mut all = Answered::default();
    let (mut faces, mut without_face, mut failures) = (0, vec![], vec![]);
    args.photos.read_each(&args.inputs, &args.reading, &mut |mut part| {
        let predictions = args.averaging.predict(ensemble, &part.faces)?;
        faces += part.faces.len();
        if let Some(drawings) = &mut drawings {
            drawings.add(&part, &predictions)?;
        }
        without_face.extend(part.without_face.iter().map(|(_, path)| path.clone()));
        if args.sort.is_none() {
            answer(args, ensemble, &part, &predictions, &mut csv)?;
            failures.extend(part.failures.drain(..).map(|(.., error)| error));
        }
        if args.sort.is_some() || args.sheet.is_some() {
            all.append(part, predictions);
        }
        Ok(())
    })?;
    if args.sort.is_some() || args.sheet.is_some() {
        let order = args.sort.unwrap_or(Order::Class);
        let (input, predictions) = all.sorted(order, names.len());
        if args.sort.is_some() {
            answer(args, ensemble, &input, &predictions, &mut csv)?;
        }
        if let Some(path) = args.sheet.as_deref().filter(|_| faces > 0) {
            write_sheet(path, &input, &predictions, &names, order)?;
        }
        failures.extend(input.failures.into_iter().map(|(.., error)| error));
    }
    drawings.iter().for_each(Drawings::finish);
    if let Some(path) = &args.out
        && faces > 0
    {
        without_face.iter().for_each(|path| eprintln_safe!("{}: no face found", path.shown()));
        write_atomic(path, csv.as_bytes())?;
        print_table(path);
    }
    finish(faces, &without_face, failures)
}

/// Predicts many pictures in bounded memory.
fn one_by_one(args: &Args, ensemble: &Ensemble) -> Result<()> {
    let Some(out) = args.out.as_deref() else {
        let message = "tar and Parquet files hold many pictures: name a table for the answers, --out answers.csv";
        return Err(Error::Usage(message.into()));
    };
    if args.reading.chooses_by_usage() || args.shows_faces() {
        return Err(Error::Usage(
            "--usage, --draw, --sheet and --sort do not go with --shard, --resume, tar or Parquet"
                .into(),
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

/// Answers the faces that were read together: prints them or adds them to the CSV.
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
        let names: Vec<String> = without_face.iter().map(|p| p.shown()).collect();
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

/// Says where the table was written, and its format where the name does not.
fn print_table(path: &Path) {
    let says = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    eprintln_safe!("written: {}{}", path.shown(), if says { "" } else { ", as CSV" });
}

/// Refuses what a video does not have.
fn refuse_for_videos(args: &Args) -> Result<()> {
    let is_for_photos = args.averaging.tta || args.shard.is_some() || args.resume;
    match is_for_photos || args.shows_faces() {
        true => Err(Error::Usage(
            "--draw, --sheet, --sort, --tta, --shard and --resume are for photos; found a video"
                .into(),
        )),
        false => Ok(()),
    }
}

fn note_uncalibrated(ensemble: &Ensemble) {
    for network in ensemble.uncalibrated() {
        let name = network.path.shown();
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
        let other = other.shown();
        let message =
            format!("{other} is a network, not an input; to average networks: --ensemble {other}");
        return Err(Error::Usage(message));
    }
    if args.inputs.len() > 1
        && let Some(video) = args.inputs.iter().find(|path| is_video(path))
    {
        let message = format!("{} is a video, which is predicted alone", video.shown());
        return Err(Error::Usage(message));
    }
    if args.top_k == 0 {
        return Err(Error::Usage("--top-k 0: expected at least 1".into()));
    }
    let outputs = || args.out.iter().chain(&args.draw).chain(&args.sheet);
    outputs().try_for_each(|path| require_folder_of(path))?;
    args.sheet.as_deref().map_or(Ok(()), check_name)?;
    if let (Some(draw), Some(sheet)) = (&args.draw, &args.sheet) {
        differ(draw, sheet, "--draw and --sheet")?;
    }
    args.draw.as_deref().map_or(Ok(()), |path| Drawings::check(path, &args.inputs))?;
    let inputs: Vec<&Path> = args.inputs.iter().map(PathBuf::as_path).collect();
    keep_inputs(outputs(), &inputs)
}
