//! Grad-CAM.

use crate::Result;
use crate::explain::attribution::cam::class_activation_map::{Cam, cams, relu_weighted_sum};
use crate::explain::{Classifier, Target};

/// ReLU(Σ_k ā_k·A_k) with ā_k = mean over the cells of dS/dA_k, for every face.
///
/// **Errors**: those of [`check`](crate::explain::validate::check); `Usage` for an unknown layer.
/// **Source**: Selvaraju et al. 2016 (arXiv 1610.02391); Captum `LayerGradCam` +
/// `LayerAttribution.interpolate`. Libraries pick the last layer with filters, before its batch
/// normalisation and ReLU; here the layer is the caller's, by default after a ReLU.
pub fn grad_cam(
    model: &dyn Classifier,
    layer: &str,
    faces: &[f32],
    targets: &[Target],
) -> Result<Vec<Cam>> {
    cams(model, layer, faces, targets, |maps, gradient, cells| {
        let mean = |g: &[f32]| g.iter().sum::<f32>() / cells as f32;
        let weights: Vec<f32> = gradient.chunks_exact(cells).map(mean).collect();
        relu_weighted_sum(maps, &weights, cells)
    })
}
