//! Grad-CAM++.

use crate::Result;
use crate::explain::FaceBatch;
use crate::explain::attribution::cam::class_activation_map::{Cam, cams, relu_weighted_sum};

/// Returns ReLU(Σ_k w_k·A_k) of every face, where w_k = Σ_ij α_kij·ReLU(g_kij) and
/// α = g²/(2g² + (Σ_ab A_kab)·g³), 0 where g = 0.
///
/// The paper explains exp(S). The common factor exp(S) does not change α and only scales the map,
/// so it is left out. A denominator of 0 with g ≠ 0 (possible for a layer with negative values)
/// gives α = 0.
/// Libraries differ: xplique takes the mean of A and of α·ReLU(g); tf-keras-vis normalises α to
/// sum 1 and keeps exp(S).
/// **Errors**: `Usage` for an unknown layer; those of the network.
/// **Source**: Chattopadhay et al. 2017 (arXiv 1710.11063), eqs. 10 and 19.
pub fn grad_cam_pp(faces: &FaceBatch<'_>, layer: &str) -> Result<Vec<Cam>> {
    cams(faces, layer, |maps, gradient, cells| {
        let channels = maps.chunks_exact(cells).zip(gradient.chunks_exact(cells));
        let weights: Vec<f32> = channels.map(|(map, g)| weight(map, g)).collect();
        relu_weighted_sum(maps, &weights, cells)
    })
}

/// w_k of one channel.
fn weight(map: &[f32], gradient: &[f32]) -> f32 {
    let total: f32 = map.iter().sum();
    let term = |&g: &f32| {
        // g² cancels: α = 1/(2 + (ΣA)·g), which does not underflow for small g.
        let denominator = 2.0 + total * g;
        if g == 0.0 || denominator == 0.0 { 0.0 } else { g.max(0.0) / denominator }
    };
    gradient.iter().map(term).sum()
}
