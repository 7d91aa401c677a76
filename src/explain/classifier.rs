//! What an explanation may ask of a network.
//!
//! Always in evaluation mode: there is no other. In training mode batch normalisation couples the
//! faces of a batch, so "the gradient of one face" would depend on its neighbours.

use crate::Result;
pub use crate::explain::Target;
use crate::stats::softmax;
use std::ops::Range;

/// How a ReLU passes gradients on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackwardRule {
    /// By its derivative.
    #[default]
    Standard,
    /// Guided backpropagation (Springenberg et al. 2014): it blocks negative gradients too.
    Guided,
}

/// Scores of n faces and their gradient.
#[derive(Clone, Debug, Default)]
pub struct InputGradient {
    /// Target score of each face, `[n]`.
    pub scores: Vec<f32>,
    /// Logits, `[n, classes]`.
    pub logits: Vec<f32>,
    /// d score / d pixel, pixel in \[0,1\], `[n, 48, 48]`.
    pub gradient: Vec<f32>,
}

/// Feature maps `[n, c, h, w]`, row-major. A vector-valued layer has h = w = 1.
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
    /// The map of one channel of one face.
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

/// Feature maps of a layer with the gradient of the target with respect to them.
#[derive(Clone, Debug, Default)]
pub struct LayerGradient {
    /// The layer's output.
    pub maps: FeatureMaps,
    /// d score / d map, laid out as `maps.data`.
    pub gradient: Vec<f32>,
    /// Target score of each face.
    pub scores: Vec<f32>,
    /// Logits, `[n, classes]`.
    pub logits: Vec<f32>,
}

/// What a layer does, as far as explanations care.
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

/// Receptive field of a layer's cells, in pixels of the face: cell i sees the `size` pixels
/// around `start + i·jump`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReceptiveField {
    /// Side.
    pub size: usize,
    /// Distance between neighbouring cells.
    pub jump: f64,
    /// Centre of cell 0; pixel 0's centre is 0.
    pub start: f64,
}

impl ReceptiveField {
    /// A pixel's own.
    pub const PIXEL: ReceptiveField = ReceptiveField { size: 1, jump: 1.0, start: 0.0 };

    /// The field one layer further: kernel k, stride s, padding p, dilation d.
    pub fn through(self, k: usize, s: usize, p: usize, d: usize) -> Self {
        let reach = (k.saturating_sub(1) * d) as f64;
        ReceptiveField {
            size: self.size.saturating_add((reach * self.jump).round() as usize),
            jump: self.jump * s as f64,
            start: self.start + (reach / 2.0 - p as f64) * self.jump,
        }
    }
    /// First pixel (possibly negative) that cell i sees.
    pub fn first(&self, i: usize) -> isize {
        (self.start + i as f64 * self.jump - (self.size as f64 - 1.0) / 2.0).round() as isize
    }
}

/// A layer as an explanation sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerInfo {
    /// Keras-style name, `conv2d_3`.
    pub name: String,
    /// What it does.
    pub kind: LayerKind,
    /// Output channels, rows, columns; a vector has 1 × 1 cells.
    pub output: [usize; 3],
    /// What a cell of it sees.
    pub receptive_field: ReceptiveField,
    /// The layer that feeds it; `None` for the first, or where several do.
    pub input: Option<String>,
    /// Scale of each channel, where the layer is a batch normalisation.
    pub gamma: Option<Vec<f32>>,
}

impl LayerInfo {
    /// Whether the output is a map rather than a vector.
    pub fn has_map(&self) -> bool {
        self.output[1] > 1 && self.output[2] > 1
    }

    /// Cells of one axis whose receptive field stays inside the face, so that zero padding
    /// cannot reward them. Where no cell does, the border cell is dropped, if cells remain.
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

/// How the network standardises a pixel: z = (x − mean)/std.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    /// Mean pixel.
    pub mean: f32,
    /// Standard deviation.
    pub std: f32,
}

/// What activation maximisation raises, one unit for each face of the batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Objective {
    /// Mean of one channel over its interior cells.
    Channel {
        /// The layer.
        layer: LayerInfo,
        /// A channel for each face.
        units: Vec<usize>,
    },
    /// The strongest interior cell of one channel. For a layer that is linear in the pixels: the
    /// mean of its cells is a sum in which all but the border cancels, so it asks for a frame.
    Peak {
        /// The layer.
        layer: LayerInfo,
        /// A channel for each face.
        units: Vec<usize>,
    },
    /// The middle cell of one channel.
    Centre {
        /// The layer.
        layer: LayerInfo,
        /// A channel for each face.
        units: Vec<usize>,
    },
    /// A class logit.
    Logit {
        /// A class for each face.
        units: Vec<usize>,
    },
}

