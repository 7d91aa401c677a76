//! The output of `fer predict`: per face a line of text, a JSON object, or a row of a CSV.

use crate::cli::shared::photos::{FaceCrop, InputFaces, numbered};
use crate::dataset::Dataset;
use crate::dataset::clean::duplicates::is_blank;
use crate::model::Predictions;
use crate::photo::{CropBox, FaceLocation};
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

/// The prediction for one face.
#[derive(Serialize)]
struct Prediction<'a> {
    name: String,
    id: String,
    label: usize,
    class: &'a str,
    probability: f32,
    calibrated: bool,
    top: Vec<Share<'a>>,
    /// The square that was cropped from a photo, in pixels of the photo.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    frame: Option<CropBox>,
    /// The score of the face detector, in its own unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    /// Whether the picture was taken whole; missing for rows of a CSV.
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

/// A picture in which no face was detected.
#[derive(Serialize)]
struct NoFace {
    name: String,
    faces: usize,
    message: &'static str,
}

/// The message for a picture that was taken whole, because no face was detected.
const TAKEN_WHOLE: &str = "no face found, taken whole";

/// The message for a picture without content.
const BLANK: &str = "blank: every pixel is the same";

impl FacePredictions<'_> {
    /// Prints all predictions in the order of the inputs, with the photos without a face.
    pub fn print(&self, json: bool) -> Result<()> {
        let mut without_face = self.input.without_face.iter().peekable();
        for i in 0..=self.input.faces.len() {
            while let Some((_, path)) = without_face.next_if(|(before, _)| *before <= i) {
                print_no_face(path, json)?;
            }
            if i < self.input.faces.len() {
                let prediction = self.prediction(i);
                if json {
                    console::print_json(&prediction)?;
                } else {
                    console::print(&line(&prediction, self.input.crops[i]))?;
                }
            }
        }
        Ok(())
    }

    fn prediction(&self, i: usize) -> Prediction<'_> {
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
        Prediction {
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
                Some(FaceLocation::WholeUndetected) => Some(TAKEN_WHOLE),
                _ if is_blank(faces.image(i)) => Some(BLANK),
                _ => None,
            },
            truth: faces.label(i).and_then(|l| self.names.get(usize::from(l)).copied()),
        }
    }
}

/// Prints that no face was detected in a photo.
pub fn print_no_face(path: &Path, json: bool) -> Result<()> {
    let none = NoFace { name: path.display().to_string(), faces: 0, message: "no face found" };
    match json {
        true => console::print_json(&none),
        false => console::print(&format!("{}  {}\n", none.name, none.message)),
    }
}

/// Returns a line such as `a.png#2  happy 98.1 %  (neutral 1.2 %, sad 0.4 %)  left 169, top 60, width 110 px  label sad`.
fn line(prediction: &Prediction, crop: Option<FaceCrop>) -> String {
    let share = |class: &str, p: f32| format!("{class} {}", percent(f64::from(p)));
    let name = numbered(&prediction.name, crop.map_or(1, |crop| crop.number));
    let mut line = format!("{name}  {}", share(prediction.class, prediction.probability));
    let others: Vec<String> =
        prediction.top.iter().skip(1).map(|s| share(s.class, s.probability)).collect();
    if !others.is_empty() {
        let _ = write!(line, "  ({})", others.join(", "));
    }
    if let Some(f) = prediction.frame {
        let _ = write!(line, "  left {:.0}, top {:.0}, width {:.0} px", f.x, f.y, f.side);
    }
    if let Some(message) = prediction.message {
        let _ = write!(line, "  {message}");
    }
    if let Some(truth) = prediction.truth {
        let _ = write!(line, "  label {truth}");
    }
    line + "\n"
}

/// Returns a CSV with the columns id and label, one row per face.
///
/// # Errors
/// [`Error::Usage`] if a row cannot be encoded.
pub fn labels_csv(faces: &Dataset, predictions: &Predictions) -> Result<String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut rows = vec![["id".to_owned(), "label".to_owned()]];
    rows.extend((0..faces.len()).map(|i| [faces.id(i), predictions.class(i).to_string()]));
    let written = rows.iter().try_for_each(|row| csv.write_record(row));
    written.map_err(|e| Error::Usage(e.to_string()))?;
    let bytes = csv.into_inner().map_err(|e| Error::Usage(e.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
