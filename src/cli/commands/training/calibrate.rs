//! `fer calibrate`: softmax temperature, fitted on held-out faces.

use crate::cli::shared::input::Reading;
use crate::cli::shared::progress;
use crate::console::{self, eprintln_safe};
use crate::dataset::augment::View;
use crate::model::calibration::{Temperature, held_out_faces};
use crate::model::weights::network_file::is_embedded;
use crate::model::{Calibration, LoadedModel};
use crate::render::format::{percent, thousands};
use crate::{Error, Result};
use std::path::PathBuf;

/// Arguments of `fer calibrate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fer calibrate runs/fer-s-1")]
pub struct Args {
    /// A run folder or a weights file
    model: PathBuf,
    /// Labelled faces that the model was not trained on; the temperature of each half is evaluated on
    /// the other half [default: the validation faces of the model]
    #[arg(long)]
    data: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Training faces, whose copies are left out [default: those of the model, if they are available]
    #[arg(long, value_name = "DATA")]
    train_data: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if is_embedded(&args.model) {
        let detail = "the embedded network is already calibrated and cannot be written to; \
                      expected a run folder or a weights file";
        return Err(Error::Usage(detail.into()));
    }
    let trained = LoadedModel::read(&args.model)?;
    let faces = match &args.data {
        Some(path) => args.reading.read(path)?,
        None => trained.validation_faces()?,
    };
    let train = match &args.train_data {
        Some(path) => Some(args.reading.read(path)?),
        None => trained.training_faces().ok(),
    };
    if train.is_none() {
        eprintln_safe!(
            "the training faces are not available, so copies of them cannot be left out; name them \
             with --train-data"
        );
    }
    let kept = held_out_faces(&faces, train.as_ref());
    let bar = progress::bar(
        (kept.len() * (1 + View::for_prediction(true).len())) as u64,
        "views of faces",
    );
    let calibrated = Calibration::fit(&trained, &kept, |done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    calibrated.write(&args.model)?;
    if args.json {
        return console::print_json(&calibrated);
    }
    console::print(&text(&calibrated, faces.len() - kept.len()))
}

fn text(calibrated: &Calibration, dropped: usize) -> String {
    let mut text = format!(
        "fitted on {} faces, each half evaluated with the temperature of the other; {} left out: \
         copies, contradicting labels, or training faces\n",
        thousands(calibrated.fitted_on as u64),
        thousands(dropped as u64),
    );
    let ways = [("one view", &calibrated.plain), ("ten views (--tta)", &calibrated.tta)];
    text.extend(ways.map(|(name, t)| line(name, t)));
    text += "saved with the model: predict and eval now print ";
    text += match ways.map(|(_, t)| t.gained()) {
        [true, true] => "calibrated probabilities\n",
        [true, false] => "calibrated probabilities for one view\n",
        [false, true] => "calibrated probabilities for ten views\n",
        [false, false] => "uncalibrated probabilities, as before\n",
    };
    text
}

fn line(name: &str, t: &Temperature) -> String {
    let (before, after, accuracy) =
        (percent(t.ece_before), percent(t.ece_after), percent(t.accuracy));
    match t.gained() {
        true => format!(
            "{name:<18} temperature {:.3}, calibration error {before} before, {after} after; \
             accuracy {accuracy} both times\n",
            t.temperature
        ),
        false => format!(
            "{name:<18} no gain (calibration error {before} before, {after} after): probabilities \
             stay uncalibrated; accuracy {accuracy}\n"
        ),
    }
}
