//! The parts that all class activation maps share: the choice of the layer, the weighted sum of
//! its feature maps, and the resize to the face.

use crate::explain::batch::BATCH;
use crate::explain::image_ops::resize_to_face;
use crate::explain::layers::{deepest_map, find_layer};
use crate::explain::{Classifier, FaceBatch, LayerGradient, LayerInfo};
use crate::{PIXELS, Result};

/// A class activation map of one face.
#[derive(Clone, Debug, PartialEq)]
pub struct Cam {
    /// Rows and columns of the layer.
    pub native: [usize; 2],
    /// The map at the layer's own size, `[h, w]`.
    pub cells: Vec<f32>,
    /// The same resized to `[48, 48]`, bilinear.
    pub map: Vec<f32>,
}

impl Cam {
    /// Resizes a map `[h, w]` to the face.
    pub fn new(h: usize, w: usize, cells: Vec<f32>) -> Cam {
        let map = resize_to_face(&cells, h, w);
        Cam { native: [h, w], cells, map }
    }
    /// Whether any cell raises the target. Where none does, the map must not be divided by its
    /// maximum.
    pub fn has_positive_evidence(&self) -> bool {
        self.cells.iter().any(|&v| v > 0.0)
    }
}

/// Returns the layer of this name; without a name, the deepest ReLU whose map has at least `side`
/// cells per side. (The last map of a deep network has 9 cells or fewer on a face of 48×48, too few
/// to draw.)
///
/// `Ok(Err(why))` says why there is no such map.
///
/// **Errors**: `Usage` for an unknown name.
pub fn choose_layer(
    model: &dyn Classifier,
    name: Option<&str>,
    side: usize,
) -> Result<Result<LayerInfo, String>> {
    if let Some(name) = name {
        let layer = find_layer(&model.layers(), name)?;
        let [c, h, w] = layer.output;
        return Ok(if layer.has_map() {
            Ok(layer)
        } else {
            Err(format!(
                "`{name}` has no map: its output is {c} × {h} × {w}; name a layer before the global \
                 pooling"
            ))
        });
    }
    let layers = model.layers();
    let found = deepest_map(&layers, side).or_else(|| deepest_map(&layers, 2)).cloned();
    Ok(found.ok_or_else(|| "the network has no ReLU whose output is a map".into()))
}

/// Computes one map per face as `weigh(maps [c, h·w], gradient [c, h·w], h·w)`.
pub(crate) fn cams(
    faces: &FaceBatch<'_>,
    layer: &str,
    weigh: impl Fn(&[f32], &[f32], usize) -> Vec<f32>,
) -> Result<Vec<Cam>> {
    let mut out = Vec::with_capacity(faces.len());
    let batches = faces.pixels().chunks(BATCH * PIXELS).zip(faces.targets().chunks(BATCH));
    for (pixels, targets) in batches {
        let found = faces.classifier().layer_gradient(layer, pixels, targets)?;
        out.extend((0..targets.len()).map(|f| cam_of(&found, f, &weigh)));
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

/// Returns ReLU(Σ_k weight_k·A_k), with one weight per channel.
pub(crate) fn relu_weighted_sum(maps: &[f32], weights: &[f32], cells: usize) -> Vec<f32> {
    let mut sum = vec![0.0; cells];
    for (map, weight) in maps.chunks_exact(cells).zip(weights) {
        for (s, a) in sum.iter_mut().zip(map) {
            *s += weight * a;
        }
    }
    sum.iter().map(|v| v.max(0.0)).collect()
}
