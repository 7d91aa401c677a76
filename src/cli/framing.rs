//! `fer framing`: which square around a found face shows it as the network knows faces.

use super::input::Reading;
use super::progress;
use crate::dataset::picture::Picture;
use crate::dataset::resize::resize;
use crate::dataset::{Dataset, Sample};
use crate::error::{Error, Result};
use crate::photo::frame::{MARGIN, SHIFT};
use crate::photo::{FaceFinder as _, Found, Frame, SeetaFace};
use crate::render::numbers::percent;
use crate::train::{Predictions, Trained, predict};
use crate::{SIDE, dataset::augment::View};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Margins and shifts that are tried, in sides of the found face.
const MARGINS: [f64; 9] = [-0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4];
const SHIFTS: [f64; 5] = [-0.1, -0.05, 0.0, 0.05, 0.1];

/// Side of a face on its canvas, and of the canvas.
const FACE: usize = 3 * SIDE;
const CANVAS: usize = 2 * FACE;

/// Arguments of `fer framing`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder or a weights file [default: the program's own network]
    model: Option<PathBuf>,
    /// Faces of 48×48 as the network was trained on: a CSV or a folder
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// How many faces, spread evenly over the data
    #[arg(long, default_value_t = 300)]
    faces: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was measured.
#[derive(Serialize)]
struct Measured {
    faces: usize,
    found: usize,
    /// Mean of (side of the whole face / side of the found one) − 1, and of the shift of the middles.
    mean_margin: f64,
    mean_shift: f64,
    /// Share of faces that are judged as they are uncut, by margin and shift.
    agreement: Vec<Agreement>,
}

#[derive(Clone, Serialize)]
struct Agreement {
    margin: f64,
    shift: f64,
    agreement: f64,
}

pub(super) fn run(args: Args) -> Result<()> {
    let trained = Trained::read_or_own(args.model.as_deref())?;
    let faces = super::explained::spread(args.reading.read(&args.data)?, args.faces);
    let measured = measure(&trained, &faces)?;
    if args.json { super::print_json(&measured) } else { super::print(&text(&measured)) }
}

/// Puts each face on a canvas, finds it there, cuts it out in many ways, and compares the judgements.
fn measure(trained: &Trained, faces: &Dataset) -> Result<Measured> {
    let finder = SeetaFace::new()?;
    let bar = progress::bar((faces.len() + MARGINS.len() * SHIFTS.len()) as u64, "framing");
    let mut all: Vec<(usize, Picture, Found)> = Vec::new();
    for i in 0..faces.len() {
        let canvas = on_canvas(faces.image(i));
        let best = finder.find(&canvas).into_iter().max_by(|a, b| a.score.total_cmp(&b.score));
        all.extend(best.map(|found| (i, canvas, found)));
        bar.inc(1);
    }
    if all.is_empty() {
        return Err(Error::Failed("no face was found on any canvas".into()));
    }
    let judge =
        |set: &Dataset| predict(&trained.network, set, &[View::PLAIN], trained.equalize(), |_| {});
    let uncut = judge(&faces.select(&all.iter().map(|(i, ..)| *i).collect::<Vec<_>>()))?;
    let mut agreement = Vec::new();
    for margin in MARGINS {
        for shift in SHIFTS {
            let cut = judge(&cut_all(&all, margin, shift))?;
            agreement.push(Agreement { margin, shift, agreement: share_equal(&uncut, &cut) });
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let n = all.len() as f64;
    let middle = |f: &Found| f.y + f.side / 2.0;
    let whole = CANVAS as f64 / 2.0;
    Ok(Measured {
        faces: faces.len(),
        found: all.len(),
        mean_margin: all.iter().map(|(.., f)| FACE as f64 / f.side - 1.0).sum::<f64>() / n,
        mean_shift: all.iter().map(|(.., f)| (whole - middle(f)) / f.side).sum::<f64>() / n,
        agreement,
    })
}

/// The face in the middle of a canvas of its mean gray.
fn on_canvas(image: &[u8]) -> Picture {
    let mean = image.iter().map(|&p| usize::from(p)).sum::<usize>() / image.len();
    let large = resize(image, SIDE, SIDE, FACE, FACE);
    let mut gray = vec![mean as u8; CANVAS * CANVAS];
    let edge = (CANVAS - FACE) / 2;
    for (row, face) in gray.chunks_mut(CANVAS).skip(edge).zip(large.chunks(FACE)) {
        row[edge..edge + FACE].copy_from_slice(face);
    }
    Picture { width: CANVAS, height: CANVAS, gray }
}

fn cut_all(all: &[(usize, Picture, Found)], margin: f64, shift: f64) -> Dataset {
    let mut set = Dataset::new();
    let source = set.add_source("cut");
    for (_, canvas, found) in all {
        let pixels = Frame::with(found, margin, shift).cut(canvas);
        set.push(&pixels, Sample::default(), source);
    }
    set
}

fn share_equal(a: &Predictions, b: &Predictions) -> f64 {
    let equal = (0..a.len()).filter(|&i| a.class(i) == b.class(i)).count();
    equal as f64 / a.len().max(1) as f64
}

fn text(m: &Measured) -> String {
    let mut text = format!(
        "{} of {} faces found on their canvas; a whole face is {:+.2} sides larger than the found \
         one, its middle {:+.3} sides lower\n\nshare judged as uncut, by margin (down) and shift \
         (across)\nmargin",
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
