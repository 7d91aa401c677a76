//! The layers of a network as explanations see them: kind, output, receptive field, neighbours.

use crate::{Error, Result};
use strsim::levenshtein;

/// The kind of a layer, as far as explanations distinguish it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LayerKind {
    /// Convolution.
    Conv2d,
    /// Batch normalisation.
    BatchNorm,
    /// ReLU.
    Relu,
    /// A rectifier other than ReLU (leaky ReLU, ELU, SiLU…), for which guided
    /// backpropagation is undefined.
    OtherActivation,
    /// Pooling, global or not.
    Pool,
    /// Fully connected.
    Linear,
    /// Anything else.
    Other,
}

/// Receptive field of a layer's cells along one axis, in pixels of the face: cell i depends on the
/// `size` pixels around `start + i·jump`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReceptiveField {
    /// Side length.
    pub size: usize,
    /// Distance between neighbouring cells.
    pub jump: f64,
    /// Centre of cell 0; the centre of pixel 0 is 0.
    pub start: f64,
}

impl ReceptiveField {
    /// The receptive field of an input pixel.
    pub const PIXEL: ReceptiveField = ReceptiveField { size: 1, jump: 1.0, start: 0.0 };

    /// Returns the receptive field after one more layer with kernel k, stride s, padding p and
    /// dilation d.
    pub fn through(self, k: usize, s: usize, p: usize, d: usize) -> Self {
        let reach = (k.saturating_sub(1) * d) as f64;
        ReceptiveField {
            size: self.size.saturating_add((reach * self.jump).round() as usize),
            jump: self.jump * s as f64,
            start: self.start + (reach / 2.0 - p as f64) * self.jump,
        }
    }
    /// First pixel that cell i depends on; negative where the field reaches into the padding.
    pub fn first(&self, i: usize) -> isize {
        (self.start + i as f64 * self.jump - (self.size as f64 - 1.0) / 2.0).round() as isize
    }
}

/// A layer as an explanation sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerInfo {
    /// Keras-style name, `conv2d_3`.
    pub name: String,
    /// Kind.
    pub kind: LayerKind,
    /// Output channels, rows, columns; a vector has 1×1 cells.
    pub output: [usize; 3],
    /// Receptive field of its cells.
    pub receptive_field: ReceptiveField,
    /// The layer whose output it reads; `None` for the first, or where it reads several.
    pub input: Option<String>,
    /// Scale of each channel, for a batch normalisation.
    pub gamma: Option<Vec<f32>>,
}

impl LayerInfo {
    /// Whether the output is a map, not a vector.
    pub fn has_map(&self) -> bool {
        self.output[1] > 1 && self.output[2] > 1
    }

    /// Cells of one axis whose receptive field lies inside the face, so that zero padding cannot
    /// contribute. Where there is none, all cells but the first and the last, if any remain.
    pub fn interior(&self, axis_cells: usize) -> std::ops::Range<usize> {
        let field = &self.receptive_field;
        let inside = |i: usize| {
            let first = field.first(i);
            first >= 0 && first.saturating_add_unsigned(field.size) <= crate::SIDE as isize
        };
        match (0..axis_cells).find(|&i| inside(i)) {
            Some(first) => {
                first..1 + (first..axis_cells).take_while(|&i| inside(i)).last().unwrap_or(first)
            }
            None if axis_cells >= 3 => 1..axis_cells - 1,
            None => 0..axis_cells,
        }
    }

    /// Row and column of the largest value of a map `[h, w]` among the interior cells.
    pub fn strongest_cell(&self, map: &[f32], h: usize, w: usize) -> (usize, usize) {
        let columns = self.interior(w);
        let places = self.interior(h).flat_map(|i| columns.clone().map(move |j| (i, j)));
        let at = |(i, j): (usize, usize)| map[i * w + j];
        places.reduce(|a, b| if at(b) > at(a) { b } else { a }).unwrap_or((0, 0))
    }
}

