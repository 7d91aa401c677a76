//! `fer curves`: accuracy and loss over the epochs.

use crate::cli::shared::input::theme;
use crate::files::distinct_names;
use crate::monitor::run_charts::curve_chart;
use crate::render::chart::{ChartOptions, Epoch};
use crate::render::{terminal, write};
use crate::train::history::read_metrics;
use crate::{Result, console};
use std::path::PathBuf;

/// Width of curves in the terminal.
const COLUMNS: usize = 100;

/// Arguments of `fer curves`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fer curves runs/fer-s-1 runs/fer-s-2 --out curves.svg")]
pub struct Args {
    /// Run folders or metrics.csv files, drawn into one chart
    #[arg(required = true, value_name = "RUN")]
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
        runs.push((name, read_metrics(run)?));
    }
    match &args.out {
        Some(path) => {
            let chart = curve_chart(&runs, ChartOptions::new(theme(args.dark)))?;
            write::write_scene(&chart, "Accuracy and loss", path)
        }
        None => runs.iter().try_for_each(|(name, history)| {
            let epochs: Vec<Epoch> = history.iter().map(Epoch::from).collect();
            let drawing = terminal::curves(&epochs, COLUMNS, terminal::color_wanted());
            console::print_drawing(&format!("{}\n{drawing}", console::printable(name)))
        }),
    }
}
