//! `fer predict`.

use super::input::{Averaging, Reading};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::files::{require_folder_of, write_atomic};
use crate::render::numbers::percent;
use crate::train::{Ensemble, Predictions};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Arguments of `fer predict`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder or a weights file
    model: PathBuf,
    /// Pictures, folders of pictures, CSV files (with labels or without), or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// More networks, whose probabilities are averaged with the first one's
    #[arg(long, value_name = "MODEL")]
    with: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    averaging: Averaging,
    /// Name the K most probable expressions
    #[arg(long, value_name = "K", default_value_t = 3)]
    top: usize,
    /// Print one JSON object a face
    #[arg(long)]
    json: bool,
    /// Write a CSV with the columns id and label instead
    #[arg(long, value_name = "CSV", conflicts_with = "json")]
    out: Option<PathBuf>,
}

/// One face's answer.
#[derive(Serialize)]
struct Answer<'a> {
    name: String,
    id: String,
    label: usize,
    class: &'a str,
    probability: f32,
    top: Vec<Share<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truth: Option<&'a str>,
}

#[derive(Serialize)]
struct Share<'a> {
    class: &'a str,
    probability: f32,
}

pub(super) fn run(args: Args) -> Result<()> {
    if args.top == 0 {
        return Err(Error::Usage("--top 0: expected at least 1".into()));
    }
    if let Some(path) = &args.out {
        require_folder_of(path)?;
    }
    let models: Vec<PathBuf> = [vec![args.model.clone()], args.with.clone()].concat();
    let ensemble = Ensemble::read(&models)?;
    let mut faces = Dataset::new();
    for input in &args.inputs {
        faces.append(args.reading.read_pictures(input)?);
    }
    let predictions = args.averaging.predict(&ensemble, &faces)?;
    let names = ensemble.classes();
    if let Some(path) = &args.out {
        return write_atomic(path, labels_csv(&faces, &predictions)?.as_bytes());
    }
    for i in 0..faces.len() {
        let answer = answer(&faces, &predictions, &names, i, args.top);
        if args.json { super::print_json(&answer)? } else { super::print(&line(&answer))? }
    }
    Ok(())
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
