//! `fer export`: ONNX or safetensors for other programs.

use crate::cli::shared::network_input::{labels, pixels, spread};
use crate::cli::shared::output::{differ, keep_inputs};
use crate::cli::shared::progress;
use crate::console::eprintln_safe;
use crate::dataset::source::read_faces;
use crate::error::Shown as _;
use crate::explain::filters::stored::{STORED_EDGES, measure_statistics};
use crate::explain::filters::training_faces::TrainingFaces;
use crate::export::onnx::to_onnx;
use crate::files::{FileSet, require_folder_of};
use crate::model::LoadedModel;
use crate::model::weights::stored_statistics::StoredStatistics;
use crate::render::format::thousands;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Arguments of `fer export`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  fer export runs/fer-s-1 --onnx fer.onnx --weights fer.safetensors --half"
)]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    /// Write the network as ONNX: input `pixels` [N, 1, 48, 48] in 0 to 1, outputs `logits` and
    /// `probabilities`
    #[arg(long, value_name = "FILE")]
    onnx: Option<PathBuf>,
    /// Write the weights (averaged, if the training averaged them) as safetensors, which every command
    /// takes as MODEL
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Write the weights in half precision: half the size
    #[arg(long, requires = "weights")]
    half: bool,
    /// Measure what explanations need on these training faces (a CSV or a folder) and write it into the
    /// weights: mean face, spectrum, and of each filter the classes and regions of its strongest faces.
    /// Numbers only, no picture
    #[arg(long, value_name = "FACES", requires = "weights")]
    statistics: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if args.onnx.is_none() && args.weights.is_none() {
        return Err(Error::Usage("nothing to write: name a file with --onnx or --weights".into()));
    }
    let outputs = || args.onnx.iter().chain(&args.weights);
    outputs().try_for_each(|path| require_folder_of(path))?;
    if let (Some(onnx), Some(weights)) = (&args.onnx, &args.weights) {
        differ(onnx, weights, "--onnx and --weights")?;
    }
    let read = read_from(args.model.as_deref());
    keep_inputs(outputs(), &read.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
    let mut trained = LoadedModel::read_or_embedded(args.model.as_deref())?;
    if let Some(faces) = &args.statistics {
        trained.statistics = Some(measured(&trained, faces)?);
    }
    let mut files = FileSet::default();
    let mut written = Vec::new();
    let mut add = |path: &Path, bytes: &[u8]| {
        written.push(format!("{}: {} bytes", path.shown(), thousands(bytes.len() as u64)));
        files.add(path, bytes)
    };
    if let Some(path) = &args.weights {
        add(path, &trained.to_archive(args.half)?.to_bytes()?)?;
    }
    if let Some(path) = &args.onnx {
        let temperature = trained.temperature(false).unwrap_or(1.0);
        let notes = [("equalize", trained.equalize.to_string())];
        add(path, &to_onnx(&trained.network, temperature, &notes)?)?;
    }
    files.commit()?;
    written.iter().for_each(|line| eprintln_safe!("{line}"));
    if args.onnx.is_some() && trained.equalize {
        eprintln_safe!(
            "this network expects histogram-equalised faces, and the ONNX graph does not equalise \
             them: do it before (metadata: equalize = true)"
        );
    }
    Ok(())
}

/// Training faces of which statistics are measured.
const MEASURED: usize = 4_000;

/// Measures the statistics of the training faces, with a progress bar.
fn measured(trained: &LoadedModel, faces: &Path) -> Result<StoredStatistics> {
    let faces = spread(read_faces(faces, false)?, MEASURED);
    let (pixels, labels) = (pixels(trained, &faces), labels(&faces));
    let training = TrainingFaces::new(&pixels, &labels, STORED_EDGES)?;
    let model = trained.classifier()?;
    let bar = progress::bar(training.labels.len() as u64, "faces");
    let stored = measure_statistics(&model, &training, &mut |faces| bar.inc(faces as u64));
    bar.finish_and_clear();
    stored
}

/// Returns the files that the network may be read from. An export must not replace them: exported
/// weights cannot be resumed, and may have half the precision.
fn read_from(model: Option<&Path>) -> Vec<PathBuf> {
    let in_run = |run: &Path| ["last.safetensors", "best.safetensors"].map(|name| run.join(name));
    match model {
        None => vec![],
        Some(run) if run.is_dir() => in_run(run).into(),
        Some(file) => vec![file.into()],
    }
}
