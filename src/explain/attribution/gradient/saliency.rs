//! Vanilla saliency: the gradient of a score with respect to the pixels.

use crate::Result;
use crate::explain::BackwardRule;
use crate::explain::batch::{face, gradients_of};
use crate::explain::validate::check;
use crate::explain::{Classifier, Target};

/// The signed gradient dS/dx of every face, `[n, 48, 48]`; a picture shows its magnitude.
///
/// S is a logit, not a probability: the softmax saturates and takes the gradient with it. Units:
/// score per unit of pixel, pixel in \[0,1\] (libraries that differentiate after standardisation
/// show this × the data's standard deviation).
/// **Errors**: those of [`check`].
/// **Source**: Simonyan, Vedaldi & Zisserman 2013 (arXiv 1312.6034); Captum `Saliency(abs=False)`.
pub fn saliency(model: &dyn Classifier, faces: &[f32], targets: &[Target]) -> Result<Vec<f32>> {
    gradient(model, faces, targets, BackwardRule::Standard)
}

/// The gradient under a backward rule, `[n, 48, 48]`.
pub(crate) fn gradient(
    model: &dyn Classifier,
    faces: &[f32],
    targets: &[Target],
    rule: BackwardRule,
) -> Result<Vec<f32>> {
    check(model, faces, targets)?;
    let mut maps = Vec::with_capacity(faces.len());
    let draw = |i: usize, out: &mut [f32]| out.copy_from_slice(face(faces, i));
    let target = |i: usize| targets[i];
    gradients_of(model, targets.len(), rule, draw, target, |_, _, g| maps.extend_from_slice(g))?;
    Ok(maps)
}
