//! `fer eval`.

use crate::cli::shared::input::{Averaging, Reading, labelled};
use crate::console::{self, eprintln_safe};
use crate::dataset::augment::View;
use crate::model::Ensemble;
use crate::report::{EvaluationReport, write_folder};
use crate::{Error, Result};
use std::path::PathBuf;

/// Arguments of `fer eval`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run folders, weights files or `embedded`; several are averaged [default: the embedded network]
    #[arg(value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// Labelled faces: a CSV (plain or gzip) or a folder of class-named folders [default: the faces
    /// that the first model was validated on]
    #[arg(long)]
    data: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    averaging: Averaging,
    /// Training faces: also judge without their copies [default: those of the first model, where they
    /// are still there]
    #[arg(long, value_name = "DATA")]
    against: Option<PathBuf>,
    /// Judge only the first N faces
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Write charts, sheets of faces, numbers and an index page into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if args.limit == Some(0) {
        return Err(Error::Usage("--limit 0: expected at least 1 face".into()));
    }
    args.out.as_deref().map_or(Ok(()), crate::files::make_folder)?;
    let ensemble = Ensemble::read(&args.models)?;
    let (name, faces) = match &args.data {
        Some(path) => (path.display().to_string(), args.reading.read(path)?),
        None => ("the validation data".into(), ensemble.first().validation_faces()?),
    };
    let (faces, unlabelled) = labelled(faces, args.limit);
    let predictions = args.averaging.predict(&ensemble, &faces)?;
    let features = ensemble.features(&faces)?;
    let mut report =
        EvaluationReport::new(&ensemble, &name, &faces, &predictions, features.as_deref())?;
    report.unlabelled = unlabelled;
    report.views = View::for_prediction(args.averaging.tta).len();
    report.set_calibrated(&ensemble, args.averaging.tta);
    let train = match &args.against {
        Some(path) => Some(args.reading.read(path)?),
        None => ensemble.first().known_training_faces(),
    };
    if let Some(train) = train {
        report.leave_out_copies(&faces, &predictions, &train);
    }
    if unlabelled > 0 {
        eprintln_safe!("{name}: {unlabelled} faces without label are left out");
    }
    if let Some(folder) = &args.out {
        report.explain(&ensemble, &faces)?;
        write_folder(&report, &faces, folder)?;
        eprintln_safe!("written: {}", folder.join("index.html").display());
    }
    if args.json { console::print_json(&report) } else { console::print(&report.to_text()) }
}