/// Feature maps `[n, c, h, w]`, row-major. A layer with vector output has h = w = 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeatureMaps {
    /// Faces.
    pub n: usize,
    /// Channels.
    pub c: usize,
    /// Rows.
    pub h: usize,
    /// Columns.
    pub w: usize,
    /// n·c·h·w values.
    pub data: Vec<f32>,
}

impl FeatureMaps {
    /// The map of one channel of one face, `[h, w]`.
    pub fn channel(&self, face: usize, channel: usize) -> &[f32] {
        let cells = self.h * self.w;
        let start = (face * self.c + channel) * cells;
        &self.data[start..start + cells]
    }
    /// All channels of one face, `[c, h, w]`.
    pub fn face(&self, face: usize) -> &[f32] {
        let size = self.c * self.h * self.w;
        &self.data[face * size..(face + 1) * size]
    }
}

/// Returns one line per layer: its name, its output (channels × rows × columns), and how many pixels of the
/// face one cell sees.
pub fn layer_list(layers: &[LayerInfo]) -> String {
    let longest = layers.iter().map(|l| l.name.len()).max().unwrap_or(0);
    let line = |l: &LayerInfo| {
        let [c, h, w] = l.output;
        let output = format!("{c} × {h} × {w}");
        let field = l.receptive_field.size.min(crate::SIDE);
        format!("{:<longest$}  {output:<14} sees {field} × {field} pixels\n", l.name)
    };
    layers.iter().map(line).collect()
}

/// Returns the layer of this name.
///
/// **Errors**: `Usage` with the list of layers and the nearest name.
pub fn find_layer(layers: &[LayerInfo], name: &str) -> Result<LayerInfo> {
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

/// Returns the name nearest to `name` by edit distance; the first among equals, and `None` where
/// more than half of the letters differ.
pub fn nearest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let found = names.iter().min_by_key(|n| levenshtein(n, name)).copied()?;
    let longer = name.chars().count().max(found.chars().count());
    (2 * levenshtein(found, name) <= longer).then_some(found)
}

/// Returns the chosen filters of a layer; all of them for an empty list.
///
/// **Errors**: `Usage` for a filter that the layer does not have.
pub fn select_filters(layer: &LayerInfo, filters: &[usize]) -> Result<Vec<usize>> {
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

/// Returns the deepest ReLU whose map has at least `side` cells per side.
pub fn deepest_map(layers: &[LayerInfo], side: usize) -> Option<&LayerInfo> {
    layers.iter().rev().find(|l| l.kind == LayerKind::Relu && l.output[1].min(l.output[2]) >= side)
}

/// Returns the ReLU that rectifies the channels of this layer: the layer itself, or the one that
/// follows it with only pooling and batch normalisation in between.
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
            return None; // the channels are mixed
        }
    }
}

/// Returns the input of a ReLU layer; `None` for other layers.
pub fn pre_activation(layers: &[LayerInfo], layer: &LayerInfo) -> Option<LayerInfo> {
    let input = layer.input.as_deref().filter(|_| layer.kind == LayerKind::Relu)?;
    layers.iter().find(|l| l.name == input && l.output == layer.output).cloned()
}

/// Returns the last ReLU before the block that `name` belongs to: the features that its convolution
/// combines.
pub fn previous_block<'a>(layers: &'a [LayerInfo], name: &str) -> Option<&'a LayerInfo> {
    let at = layers.iter().position(|l| l.name == name)?;
    let is_weighted = |l: &LayerInfo| matches!(l.kind, LayerKind::Conv2d | LayerKind::Linear);
    let convolution = layers[..=at].iter().rposition(is_weighted)?;
    layers[..convolution].iter().rev().find(|l| l.kind == LayerKind::Relu)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_shares_at_least_half_of_the_letters() {
        let names = ["conv2d_1", "batch_normalization_1", "activation_1"];
        assert_eq!(nearest("conv2d1", &names), Some("conv2d_1"));
        assert_eq!(nearest("batch_normalisation_1", &names), Some("batch_normalization_1"));
        assert_eq!(nearest("foo", &names), None);
        assert_eq!(nearest("", &[]), None);
    }
}
