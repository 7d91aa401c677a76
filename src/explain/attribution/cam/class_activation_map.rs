//! What the class activation maps share: the layer they read and the map they make.

use crate::explain::batch::{BATCH, face};
use crate::explain::image_ops::resize_to_face;
use crate::explain::layers::{deepest_map, find_layer};
use crate::explain::validate::check;
use crate::explain::{Classifier, LayerGradient, LayerInfo, Target};
use crate::{PIXELS, Result};

/// A class activation map of one face.
#[derive(Clone, Debug, PartialEq)]
pub struct Cam {
    /// Rows and columns of the layer.
    pub native: [usize; 2],
    /// The map at the layer's own size.
    pub cells: Vec<f32>,
    /// The same, bilinear, 48×48.
    pub map: Vec<f32>,
}

impl Cam {
    /// A map of its native cells.
    pub fn new(h: usize, w: usize, cells: Vec<f32>) -> Cam {
        let map = resize_to_face(&cells, h, w);
        Cam { native: [h, w], cells, map }
    }
    /// Whether anything speaks for the class. All-zero maps are not divided by their maximum.
    pub fn has_positive_evidence(&self) -> bool {
        self.cells.iter().any(|&v| v > 0.0)
    }
}

/// The layer asked for, or the deepest map after a ReLU with at least `side` cells a side: on
/// 48×48 the last map of a deep network has 9 cells or fewer, which is no map.
///
/// `Ok(Err(why))` is a refusal in plain words; an unknown name is an error.
pub fn choose_layer(
    model: &dyn Classifier,
    name: Option<&str>,
    side: usize,
) -> Result<Result<LayerInfo, String>> {
    if let Some(name) = name {
        let layer = find_layer(model, name)?;
        let [c, h, w] = layer.output;
        return Ok(if layer.has_map() {
            Ok(layer)
        } else {
            Err(format!(
                "`{name}` has no map: its output is {c} × {h} × {w}; name a layer before the pooling to a vector"
            ))
        });
    }
    let layers = model.layers();
    let found = deepest_map(&layers, side).or_else(|| deepest_map(&layers, 2)).cloned();
    Ok(found.ok_or_else(|| "the network has no map after a ReLU to draw".into()))
}

/// Makes one map a face from (maps `[c, h·w]`, gradient `[c, h·w]`).
pub(crate) fn cams(
    model: &dyn Classifier,
    layer: &str,
    faces: &[f32],
    targets: &[Target],
    weigh: impl Fn(&[f32], &[f32], usize) -> Vec<f32>,
) -> Result<Vec<Cam>> {
    check(model, faces, targets)?;
    let mut out = Vec::with_capacity(targets.len());
    for first in (0..targets.len()).step_by(BATCH) {
        let last = (first + BATCH).min(targets.len());
        let batch = &faces[first * PIXELS..last * PIXELS];
        let found = model.layer_gradient(layer, batch, &targets[first..last])?;
        out.extend((0..last - first).map(|f| cam_of(&found, f, &weigh)));
    }
    Ok(out)
}

fn cam_of(
    found: &LayerGradient,
    f: usize,
    weigh: &impl Fn(&[f32], &[f32], usize) -> Vec<f32>,
) -> Cam {
    let (h, w) = (found.maps.h, found.maps.w);
    let size = found.maps.c * h * w;
    let gradient = &found.gradient[f * size..(f + 1) * size];
    Cam::new(h, w, weigh(found.maps.face(f), gradient, h * w))
}

/// ReLU(Σ_k weight_k·A_k) with one weight a channel.
pub(crate) fn relu_weighted_sum(maps: &[f32], weights: &[f32], cells: usize) -> Vec<f32> {
    let mut sum = vec![0.0; cells];
    for (map, weight) in maps.chunks_exact(cells).zip(weights) {
        for (s, a) in sum.iter_mut().zip(map) {
            *s += weight * a;
        }
    }
    sum.iter().map(|v| v.max(0.0)).collect()
}

/// Feature maps of one face at a layer.
pub(crate) fn maps_of_face(
    model: &dyn Classifier,
    layer: &str,
    faces: &[f32],
    f: usize,
) -> Result<crate::explain::FeatureMaps> {
    model.activations(layer, face(faces, f))
}
