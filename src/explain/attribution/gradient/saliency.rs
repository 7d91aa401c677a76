//! Saliency: the gradient of a score with respect to the pixels.

use crate::Result;
use crate::explain::batch::{face, gradients_of};
use crate::explain::{BackwardRule, FaceBatch};

/// Returns the signed gradient dS/dx of every face, `[n, 48, 48]`; a picture shows its magnitude.
///
/// S is a logit, not a probability: where the softmax saturates, its gradient vanishes. Units:
/// score per unit of pixel, pixel in \[0,1\]. (Libraries that differentiate after standardisation
/// show this times the data's standard deviation.)
///
/// **Source**: Simonyan, Vedaldi & Zisserman 2013 (arXiv 1312.6034); Captum `Saliency(abs=False)`.
pub fn saliency(faces: &FaceBatch<'_>) -> Result<Vec<f32>> {
    gradient(faces, BackwardRule::Standard)
}

/// Returns the gradient under a backward rule, `[n, 48, 48]`.
pub(crate) fn gradient(faces: &FaceBatch<'_>, rule: BackwardRule) -> Result<Vec<f32>> {
    let (pixels, targets) = (faces.pixels(), faces.targets());
    let mut maps = Vec::with_capacity(pixels.len());
    let draw = |i: usize, out: &mut [f32]| out.copy_from_slice(face(pixels, i));
    let take = |_, gradient: &[f32]| maps.extend_from_slice(gradient);
    gradients_of(faces.classifier(), targets.len(), rule, draw, |i| targets[i], take)?;
    Ok(maps)
}
