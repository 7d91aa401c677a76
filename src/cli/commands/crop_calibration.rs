//! `fer crop-calibration`: which square around a detected face shows it like the training faces.

use crate::cli::shared::input::Reading;
use crate::cli::shared::progress;
use crate::dataset::Dataset;
use crate::dataset::augment::View;
use crate::model::{LoadedModel, predict};
use crate::photo::crop::{MARGIN, SHIFT};
use crate::photo::crop_calibration::{self, CropCalibration, SHIFTS};
use crate::render::format::percent;
use crate::{Result, console};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Arguments of `fer crop-calibration`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  fer crop-calibration --data public_test.csv.gz --max-faces 0")]
pub struct Args {
    /// A run folder or a weights file [default: the embedded network]
    model: Option<PathBuf>,
    /// Faces cropped like the training faces, 48×48: a CSV or a folder
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Largest number of faces, spread evenly over the data; 0 = all
    #[arg(long, default_value_t = 300)]
    max_faces: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let trained = LoadedModel::read_or_embedded(args.model.as_deref())?;
    let faces =
        crate::cli::shared::network_input::spread(args.reading.read(&args.data)?, args.max_faces);
    let bar = progress::bar(crop_calibration::num_steps(&faces) as u64, "crops");
    let classify = |set: &Dataset| {
        let all = predict(&trained.network, set, &[View::PLAIN], trained.equalize, |_| {})?;
        Ok((0..all.len()).map(|i| all.class(i)).collect())
    };
    let measured = crop_calibration::measure(&faces, classify, || bar.inc(1))?;
    bar.finish_and_clear();
    if args.json { console::print_json(&measured) } else { console::print(&text(&measured)) }
}

fn text(m: &CropCalibration) -> String {
    let mut text = format!(
        "{} of {} faces detected on their canvas; a whole face is {:+.2} sides larger than the \
         detected box, its centre {:+.3} sides lower\n\nshare of faces classified like the uncropped \
         face, by margin (rows) and shift (columns)\nmargin",
        m.found, m.faces, m.mean_margin, m.mean_shift
    );
    for shift in SHIFTS {
        let _ = write!(text, "{shift:>9.2}");
    }
    for row in m.agreement.chunks(SHIFTS.len()) {
        let _ = write!(text, "\n{:>6.2}", row[0].margin);
        for a in row {
            let _ = write!(text, "{:>9}", percent(a.agreement));
        }
    }
    let best = m
        .agreement
        .iter()
        .fold(&m.agreement[0], |best, a| if a.agreement > best.agreement { a } else { best });
    let _ = writeln!(
        text,
        "\n\nbest: margin {:.2}, shift {:.2}, {}; the program uses margin {MARGIN}, shift {SHIFT}",
        best.margin,
        best.shift,
        percent(best.agreement)
    );
    text
}
