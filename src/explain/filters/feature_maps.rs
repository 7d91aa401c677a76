//! Feature maps of a layer: their statistics, and their mean for each class.

use crate::explain::batch::BATCH;
use crate::explain::face_batch::count_faces;
use crate::explain::image_ops::min_max;
use crate::explain::layers::find_layer;
use crate::explain::{Classifier, FeatureMaps, LayerInfo, LayerKind};
use crate::{Error, PIXELS, Result};

/// Returns the layers of these names, in the order of the network; for `all` every layer that has a
/// map.
///
/// **Errors**: `Usage` for an unknown name (with the list and the nearest one) and for a layer
/// whose output is a vector.
pub fn map_layers(model: &dyn Classifier, names: &[String]) -> Result<Vec<LayerInfo>> {
    let layers = model.layers();
    if names.iter().any(|n| n == "all") {
        return Ok(layers.into_iter().filter(LayerInfo::has_map).collect());
    }
    for name in names {
        let layer = find_layer(&layers, name)?;
        if !layer.has_map() {
            let with: Vec<&str> =
                layers.iter().filter(|l| l.has_map()).map(|l| l.name.as_str()).collect();
            return Err(Error::Usage(format!(
                "`{name}` has no map: its output is a vector of {}. Layers with a map: {}",
                layer.output[0],
                with.join(", ")
            )));
        }
    }
    Ok(layers.into_iter().filter(|l| names.contains(&l.name)).collect())
}

/// Groups the chosen layers of a network: each group starts with a convolution or linear layer and
/// contains the layers after it that keep its channels.
pub fn stages(network: &[LayerInfo], chosen: &[LayerInfo]) -> Vec<Vec<LayerInfo>> {
    let mut groups: Vec<Vec<LayerInfo>> = Vec::new();
    for layer in network {
        let joins = |group: &&mut Vec<LayerInfo>| {
            !matches!(layer.kind, LayerKind::Conv2d | LayerKind::Linear)
                && group[0].output[0] == layer.output[0]
        };
        match groups.last_mut().filter(joins) {
            Some(group) => group.push(layer.clone()),
            None => groups.push(vec![layer.clone()]),
        }
    }
    groups.iter_mut().for_each(|group| group.retain(|layer| chosen.contains(layer)));
    groups.retain(|group| !group.is_empty());
    groups
}

/// Statistics of one map.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct MapStatistics {
    /// Smallest value.
    pub min: f32,
    /// Mean.
    pub mean: f32,
    /// Largest value.
    pub max: f32,
    /// Share of exact zeros.
    pub zeros: f64,
}

impl MapStatistics {
    /// Measures a map; zeros for an empty one.
    pub fn of(map: &[f32]) -> Self {
        if map.is_empty() {
            return MapStatistics { min: 0.0, mean: 0.0, max: 0.0, zeros: 0.0 };
        }
        let (min, max) = min_max(map);
        let n = map.len() as f64;
        let mean = (map.iter().map(|&v| f64::from(v)).sum::<f64>() / n) as f32;
        let zeros = map.iter().filter(|&&v| v == 0.0).count() as f64 / n;
        MapStatistics { min, mean, max, zeros }
    }
}

/// Mean feature maps of each class.
#[derive(Clone, Debug)]
pub struct ClassMeans {
    /// `[classes, c, h, w]`; zeros for a class without faces.
    pub maps: FeatureMaps,
    /// Faces of each class.
    pub faces: Vec<usize>,
}

/// Computes the mean feature maps of a layer over the faces `[n, 48, 48]` of each class. Faces
/// whose label is not a class are left out. `progress` receives the number of faces done since the
/// last call.
///
/// **Errors**: `Shape` where faces or labels do not fit; those of the network.
pub fn class_means(
    model: &dyn Classifier,
    layer: &LayerInfo,
    faces: &[f32],
    labels: &[usize],
    progress: &mut dyn FnMut(usize),
) -> Result<ClassMeans> {
    let n = count_faces(faces)?;
    if labels.len() != n {
        return Err(Error::shape("activations", format!("{n} faces, {} labels", labels.len())));
    }
    let classes = model.classes();
    let [c, h, w] = layer.output;
    let mut sums = vec![0.0f64; classes * c * h * w];
    let mut counts = vec![0; classes];
    for (faces, labels) in faces.chunks(BATCH * PIXELS).zip(labels.chunks(BATCH)) {
        let maps = model.activations(&layer.name, faces)?;
        for (f, &class) in labels.iter().enumerate().filter(|(_, class)| **class < classes) {
            let sum = &mut sums[class * c * h * w..][..c * h * w];
            sum.iter_mut().zip(maps.face(f)).for_each(|(s, &v)| *s += f64::from(v));
            counts[class] += 1;
        }
        progress(labels.len());
    }
    let mean = |(i, sum): (usize, f64)| (sum / counts[i / (c * h * w)].max(1) as f64) as f32;
    let data = sums.into_iter().enumerate().map(mean).collect();
    Ok(ClassMeans { maps: FeatureMaps { n: classes, c, h, w, data }, faces: counts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_map() {
        let n = MapStatistics::of(&[0.0, -1.0, 4.0, 0.0]);
        assert_eq!(n, MapStatistics { min: -1.0, mean: 0.75, max: 4.0, zeros: 0.5 });
        assert_eq!(MapStatistics::of(&[]).zeros, 0.0);
    }
}
