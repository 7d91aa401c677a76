//! `fer predict`.

use super::input::{Averaging, Reading, model_or_input};
use super::photos::{PhotoArgs, Seen, is_picture_file};
use crate::PIXELS;
use crate::dataset::Dataset;
use crate::dataset::picture::read_picture;
use crate::error::{Error, Result};
use crate::explain::picture::gaussian_blur;
use crate::explain::{Method, Options, Target, attribute};
use crate::files::{require_folder_of, write_atomic};
use crate::photo::Frame;
use crate::photo::draw::{Drawn, draw};
use crate::render::numbers::percent;
use crate::train::{Ensemble, Predictions, Trained};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Arguments of `fer predict`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder or a weights file [default: the program's own network]
    model: Option<PathBuf>,
    /// Photos, folders of pictures, CSV files (with labels or without), or - for standard input
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// More networks, whose probabilities are averaged with the first one's
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
    /// Draw boxes, labels and saliency on a photo
    #[arg(long, value_name = "PNG", conflicts_with = "out")]
    draw: Option<PathBuf>,
}

/// One face's answer.
#[derive(Serialize)]
struct Answer<'a> {
    name: String,
    id: String,
    label: usize,
    class: &'a str,
    probability: f32,
    /// Whether the probabilities are calibrated ones.
    calibrated: bool,
    top: Vec<Share<'a>>,
    /// The square that was cut out of a photo, in its pixels.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    frame: Option<Frame>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truth: Option<&'a str>,
}

#[derive(Serialize)]
struct Share<'a> {
    class: &'a str,
    probability: f32,
}

/// What is said of a picture in which no face was found.
#[derive(Serialize)]
struct Faceless {
    name: String,
    faces: usize,
    message: &'static str,
}

pub(super) fn run(mut args: Args) -> Result<()> {
    let model = model_or_input(args.model.take(), &mut args.inputs);
    check(&args)?;
    let models: Vec<PathBuf> = match model {
        None if !args.with.is_empty() => {
            return Err(Error::Usage("--with: name the first network before the inputs".into()));
        }
        model => model.into_iter().chain(args.with.clone()).collect(),
    };
    let ensemble = Ensemble::read(&models)?;
    let seen = args.photos.read(&args.inputs, &args.reading)?;
    seen.require_a_face()?;
    let faces = &seen.faces;
    let predictions = args.averaging.predict(&ensemble, faces)?;
    if let Some(path) = &args.out {
        return write_atomic(path, labels_csv(faces, &predictions)?.as_bytes());
    }
    if let Some(path) = &args.draw {
        write_atomic(path, &drawing(&args.inputs[0], &ensemble, &seen, &predictions)?)?;
    }
    let names = ensemble.classes();
    let calibrated = ensemble.temperature(args.averaging.tta).is_some();
    for i in 0..faces.len() {
        let mut answer = answer(faces, &predictions, &names, i, args.top);
        (answer.calibrated, answer.frame) = (calibrated, seen.frames[i]);
        if args.json { super::print_json(&answer)? } else { super::print(&line(&answer))? }
    }
    for path in &seen.faceless {
        let name = path.display().to_string();
        let none = Faceless { name, faces: 0, message: "no face found" };
        if args.json {
            super::print_json(&none)?
        } else {
            super::print(&format!("{}  {}\n", none.name, none.message))?
        }
    }
    Ok(())
}

/// Refuses what cannot be meant, before any work.
fn check(args: &Args) -> Result<()> {
    if args.inputs.is_empty() {
        let message = "nothing to look at: name a photo, a folder of pictures or a CSV";
        return Err(Error::Usage(message.into()));
    }
    if args.top == 0 {
        return Err(Error::Usage("--top 0: expected at least 1".into()));
    }
    args.out.iter().chain(&args.draw).try_for_each(|path| require_folder_of(path))?;
    match (&args.draw, args.inputs.as_slice()) {
        (None, _) => Ok(()),
        (Some(_), [one]) if is_picture_file(one) || !one.exists() => Ok(()),
        (Some(_), _) => Err(Error::Usage("--draw: expected one PNG or JPEG picture".into())),
    }
}

/// The photo with its boxes, labels and the saliency of the first network, as PNG.
fn drawing(
    photo: &Path,
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
        Drawn { frame: seen.frames[i], label, saliency }
    };
    let faces: Vec<Drawn> = maps.into_iter().enumerate().map(drawn).collect();
    draw(&read_picture(photo)?, &faces)?.to_png()
}

/// SmoothGrad of each face's answer, blurred so that it can be seen from afar, largest magnitude 1.
fn saliency(
    trained: &Trained,
    faces: &Dataset,
    predictions: &Predictions,
) -> Result<Vec<Vec<f32>>> {
    let model = trained.explained()?;
    let gray = trained.network.spec.mean as f32;
    let options = Options::new(vec![gray; PIXELS], 0)?;
    let targets: Vec<Target> =
        (0..faces.len()).map(|i| Target::Class(predictions.class(i))).collect();
    let pixels = super::explained::pixels(trained, faces);
    let maps = attribute(&model, Method::SmoothGrad, &pixels, &targets, &options)?;
    let blurred = maps.iter().map(|map| gaussian_blur(&map.display(None), 1.0));
    let largest = |map: &[f32]| map.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    Ok(blurred.map(|map| map.iter().map(|v| v / largest(&map)).collect()).collect())
}

fn answer<'a>(
    faces: &Dataset,
    predictions: &Predictions,
    names: &[&'a str],
    i: usize,
    top: usize,
) -> Answer<'a> {
    let p = predictions.of(i);
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[b].total_cmp(&p[a]).then(a.cmp(&b)));
    let share = |&c: &usize| Share { class: names[c], probability: p[c] };
    let label = predictions.class(i);
    Answer {
        name: faces.origin(i).to_string(),
        id: faces.id(i),
        label,
        class: names[label],
        probability: p[label],
        calibrated: false,
        frame: None,
        top: order.iter().take(top).map(share).collect(),
        truth: faces.label(i).and_then(|l| names.get(usize::from(l)).copied()),
    }
}

/// `a.png  happy 98.1 %  (neutral 1.2 %, sad 0.4 %)  label sad`.
fn line(answer: &Answer) -> String {
    let share = |class: &str, p: f32| format!("{class} {}", percent(f64::from(p)));
    let mut line = format!("{}  {}", answer.name, share(answer.class, answer.probability));
    let others: Vec<String> =
        answer.top.iter().skip(1).map(|s| share(s.class, s.probability)).collect();
    if !others.is_empty() {
        let _ = write!(line, "  ({})", others.join(", "));
    }
    if let Some(f) = answer.frame {
        let _ = write!(line, "  at {:.0}, {:.0}, {:.0} wide", f.x, f.y, f.side);
    }
    if let Some(truth) = answer.truth {
        let _ = write!(line, "  label {truth}");
    }
    line + "\n"
}

/// `id,label`, one row a face, quoted where a name needs it.
fn labels_csv(faces: &Dataset, predictions: &Predictions) -> Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut rows = vec![["id".to_owned(), "label".to_owned()]];
    rows.extend((0..faces.len()).map(|i| [faces.id(i), predictions.class(i).to_string()]));
    let written = rows.iter().try_for_each(|row| csv.write_record(row));
    written.map_err(|e| Error::Usage(e.to_string()))?;
    let bytes = csv.into_inner().map_err(|e| Error::Usage(e.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
