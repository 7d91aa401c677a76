//! `fer calibrate`.

use super::input::Reading;
use super::progress;
use crate::error::Result;
use crate::render::numbers::{percent, thousands};
use crate::train::calibrate::{Calibrated, Temperature, clean};
use crate::train::{Ensemble, Trained};
use std::path::PathBuf;

/// Arguments of `fer calibrate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder or a weights file
    model: PathBuf,
    /// Labelled faces that were not trained on; one half fits, the other judges [default: those that
    /// the model was validated on]
    #[arg(long)]
    data: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Result<()> {
    let trained = Trained::read(&args.model)?;
    let faces = match &args.data {
        Some(path) => args.reading.read(path)?,
        None => trained.validation_faces()?,
    };
    let train = trained.training_faces();
    if train.is_err() {
        eprintln!("the training faces are not there, so copies of them cannot be left out");
    }
    let kept = clean(&faces, train.as_ref().ok());
    let bar = progress::bar((kept.len() * (1 + Ensemble::views(true).len())) as u64, "faces");
    let calibrated = Calibrated::fit(&trained, &kept, |done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    calibrated.keep(&args.model)?;
    if args.json {
        return super::print_json(&calibrated);
    }
    let dropped = faces.len() - kept.len();
    let mut text = format!(
        "fitted on {} faces, judged on {} others; {} left out: copies, contradicting labels, or \
         trained on\n",
        thousands(calibrated.fitted_on as u64),
        thousands(calibrated.judged_on as u64),
        thousands(dropped as u64),
    );
    text += &line("one view", &calibrated.plain);
    text += &line("ten views (--tta)", &calibrated.tta);
    text += "kept with the model: predict and eval now print calibrated probabilities\n";
    super::print(&text)
}

fn line(name: &str, t: &Temperature) -> String {
    format!(
        "{name:<18} temperature {:.3}, calibration error {} before, {} after; accuracy {} both times\n",
        t.temperature,
        percent(t.ece_before),
        percent(t.ece_after),
        percent(t.accuracy)
    )
}
