//! LayerCAM and HiResCAM: one weight per cell instead of one per channel.

use crate::Result;
use crate::explain::FaceBatch;
use crate::explain::attribution::cam::class_activation_map::{Cam, cams};

/// Returns ReLU(Σ_k ReLU(g_k)·A_k), elementwise, of every face.
///
/// Gives detailed maps on layers of 24×24 or 12×12 cells, where Grad-CAM's one weight per channel
/// is too coarse.
///
/// **Errors**: `Usage` for an unknown layer; those of the network.
/// **Source**: Jiang et al. 2021, "LayerCAM", IEEE TIP 30.
pub fn layer_cam(faces: &FaceBatch<'_>, layer: &str) -> Result<Vec<Cam>> {
    cams(faces, layer, |maps, gradient, cells| {
        let sum = sum_over_channels(maps, gradient, cells, |g| g.max(0.0));
        sum.iter().map(|v| v.max(0.0)).collect()
    })
}

/// Returns Σ_k g_k·A_k, elementwise and signed, of every face.
///
/// Where only linear layers follow, the map sums to S minus the biases; the tests use this.
///
/// **Errors**: `Usage` for an unknown layer; those of the network.
/// **Source**: Draelos & Carin 2020 (arXiv 2011.08891).
pub fn hires_cam(faces: &FaceBatch<'_>, layer: &str) -> Result<Vec<Cam>> {
    cams(faces, layer, |maps, gradient, cells| sum_over_channels(maps, gradient, cells, |g| g))
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
