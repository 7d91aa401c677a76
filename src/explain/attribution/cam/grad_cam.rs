//! Grad-CAM.

use crate::Result;
use crate::explain::FaceBatch;
use crate::explain::attribution::cam::class_activation_map::{Cam, cams, relu_weighted_sum};

/// Returns ReLU(Σ_k ā_k·A_k) of every face, where ā_k is the mean over the cells of dS/dA_k.
///
/// **Errors**: `Usage` for an unknown layer; those of the network.
/// **Source**: Selvaraju et al. 2016 (arXiv 1610.02391); Captum `LayerGradCam` +
/// `LayerAttribution.interpolate`. Libraries pick the last convolution, before its batch
/// normalisation and ReLU; here the caller names the layer, and the default is a ReLU.
pub fn grad_cam(faces: &FaceBatch<'_>, layer: &str) -> Result<Vec<Cam>> {
    cams(faces, layer, |maps, gradient, cells| {
        let mean = |g: &[f32]| g.iter().sum::<f32>() / cells as f32;
        let weights: Vec<f32> = gradient.chunks_exact(cells).map(mean).collect();
        relu_weighted_sum(maps, &weights, cells)
    })
}
