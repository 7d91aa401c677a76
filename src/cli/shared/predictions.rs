//! The output of `fer predict`: per face a line of text, a JSON object, or a row of a CSV.

use crate::cli::shared::photos::InputFaces;
use crate::dataset::Dataset;
use crate::dataset::clean::duplicates::is_blank;
use crate::error::one_line;
use crate::model::Predictions;
use crate::photo::{CropBox, DOUBTFUL_SCORE, FaceLocation};
use crate::render::format::percent;
use crate::{Error, Result, console};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;

/// Predictions to print.
pub struct FacePredictions<'a> {
    /// The faces.
    pub input: &'a InputFaces,
    /// Their probabilities.
    pub predictions: &'a Predictions,
    /// Names of the classes.
    pub names: &'a [&'a str],
    /// Number of classes to print per face.
    pub top: usize,
    /// Whether the probabilities are calibrated ones.
    pub calibrated: bool,
}

/// The answer for one face, or for a picture without one. Every answer has the same keys.
#[derive(Default, Serialize)]
struct Answer<'a> {
    /// `photo.jpg#2` for a face of a photo, `photo.jpg` for a picture, `faces.csv:7` for a row.
    name: String,
    id: Option<String>,
    label: Option<usize>,
    class: Option<&'a str>,
    probability: Option<f32>,
    calibrated: bool,
    top: Vec<Share<'a>>,
    /// The square that was cropped from a photo, in pixels of the photo.
    #[serde(rename = "box")]
    frame: Option<CropBox>,
    /// Turn of the face in the photo, in degrees clockwise: 0, 90, 180 or 270.
    turn: Option<u32>,
    /// The score of the face detector, in its own unit.
    score: Option<f64>,
    /// Whether the score is so low that the box may hold no face.
    doubtful: bool,
    /// Whether the picture was taken whole; null for rows of a CSV.
    whole: Option<bool>,
    message: Option<String>,
    /// The label in the data.
    truth: Option<&'a str>,
    /// Number of faces that the answer is about: 1, or 0 for a picture without a face or a file
    /// that cannot be read.
    faces: usize,
}

#[derive(Serialize)]
struct Share<'a> {
    class: &'a str,
    probability: f32,
}

/// The message for a picture that was taken whole, because no face was detected.
const TAKEN_WHOLE: &str = "no face found, taken whole";

/// The message for a picture without content.
const BLANK: &str = "blank: every pixel is the same";

impl FacePredictions<'_> {
    /// Prints all answers in the order of the inputs, with the photos without a face; in JSON also
    /// the files that cannot be read, which are otherwise listed at the end.
    pub fn print(&self, json: bool) -> Result<()> {
        let mut without_face = self.input.without_face.iter().peekable();
        let mut failures = self.input.failures.iter().peekable();
        for i in 0..=self.input.faces.len() {
            while let Some((_, path)) = without_face.next_if(|(before, _)| *before <= i) {
                self.print_answer(&nothing(path, "no face found".into()), json)?;
            }
            while let Some((_, path, e)) = failures.next_if(|(before, ..)| *before <= i) {
                if json {
                    self.print_answer(&nothing(path, e.to_string()), true)?;
                }
            }
            if i < self.input.faces.len() {
                self.print_answer(&self.answer(i), json)?;
            }
        }
        Ok(())
    }

    fn print_answer(&self, answer: &Answer<'_>, json: bool) -> Result<()> {
        match json {
            true => console::print_json(answer),
            false => console::print(&line(answer)),
        }
    }

    fn answer(&self, i: usize) -> Answer<'_> {
        let (faces, p) = (&self.input.faces, self.predictions.of(i));
        let mut order: Vec<usize> = (0..p.len()).collect();
        order.sort_by(|&a, &b| p[b].total_cmp(&p[a]).then(a.cmp(&b)));
        let share = |&c: &usize| Share { class: self.names[c], probability: p[c] };
        let label = self.predictions.class(i);
        let place = self.input.crops[i].map(|crop| crop.location);
        let score = match place {
            Some(FaceLocation::Detected(_, score)) => Some((score * 100.0).round() / 100.0),
            _ => None,
        };
        let doubtful = place.is_some_and(|place| place.is_doubtful());
        let name = faces.origin(i).to_string();
        Answer {
            name: self.input.crops[i].map_or_else(|| name.clone(), |crop| crop.name(&name)),
            id: Some(faces.id(i)),
            label: Some(label),
            class: Some(self.names[label]),
            probability: Some(p[label]),
            calibrated: self.calibrated,
            top: order.iter().take(self.top).map(share).collect(),
            frame: place.and_then(|place| place.crop_box()),
            turn: self.input.crops[i].map(|crop| crop.turn.degrees()),
            score,
            doubtful,
            faces: 1,
            whole: place.map(|place| place.crop_box().is_none()),
            message: match place {
                Some(FaceLocation::WholeUndetected) => Some(TAKEN_WHOLE.into()),
                _ if is_blank(faces.image(i)) => Some(BLANK.into()),
                _ if doubtful => Some(format!(
                    "doubtful: the detector's score is {:.1}, that of most faces above \
                     {DOUBTFUL_SCORE}",
                    score.unwrap_or(0.0)
                )),
                _ => None,
            },
            truth: faces.label(i).and_then(|l| self.names.get(usize::from(l)).copied()),
        }
    }
}

