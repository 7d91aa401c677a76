//! Finding a layer by name, and the layers around it.

use crate::explain::{Classifier, LayerInfo, LayerKind};
use crate::{Error, Result};

/// The layer of this name.
///
/// **Errors**: `Usage` with the list of layers and the nearest name.
pub fn find_layer(model: &dyn Classifier, name: &str) -> Result<LayerInfo> {
    let layers = model.layers();
    if let Some(found) = layers.iter().find(|l| l.name == name) {
        return Ok(found.clone());
    }
    let names: Vec<&str> = layers.iter().map(|l| l.name.as_str()).collect();
    let hint = match nearest(name, &names) {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None => ".".to_string(),
    };
    Err(Error::Usage(format!("no layer `{name}`{hint} Layers: {}", names.join(", "))))
}

/// The name that takes the fewest edits to become `name`; the first among equals, and none where
/// more than half of the letters would change.
pub fn nearest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let found = names.iter().min_by_key(|n| edit_distance(n, name)).copied()?;
    let longer = name.chars().count().max(found.chars().count());
    (2 * edit_distance(found, name) <= longer).then_some(found)
}

/// Levenshtein distance.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// The filters asked for, or all of the layer's.
///
/// **Errors**: `Usage` where a filter is out of range.
pub fn check_filters(layer: &LayerInfo, filters: &[usize]) -> Result<Vec<usize>> {
    let count = layer.output[0];
    if let Some(k) = filters.iter().find(|&&k| k >= count) {
        return Err(Error::Usage(format!(
            "`{}` has {count} filters, 0 to {}; there is no filter {k}",
            layer.name,
            count.saturating_sub(1)
        )));
    }
    Ok(if filters.is_empty() { (0..count).collect() } else { filters.to_vec() })
}

/// The deepest map after a ReLU with at least `side` cells a side.
pub fn deepest_map(layers: &[LayerInfo], side: usize) -> Option<&LayerInfo> {
    layers.iter().rev().find(|l| l.kind == LayerKind::Relu && l.output[1].min(l.output[2]) >= side)
}

/// The ReLU that decides whether a channel of this layer is heard: the layer itself, or the one
/// that follows it with nothing but pooling and batch normalisation between.
pub fn relu_of<'a>(layers: &'a [LayerInfo], name: &str) -> Option<&'a LayerInfo> {
    let mut at = layers.iter().find(|l| l.name == name)?;
    loop {
        if at.kind == LayerKind::Relu {
            return Some(at);
        }
        if matches!(at.kind, LayerKind::OtherActivation | LayerKind::Other) {
            return None;
        }
        at = layers.iter().find(|l| l.input.as_deref() == Some(&at.name))?;
        if matches!(at.kind, LayerKind::Conv2d | LayerKind::Linear) {
            return None; // it mixes the channels
        }
    }
}

/// What a ReLU layer rectifies, where the layer is one.
pub fn pre_activation(layers: &[LayerInfo], layer: &LayerInfo) -> Option<LayerInfo> {
    let input = layer.input.as_deref().filter(|_| layer.kind == LayerKind::Relu)?;
    layers.iter().find(|l| l.name == input && l.output == layer.output).cloned()
}

/// The last ReLU map before the block that `name` belongs to: the features this filter is made of.
pub fn previous_block<'a>(layers: &'a [LayerInfo], name: &str) -> Option<&'a LayerInfo> {
    let at = layers.iter().position(|l| l.name == name)?;
    let is_weighted = |l: &LayerInfo| matches!(l.kind, LayerKind::Conv2d | LayerKind::Linear);
    let convolution = layers[..=at].iter().rposition(is_weighted)?;
    layers[..convolution].iter().rev().find(|l| l.kind == LayerKind::Relu)
}

#[cfg(test)]
mod tests {
    use crate::explain::layers::{edit_distance, nearest};

    #[test]
    fn edit_distance_counts_edits() {
        for (a, b, d) in [("", "", 0), ("conv2d_3", "conv2d_3", 0), ("conv_3", "conv2d_3", 2)] {
            assert_eq!(edit_distance(a, b), d);
        }
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }

    #[test]
    fn nearest_has_something_in_common() {
        let names = ["conv2d_1", "batch_normalization_1", "activation_1"];
        assert_eq!(nearest("conv2d1", &names), Some("conv2d_1"));
        assert_eq!(nearest("batch_normalisation_1", &names), Some("batch_normalization_1"));
        assert_eq!(nearest("foo", &names), None);
        assert_eq!(nearest("", &[]), None);
    }
}