impl Objective {
    /// The layer whose output the objective reads; `None` means the logits.
    pub fn layer(&self) -> Option<&str> {
        match self {
            Objective::Channel { layer, .. }
            | Objective::Peak { layer, .. }
            | Objective::Centre { layer, .. } => Some(&layer.name),
            Objective::Logit { .. } => None,
        }
    }
    /// The unit of each face.
    pub fn units(&self) -> &[usize] {
        match self {
            Objective::Channel { units, .. }
            | Objective::Peak { units, .. }
            | Objective::Centre { units, .. }
            | Objective::Logit { units } => units,
        }
    }
    /// The same objective for other faces.
    pub fn with_units(&self, units: Vec<usize>) -> Objective {
        match self {
            Objective::Channel { layer, .. } => Objective::Channel { layer: layer.clone(), units },
            Objective::Peak { layer, .. } => Objective::Peak { layer: layer.clone(), units },
            Objective::Centre { layer, .. } => Objective::Centre { layer: layer.clone(), units },
            Objective::Logit { .. } => Objective::Logit { units },
        }
    }
    /// Rows and columns of a map `[h, w]` that count.
    pub fn cells(&self, map: &[f32], h: usize, w: usize) -> (Range<usize>, Range<usize>) {
        match self {
            Objective::Channel { layer, .. } => (layer.interior(h), layer.interior(w)),
            Objective::Peak { layer, .. } => {
                let (i, j) = layer.strongest_cell(map, h, w);
                (i..i + 1, j..j + 1)
            }
            Objective::Centre { .. } => (h / 2..h / 2 + 1, w / 2..w / 2 + 1),
            Objective::Logit { .. } => (0..h, 0..w),
        }
    }
    /// Value of each face from the layer's output (logits as maps of 1 × 1 cells).
    pub fn values(&self, maps: &FeatureMaps) -> Vec<f32> {
        let mean = |map: &[f32]| {
            let (rows, columns) = self.cells(map, maps.h, maps.w);
            let count = (rows.len() * columns.len()).max(1) as f64;
            let row = |i: usize| map[i * maps.w..][columns.clone()].iter().map(|&v| f64::from(v));
            (rows.flat_map(row).sum::<f64>() / count) as f32
        };
        self.units().iter().enumerate().map(|(f, &k)| mean(maps.channel(f, k))).collect()
    }
    /// d value / d output: what the backward pass starts from, laid out as the maps.
    pub fn map_gradient(&self, maps: &FeatureMaps) -> Vec<f32> {
        let mut gradient = vec![0.0; maps.data.len()];
        for (face, &unit) in self.units().iter().enumerate() {
            let (rows, columns) = self.cells(maps.channel(face, unit), maps.h, maps.w);
            let weight = 1.0 / (rows.len() * columns.len()).max(1) as f32;
            let start = (face * maps.c + unit) * maps.h * maps.w;
            for i in rows {
                gradient[start + i * maps.w..][columns.clone()].fill(weight);
            }
        }
        gradient
    }
}

/// Values of an objective and their gradient with respect to the pixels.
#[derive(Clone, Debug, Default)]
pub struct ObjectiveGradient {
    /// Value for each face.
    pub values: Vec<f32>,
    /// d value / d pixel, `[n, 48, 48]`.
    pub gradient: Vec<f32>,
}

/// What an explanation may ask of a network, always in evaluation mode.
///
/// Faces are n·2304 values in \[0,1\], row-major. An implementation may assume that counts fit
/// (one target for each face, classes in range): whoever asks calls [`check()`](crate::explain::validate::check)
/// first, as the functions of [`super`] do.
pub trait Classifier {
    /// Number of classes.
    fn classes(&self) -> usize;
    /// Logits, `[n, classes]`.
    fn logits(&self, faces: &[f32]) -> Result<Vec<f32>>;
    /// Probabilities of one face's logits as people are shown them.
    fn probabilities(&self, logits: &[f32]) -> Vec<f32> {
        softmax(logits, 1.0)
    }
    /// Gradient of each face's target with respect to its pixels.
    fn input_gradient(
        &self,
        faces: &[f32],
        targets: &[Target],
        rule: BackwardRule,
    ) -> Result<InputGradient>;
    /// Feature maps of a layer with the gradient of the target with respect to them.
    fn layer_gradient(
        &self,
        layer: &str,
        faces: &[f32],
        targets: &[Target],
    ) -> Result<LayerGradient>;
    /// Feature maps of a layer.
    fn activations(&self, layer: &str, faces: &[f32]) -> Result<FeatureMaps>;
    /// Value of an objective and its gradient with respect to the pixels: run to the objective's
    /// layer, start the backward pass from [`Objective::map_gradient`].
    fn objective_gradient(&self, objective: &Objective, faces: &[f32])
    -> Result<ObjectiveGradient>;
    /// The layers, from the pixels on.
    fn layers(&self) -> Vec<LayerInfo>;
    /// How pixels are standardised.
    fn normalization(&self) -> Normalization;
}
