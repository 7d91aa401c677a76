//! LayerCAM and HiResCAM: weights for every cell instead of every channel.

use crate::Result;
use crate::explain::attribution::cam::class_activation_map::{Cam, cams};
use crate::explain::{Classifier, Target};

/// ReLU(Σ_k ReLU(g_k)·A_k), elementwise, for every face. Stays sharp at 24×24 and 12×12 cells,
/// where Grad-CAM's one weight a channel says little: the map to show for small faces.
///
/// **Errors**: those of [`check`](crate::explain::validate::check); `Usage` for an unknown layer.
/// **Source**: Jiang et al. 2021, "LayerCAM", IEEE TIP 30.
pub fn layer_cam(
    model: &dyn Classifier,
    layer: &str,
    faces: &[f32],
    targets: &[Target],
) -> Result<Vec<Cam>> {
    cams(model, layer, faces, targets, |maps, gradient, cells| {
        let sum = sum_over_channels(maps, gradient, cells, |g| g.max(0.0));
        sum.iter().map(|v| v.max(0.0)).collect()
    })
}

/// Σ_k g_k·A_k, elementwise and signed, for every face. Where only linear layers follow, it sums
/// to S minus the biases: an exactness check of the whole path.
///
/// **Errors**: those of [`check`](crate::explain::validate::check); `Usage` for an unknown layer.
/// **Source**: Draelos & Carin 2020 (arXiv 2011.08891).
pub fn hires_cam(
    model: &dyn Classifier,
    layer: &str,
    faces: &[f32],
    targets: &[Target],
) -> Result<Vec<Cam>> {
    cams(model, layer, faces, targets, |maps, gradient, cells| {
        sum_over_channels(maps, gradient, cells, |g| g)
    })
}

fn sum_over_channels(
    maps: &[f32],
    gradient: &[f32],
    cells: usize,
    weight: impl Fn(f32) -> f32,
) -> Vec<f32> {
    let mut sum = vec![0.0; cells];
    for (map, gradient) in maps.chunks_exact(cells).zip(gradient.chunks_exact(cells)) {
        for ((s, a), &g) in sum.iter_mut().zip(map).zip(gradient) {
            *s += weight(g) * a;
        }
    }
    sum
}