/// The answer for a picture without a face, or a file that cannot be read.
fn nothing(path: &Path, message: String) -> Answer<'static> {
    Answer { name: path.display().to_string(), message: Some(message), ..Answer::default() }
}

/// Returns a line such as `a.png#2  happy 98.1 %  (neutral 1.2 %, sad 0.4 %)  left 169, top 60, width 110 px  label sad`.
fn line(prediction: &Answer<'_>) -> String {
    let share = |class: &str, p: f32| format!("{class} {}", percent(f64::from(p)));
    let mut line = one_line(&prediction.name);
    if let (Some(class), Some(probability)) = (prediction.class, prediction.probability) {
        let _ = write!(line, "  {}", share(class, probability));
    }
    let others: Vec<String> =
        prediction.top.iter().skip(1).map(|s| share(s.class, s.probability)).collect();
    if !others.is_empty() {
        let _ = write!(line, "  ({})", others.join(", "));
    }
    if let Some(f) = prediction.frame {
        let _ = write!(line, "  left {:.0}, top {:.0}, width {:.0} px", f.x, f.y, f.side);
    }
    if let Some(turn) = prediction.turn.filter(|turn| *turn > 0) {
        let _ = write!(line, ", turned by {turn}°");
    }
    if let Some(message) = &prediction.message {
        let _ = write!(line, "  {message}");
    }
    if let Some(truth) = prediction.truth {
        let _ = write!(line, "  label {truth}");
    }
    line + "\n"
}

/// Returns the header of the CSV: id, label, class, then the probability of each class.
///
/// # Errors
/// [`Error::Usage`] if a name cannot be encoded.
pub fn csv_header(names: &[&str]) -> Result<String> {
    csv_rows(std::iter::once(["id", "label", "class"].iter().chain(names).map(|&n| n.to_owned())))
}

/// Returns a row of the CSV for each face.
///
/// # Errors
/// [`Error::Usage`] if a row cannot be encoded.
pub fn csv_of(faces: &Dataset, predictions: &Predictions, names: &[&str]) -> Result<String> {
    csv_rows((0..faces.len()).map(|i| {
        let class = predictions.class(i);
        let head = [faces.id(i), class.to_string(), names[class].to_owned()];
        head.into_iter().chain(predictions.of(i).iter().map(f32::to_string))
    }))
}

fn csv_rows(rows: impl Iterator<Item = impl Iterator<Item = String>>) -> Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut rows = rows;
    let written = rows.try_for_each(|row| csv.write_record(row));
    written.map_err(|e| Error::Usage(e.to_string()))?;
    let bytes = csv.into_inner().map_err(|e| Error::Usage(e.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
