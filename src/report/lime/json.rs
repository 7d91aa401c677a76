//! A LIME explanation as JSON.

use crate::explain::attribution::lime::Lime;
use crate::explain::attribution::lime::superpixels::{FACE_PARTS, Segmentation};
use crate::report::PredictedFace;
use serde::Serialize;

/// One face's explanation for programs.
#[derive(Clone, Debug, Serialize)]
pub struct LimeJson {
    /// Where the face came from.
    pub origin: String,
    /// The class explained.
    pub class: String,
    /// Number of pieces.
    pub pieces: usize,
    /// Weight of each piece: change of the probability when it is shown.
    pub coefficients: Vec<f64>,
    /// Names of the pieces, where they have names.
    pub piece_names: Option<Vec<&'static str>>,
    /// Intercept.
    pub intercept: f64,
    /// Weighted R².
    pub r2: f64,
    /// Probability of the whole face by the local model, and by the network.
    pub local_prediction: f64,
    /// By the network.
    pub model_prediction: f64,
    /// Mean rank correlation between fits; null of a single fit.
    pub rank_agreement: Option<f64>,
    /// Mean share of the five strongest pieces that two fits share; null of a single fit.
    pub top5_agreement: Option<f64>,
    /// Whether the probabilities are calibrated ones.
    pub calibrated: bool,
    /// Why it is not to be believed.
    pub refused: Option<String>,
}

impl LimeJson {
    /// From an explanation.
    pub fn new(
        face: &PredictedFace,
        class: &str,
        lime: &Lime,
        segmentation: Segmentation,
        calibrated: bool,
    ) -> LimeJson {
        LimeJson {
            origin: face.origin.clone(),
            class: class.into(),
            pieces: lime.coefficients.len(),
            coefficients: lime.coefficients.clone(),
            piece_names: (segmentation == Segmentation::Face).then(|| FACE_PARTS.to_vec()),
            intercept: lime.intercept,
            r2: lime.r2,
            local_prediction: lime.local_prediction,
            model_prediction: lime.model_prediction,
            rank_agreement: lime.agreement.map(|a| a.rank),
            top5_agreement: lime.agreement.map(|a| a.top5),
            calibrated,
            refused: lime.refused.clone(),
        }
    }
}
