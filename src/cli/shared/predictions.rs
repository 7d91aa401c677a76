//! What `fer predict` says of a face: a line of text, a JSON object, or a row of a CSV.

use crate::cli::shared::photos::{Cut, Seen, numbered};
use crate::console;
use crate::dataset::Dataset;
use crate::dataset::clean::duplicates::is_blank;
use crate::model::Predictions;
use crate::photo::{CropBox, FaceLocation};
use crate::render::format::percent;
use crate::{Error, Result};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;

/// How the answers are put.
pub struct Answers<'a> {
    /// The faces.
    pub seen: &'a Seen,
    /// Their probabilities.
    pub predictions: &'a Predictions,
    /// Names of the classes.
    pub names: &'a [&'a str],
    /// How many classes of a face are named.
    pub top: usize,
    /// Whether the probabilities are calibrated ones.
    pub calibrated: bool,
}

/// One face's answer.
#[derive(Serialize)]
struct Answer<'a> {
    name: String,
    id: String,
    label: usize,
    class: &'a str,
    probability: f32,
    calibrated: bool,
    top: Vec<Share<'a>>,
    /// The square that was cut out of a photo, in its pixels.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    frame: Option<CropBox>,
    /// How sure the face finder is, in its own unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    /// Whether the picture was taken whole; left out for rows of a CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    whole: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truth: Option<&'a str>,
}

#[derive(Serialize)]
struct Share<'a> {
    class: &'a str,
    probability: f32,
}

/// What is said of a picture in which no face was found.
#[derive(Serialize)]
struct Faceless {
    name: String,
    faces: usize,
    message: &'static str,
}

/// What is said of one that was taken whole for that reason.
const UNFOUND: &str = "no face found, taken whole";

/// What is said of a face that shows nothing, whatever the network answers.
const BLANK: &str = "blank: every pixel is the same";

impl Answers<'_> {
    /// Prints all of them in the order of the inputs, photos without a face among them.
    ///
    /// # Errors
    /// [`Error::Io`] if nobody reads them.
    pub fn print(&self, json: bool) -> Result<()> {
        let mut faceless = self.seen.faceless.iter().peekable();
        for i in 0..=self.seen.faces.len() {
            while let Some((_, path)) = faceless.next_if(|(before, _)| *before <= i) {
                print_faceless(path, json)?;
            }
            if i < self.seen.faces.len() {
                let answer = self.answer(i);
                if json {
                    console::print_json(&answer)?;
                } else {
                    console::print(&line(&answer, self.seen.cuts[i]))?;
                }
            }
        }
        Ok(())
    }

    fn answer(&self, i: usize) -> Answer<'_> {
        let (faces, p) = (&self.seen.faces, self.predictions.of(i));
        let mut order: Vec<usize> = (0..p.len()).collect();
        order.sort_by(|&a, &b| p[b].total_cmp(&p[a]).then(a.cmp(&b)));
        let share = |&c: &usize| Share { class: self.names[c], probability: p[c] };
        let label = self.predictions.class(i);
        let place = self.seen.cuts[i].map(|cut| cut.location);
        let score = match place {
            Some(FaceLocation::Detected(_, score)) => Some((score * 100.0).round() / 100.0),
            _ => None,
        };
        Answer {
            name: faces.origin(i).to_string(),
            id: faces.id(i),
            label,
            class: self.names[label],
            probability: p[label],
            calibrated: self.calibrated,
            top: order.iter().take(self.top).map(share).collect(),
            frame: place.and_then(|place| place.crop_box()),
            score,
            whole: place.map(|place| place.crop_box().is_none()),
            message: match place {
                Some(FaceLocation::WholeUndetected) => Some(UNFOUND),
                _ if is_blank(faces.image(i)) => Some(BLANK),
                _ => None,
            },
            truth: faces.label(i).and_then(|l| self.names.get(usize::from(l)).copied()),
        }
    }
}

/// Says of a photo that no face was found in it.
///
/// # Errors
/// [`Error::Io`] if nobody reads it.
pub fn print_faceless(path: &Path, json: bool) -> Result<()> {
    let none = Faceless { name: path.display().to_string(), faces: 0, message: "no face found" };
    match json {
        true => console::print_json(&none),
        false => console::print(&format!("{}  {}\n", none.name, none.message)),
    }
}

/// `a.png#2  happy 98.1 %  (neutral 1.2 %, sad 0.4 %)  left 169, top 60, width 110 px  label sad`.
fn line(answer: &Answer, cut: Option<Cut>) -> String {
    let share = |class: &str, p: f32| format!("{class} {}", percent(f64::from(p)));
    let name = numbered(&answer.name, cut.map_or(1, |cut| cut.number));
    let mut line = format!("{name}  {}", share(answer.class, answer.probability));
    let others: Vec<String> =
        answer.top.iter().skip(1).map(|s| share(s.class, s.probability)).collect();
    if !others.is_empty() {
        let _ = write!(line, "  ({})", others.join(", "));
    }
    if let Some(f) = answer.frame {
        let _ = write!(line, "  left {:.0}, top {:.0}, width {:.0} px", f.x, f.y, f.side);
    }
    if let Some(message) = answer.message {
        let _ = write!(line, "  {message}");
    }
    if let Some(truth) = answer.truth {
        let _ = write!(line, "  label {truth}");
    }
    line + "\n"
}

/// `id,label`, one row a face, quoted where a name needs it.
///
/// # Errors
/// [`Error::Usage`] if a row cannot be written, which none can be.
pub fn labels_csv(faces: &Dataset, predictions: &Predictions) -> Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut rows = vec![["id".to_owned(), "label".to_owned()]];
    rows.extend((0..faces.len()).map(|i| [faces.id(i), predictions.class(i).to_string()]));
    let written = rows.iter().try_for_each(|row| csv.write_record(row));
    written.map_err(|e| Error::Usage(e.to_string()))?;
    let bytes = csv.into_inner().map_err(|e| Error::Usage(e.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
