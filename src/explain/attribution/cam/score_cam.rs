//! Score-CAM: a class activation map without gradients.

use crate::Result;
use crate::explain::Classifier;
use crate::explain::attribution::cam::class_activation_map::{
    Cam, maps_of_face, relu_weighted_sum,
};
use crate::explain::batch::{face, probabilities_of};
use crate::explain::image_ops::{min_max_normalise, resize_to_face};
use crate::explain::validate::{check_classes, check_picture};
use crate::stats::softmax;

/// ReLU(Σ_k softmax_k(p(b + H_k·(x − b)) − p(b))·A_k) for every face, where H_k is channel k,
/// upsampled and stretched to \[0,1\], and p the probability of `classes[face]`.
///
/// `baseline` is the picture b seen where the mask is 0: zeros are the paper's choice; the mean
/// face is kinder to a network for which black is itself a cue. Constant channels mask nothing
/// and are skipped (min–max of them is 0/0, NaN in several libraries). One forward pass a channel.
/// **Errors**: those of [`check_classes`]; `Shape` for a baseline that is not 48×48; `Usage` for an
/// unknown layer.
/// **Source**: Wang et al. 2019 (arXiv 1910.01279).
pub fn score_cam(
    model: &dyn Classifier,
    layer: &str,
    faces: &[f32],
    classes: &[usize],
    baseline: &[f32],
) -> Result<Vec<Cam>> {
    check_classes(model, faces, classes)?;
    check_picture("baseline", baseline)?;
    (0..classes.len()).map(|f| one_face(model, layer, faces, f, classes[f], baseline)).collect()
}

fn one_face(
    model: &dyn Classifier,
    layer: &str,
    faces: &[f32],
    f: usize,
    class: usize,
    baseline: &[f32],
) -> Result<Cam> {
    let maps = maps_of_face(model, layer, faces, f)?;
    let stretch = |k: usize| {
        let mask = min_max_normalise(&resize_to_face(maps.channel(0, k), maps.h, maps.w))?;
        Some((k, mask))
    };
    let masks: Vec<(usize, Vec<f32>)> = (0..maps.c).filter_map(stretch).collect();
    // Sample 0 is the baseline itself; sample 1 + i wears mask i.
    let draw = |i: usize, out: &mut [f32]| {
        out.copy_from_slice(baseline);
        if i > 0 {
            let picture = face(faces, f).iter().zip(&masks[i - 1].1);
            for (o, (x, m)) in out.iter_mut().zip(picture) {
                *o += m * (x - *o);
            }
        }
    };
    let found = probabilities_of(model, 1 + masks.len(), draw, |_| class)?;
    let gains: Vec<f32> = found[1..].iter().map(|p| p - found[0]).collect();
    let mut weights = vec![0.0; maps.c];
    for (share, (k, _)) in softmax(&gains, 1.0).into_iter().zip(&masks) {
        weights[*k] = share;
    }
    let cells = maps.h * maps.w;
    Ok(Cam::new(maps.h, maps.w, relu_weighted_sum(maps.face(0), &weights, cells)))
}
