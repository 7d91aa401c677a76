//! Gradient × input.

use crate::Result;
use crate::explain::FaceBatch;
use crate::explain::attribution::gradient::saliency::saliency;

/// Returns dS/dz · z for every pixel, `[n, 48, 48]`, where z = (x − mean)/std is the standardised
/// pixel that the network receives.
///
/// By the chain rule this is dS/dx · (x − mean), so a pixel at the dataset's mean gets 0. On a
/// network that is linear in z it equals integrated gradients from the mean gray, and occlusion of
/// one pixel by the mean. For a ReLU network without biases the map sums to S.
/// Libraries often multiply by x itself, which favours bright pixels.
///
/// **Source**: Shrikumar et al. 2016 (arXiv 1605.01713); Captum `InputXGradient` fed with z.
pub fn grad_x_input(faces: &FaceBatch<'_>) -> Result<Vec<f32>> {
    let mean = faces.classifier().normalization().mean;
    let mut maps = saliency(faces)?;
    for (g, x) in maps.iter_mut().zip(faces.pixels()) {
        *g *= x - mean;
    }
    Ok(maps)
}
