//! `fer curves`: accuracy and loss over the epochs.

use crate::cli::shared::input::{is_model, theme};
use crate::cli::shared::output::write_scene;
use crate::files::distinct_names;
use crate::model::LoadedModel;
use crate::model::weights::network_file::{EMBEDDED, is_embedded};
use crate::monitor::run_charts::curve_chart;
use crate::render::chart::{ChartOptions, Epoch};
use crate::render::{terminal, write};
use crate::train::EpochMetrics;
use crate::train::history::{history_of, read_metrics};
use crate::{Error, Result, console};
use std::path::{Path, PathBuf};

/// Width of curves in the terminal.
const COLUMNS: usize = 100;

/// Arguments of `fer curves`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fer curves runs/fer-s-1 runs/fer-s-2 --out curves.svg")]
pub struct Args {
    /// Run folders, weights files with the history of their training, or metrics.csv files, drawn into
    /// one chart [default: the embedded network]
    #[arg(value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Picture to write, .png or .svg [default: draw in the terminal]
    #[arg(long, value_name = "PICTURE")]
    out: Option<PathBuf>,
    /// Use the dark theme
    #[arg(long)]
    dark: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    args.out.as_deref().map_or(Ok(()), write::check_name)?;
    let mut runs = Vec::new();
    for (run, name) in args.runs.iter().zip(distinct_names(&args.runs)) {
        runs.push((name, history(run)?));
    }
    if args.runs.is_empty() {
        runs.push((EMBEDDED.into(), history(Path::new(EMBEDDED))?));
    }
    match &args.out {
        Some(path) => {
            let chart = curve_chart(&runs, ChartOptions::new(theme(args.dark)))?;
            write_scene(&chart, "Accuracy and loss", path)
        }
        None => runs.iter().try_for_each(|(name, history)| {
            let epochs: Vec<Epoch> = history.iter().map(Epoch::from).collect();
            let drawing = terminal::curves(&epochs, COLUMNS, terminal::color_wanted());
            console::print_drawing(&format!("{}\n{drawing}", console::printable(name)))
        }),
    }
}

/// Returns the epochs of a run folder, of a weights file, or of a `metrics.csv`.
fn history(run: &Path) -> Result<Vec<EpochMetrics>> {
    if run.is_dir() || !(is_model(run) || is_embedded(run)) {
        return read_metrics(run);
    }
    let history = history_of(&LoadedModel::read(run)?);
    match history.is_empty() {
        true => Err(Error::model(
            run,
            "holds no history of its training; name the run folder, or export it anew",
        )),
        false => Ok(history),
    }
}
