//! A LIME explanation as JSON.

use crate::explain::attribution::lime::Lime;
use crate::explain::attribution::lime::superpixels::{FACE_PARTS, Segmentation};
use crate::report::PredictedFace;
use serde::Serialize;

/// LIME explanation of one face.
#[derive(Clone, Debug, Serialize)]
pub struct LimeJson {
    /// File and line, or file name, of the face.
    pub origin: String,
    /// Explained class.
    pub class: String,
    /// Number of superpixels.
    pub superpixels: usize,
    /// Weight of each superpixel: change of the probability when it is shown.
    pub coefficients: Vec<f64>,
    /// Names of the superpixels, if they have names.
    pub superpixel_names: Option<Vec<&'static str>>,
    /// Intercept.
    pub intercept: f64,
    /// Weighted R².
    pub r2: f64,
    /// Probability of the unmodified face by the linear model.
    pub local_prediction: f64,
    /// Probability of the unmodified face by the network.
    pub model_prediction: f64,
    /// Mean rank correlation between fits; null for a single fit.
    pub rank_agreement: Option<f64>,
    /// Mean share of the five strongest superpixels that two fits have in common; null for a single fit.
    pub top5_agreement: Option<f64>,
    /// Whether the probabilities are calibrated.
    pub calibrated: bool,
    /// Reason why the explanation is not shown.
    pub refused: Option<String>,
}

impl LimeJson {
    /// Converts an explanation.
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
            superpixels: lime.coefficients.len(),
            coefficients: lime.coefficients.clone(),
            superpixel_names: (segmentation == Segmentation::Face).then(|| FACE_PARTS.to_vec()),
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
