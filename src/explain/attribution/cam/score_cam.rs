//! Score-CAM: a class activation map without gradients.

use crate::Result;
use crate::explain::attribution::cam::class_activation_map::{Cam, relu_weighted_sum};
use crate::explain::batch::probabilities_of;
use crate::explain::image_ops::{min_max_normalise, resize_to_face};
use crate::explain::{Face, FaceBatch};
use crate::stats::softmax;

/// Returns ReLU(Σ_k softmax_k(p(b + H_k·(x − b)) − p(b))·A_k) of every face, where H_k is channel k
/// resized to the face and stretched to \[0,1\], and p the probability of the target's class.
///
/// The baseline b is shown where the mask is 0. The paper uses zeros; the mean face suits a network
/// to which black itself means something. Constant channels are skipped: their min–max is 0/0,
/// NaN in several libraries. Takes one forward pass per channel.
///
/// **Errors**: `Usage` for an unknown layer; those of the network.
/// **Source**: Wang et al. 2019 (arXiv 1910.01279).
pub fn score_cam(faces: &FaceBatch<'_>, layer: &str, baseline: &Face) -> Result<Vec<Cam>> {
    (0..faces.len()).map(|f| one_face(faces, layer, f, baseline)).collect()
}

fn one_face(faces: &FaceBatch<'_>, layer: &str, f: usize, baseline: &Face) -> Result<Cam> {
    let (model, x) = (faces.classifier(), faces.face(f));
    let maps = model.activations(layer, x)?;
    let stretch = |k: usize| {
        let mask = min_max_normalise(&resize_to_face(maps.channel(0, k), maps.h, maps.w))?;
        Some((k, mask))
    };
    let masks: Vec<(usize, Vec<f32>)> = (0..maps.c).filter_map(stretch).collect();
    // Sample 0 is the baseline itself, sample 1 + i the face under mask i.
    let draw = |i: usize, out: &mut [f32]| {
        out.copy_from_slice(baseline);
        if i > 0 {
            let picture = x.iter().zip(&masks[i - 1].1);
            for (o, (x, m)) in out.iter_mut().zip(picture) {
                *o += m * (x - *o);
            }
        }
    };
    let found = probabilities_of(model, faces.class(f), 1 + masks.len(), draw)?;
    let gains: Vec<f32> = found[1..].iter().map(|p| p - found[0]).collect();
    let mut weights = vec![0.0; maps.c];
    for (share, (k, _)) in softmax(&gains, 1.0).into_iter().zip(&masks) {
        weights[*k] = share;
    }
    let cells = maps.h * maps.w;
    Ok(Cam::new(maps.h, maps.w, relu_weighted_sum(maps.face(0), &weights, cells)))
}
