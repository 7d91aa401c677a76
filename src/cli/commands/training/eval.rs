//! `fer eval`: accuracy, confusion and calibration on labelled faces.

use crate::Result;
use crate::cli::shared::input::{Averaging, Reading, labelled};
use crate::cli::shared::network_input::spread;
use crate::cli::shared::output::print_written;
use crate::cli::shared::precision::{noted, precision};
use crate::console::{self, counted, eprintln_safe};
use crate::dataset::augment::View;
use crate::files::with_folder;
use crate::model::Ensemble;
use crate::report::{EvaluationReport, write_evaluation_dir};
use fer_kernels::Precision;
use std::path::PathBuf;

/// Arguments of `fer eval`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  fer eval runs/fer-s-1 --data public_test.csv.gz --tta --out evaluation"
)]
pub struct Args {
    /// Run folders, weights files or `embedded`; the probabilities of several are averaged [default:
    /// the embedded network]
    #[arg(value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// Labelled faces: a CSV (plain or gzip) or a folder with one folder per class [default: the
    /// validation faces of the first model]
    #[arg(long)]
    data: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    averaging: Averaging,
    /// Precision of products: f32 or bf16 (sums are f32)
    #[arg(long, default_value = "f32", hide_default_value = true, value_parser = precision)]
    precision: Precision,
    /// Training faces: also evaluate without their copies [default: those of the first model, if they
    /// are available]
    #[arg(long, value_name = "DATA")]
    train_data: Option<PathBuf>,
    /// Largest number of faces, spread evenly over the data; 0 = all
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    max_faces: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Folder for charts, sheets of faces, numbers and an index page
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    with_folder(args.out.as_deref(), || evaluate(&args))
}

fn evaluate(args: &Args) -> Result<()> {
    let ensemble = Ensemble::read(&args.models)?.with_precision(noted(args.precision));
    let (name, faces) = match &args.data {
        Some(path) => (path.display().to_string(), args.reading.read(path)?),
        None => ("the validation data".into(), ensemble.first().validation_faces()?),
    };
    let (faces, unlabelled) = labelled(faces);
    let faces = spread(faces, args.max_faces);
    let predictions = args.averaging.predict(&ensemble, &faces)?;
    let features = ensemble.features(&faces)?;
    let mut report =
        EvaluationReport::new(&ensemble, &name, &faces, &predictions, features.as_deref())?;
    report.unlabelled = unlabelled;
    report.views = View::for_prediction(args.averaging.tta).len();
    report.set_calibrated(&ensemble, args.averaging.tta);
    let train = match &args.train_data {
        Some(path) => Some(args.reading.read(path)?),
        None => ensemble.first().known_training_faces(),
    };
    if let Some(train) = train {
        report.leave_out_copies(&faces, &predictions, &train);
    }
    if unlabelled > 0 {
        eprintln_safe!("{name}: {} without a label left out", counted(unlabelled, "face"));
    }
    if let Some(folder) = &args.out {
        report.explain(&ensemble, &faces)?;
        write_evaluation_dir(&report, &faces, folder)?;
        print_written(&folder.join("index.html"));
    }
    if args.json { console::print_json(&report) } else { console::print(&report.to_text()) }
}
