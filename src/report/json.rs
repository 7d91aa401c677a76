//! Explanations of faces as one JSON object.

use crate::explain::{Attribution, Note};
use crate::report::PredictedFace;
use crate::report::face::name;
use serde::Serialize;

/// Explanations of several faces.
#[derive(Clone, Debug, Serialize)]
pub struct ExplanationsJson {
    /// Name of the network.
    pub model: String,
    /// Whether the probabilities are calibrated.
    pub calibrated: bool,
    /// The faces.
    pub faces: Vec<FaceJson>,
}

/// One face with its explanations.
#[derive(Clone, Debug, Serialize)]
pub struct FaceJson {
    /// File and line, or file name, of the face.
    pub origin: String,
    /// Label, if known.
    pub label: Option<String>,
    /// The most probable class.
    pub predicted: String,
    /// Its probability.
    pub probability: f32,
    /// One explanation per method.
    pub explanations: Vec<ExplanationJson>,
}

/// Explanation of one face by one method.
#[derive(Clone, Debug, Serialize)]
pub struct ExplanationJson {
    /// Name of the method on the command line.
    pub method: String,
    /// Description of the target.
    pub target: String,
    /// Class of the target.
    pub class: String,
    /// Score of the target: a logit, a loss, or a probability.
    pub score: f32,
    /// Probability of the class.
    pub probability: f32,
    /// Largest magnitude in the map.
    pub raw_max: f32,
    /// 99th percentile of the magnitudes.
    pub scale: f32,
    /// Sum of the map.
    pub sum: f64,
    /// What a caption says.
    pub notes: Vec<String>,
    /// Reason why there is no map.
    pub refused: Option<String>,
}

impl ExplanationsJson {
    /// Collects explanations; `found[m][i]` explains `faces[i]` by method `m`.
    pub fn new(
        model: &str,
        calibrated: bool,
        names: &[&str],
        faces: &[PredictedFace],
        found: &[Vec<Attribution>],
    ) -> ExplanationsJson {
        let one = |(i, face): (usize, &PredictedFace)| FaceJson {
            origin: face.origin.clone(),
            label: face.label.map(|c| name(names, c).into()),
            predicted: name(names, face.predicted).into(),
            probability: face.probability,
            explanations: found.iter().map(|m| explanation(&m[i], names)).collect(),
        };
        let faces = faces.iter().enumerate().map(one).collect();
        ExplanationsJson { model: model.into(), calibrated, faces }
    }
}

fn explanation(a: &Attribution, names: &[&str]) -> ExplanationJson {
    let class = name(names, a.class);
    ExplanationJson {
        method: a.method.name().into(),
        target: match a.method.explains_probability() {
            true => format!("probability of {class}"),
            false => a.target.describe(class),
        },
        class: class.into(),
        score: if a.method.explains_probability() { a.probability } else { a.score },
        probability: a.probability,
        raw_max: a.raw_max,
        scale: a.scale,
        sum: a.map.iter().map(|&v| f64::from(v)).sum(),
        notes: a.notes.iter().map(Note::to_string).collect(),
        refused: a.refused.clone(),
    }
}
