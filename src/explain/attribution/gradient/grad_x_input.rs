//! Gradient × input.

use crate::Result;
use crate::explain::attribution::gradient::saliency::saliency;
use crate::explain::{Classifier, Target};

/// dS/dz · z for every pixel, `[n, 48, 48]`, where z = (x − mean)/std is the standardised pixel
/// that the network sees.
///
/// By the chain rule this is dS/dx · (x − mean): a pixel at the dataset's mean gets nothing. On a
/// network that is linear in z it equals integrated gradients from the mean gray, and one-pixel
/// occlusion with the mean, exactly; for ReLU without biases the map sums to S.
/// Libraries often multiply by x itself, which favours bright pixels.
/// **Errors**: those of [`check`](crate::explain::validate::check).
/// **Source**: Shrikumar et al. 2016 (arXiv 1605.01713); Captum `InputXGradient` fed with z.
pub fn grad_x_input(model: &dyn Classifier, faces: &[f32], targets: &[Target]) -> Result<Vec<f32>> {
    let mean = model.normalization().mean;
    let mut maps = saliency(model, faces, targets)?;
    for (g, x) in maps.iter_mut().zip(faces) {
        *g *= x - mean;
    }
    Ok(maps)
}
