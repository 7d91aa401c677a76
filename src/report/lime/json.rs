//! A LIME explanation as JSON.

use crate::explain::attribution::lime::Lime;
use crate::explain::attribution::lime::superpixels::{FACE_PARTS, Segmentation};
use crate::report::PredictedFace;
use serde::Serialize;

/// LIME explanation of one face.
#[derive(Clone, Debug, Serialize)]
pub struct LimeJson<'a> {
    /// File and line, or file name, of the face.
    pub origin: &'a str,
    /// Explained class.
    pub class: &'a str,
    /// Number of superpixels.
    pub superpixels: usize,
    /// Names of the superpixels, if they have names.
    pub superpixel_names: Option<[&'static str; FACE_PARTS.len()]>,
    /// Whether the probabilities are calibrated.
    pub calibrated: bool,
    /// The explanation.
    #[serde(flatten)]
    pub lime: &'a Lime,
}

impl<'a> LimeJson<'a> {
    /// Names the face, the class and the superpixels of an explanation.
    pub fn new(
        face: &'a PredictedFace,
        class: &'a str,
        lime: &'a Lime,
        segmentation: Segmentation,
        calibrated: bool,
    ) -> LimeJson<'a> {
        let superpixel_names = (segmentation == Segmentation::Face).then_some(FACE_PARTS);
        let superpixels = lime.coefficients.len();
        LimeJson { origin: &face.origin, class, superpixels, superpixel_names, calibrated, lime }
    }
}
