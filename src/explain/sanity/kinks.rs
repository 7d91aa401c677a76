//! Kinks of a network: faces at which a ReLU or a maximum is about to change its branch.
//!
//! A network of ReLUs and maxima is piecewise smooth. Where the input of a ReLU is 0, or two cells
//! share the maximum of a window, it has no derivative, and rounding decides which of the pieces a
//! gradient belongs to. A gradient can be checked only where no branch changes.

use crate::Result;
use crate::autograd::Var;
use crate::explain::face_resize::FaceResize;
use crate::model::Network;
use crate::nn::{ActivationFunction, Layer, Pass, SqueezeExcite};
use crate::ops::{self, Pool2dOptions};
use crate::random::{Purpose, Rng};
use crate::tensor::{Element, Tensor};

/// The branch that every ReLU and every maximum of a layer takes on one face.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerBranches {
    /// Name of the layer.
    pub layer: String,
    /// Shape of its output without the batch axis.
    pub shape: Vec<usize>,
    /// Branch of each unit: whether a ReLU is open, or which cell of its window is the largest.
    pub taken: Vec<u16>,
    /// Distance of each unit from its next branch, relative to the largest input of the layer.
    pub margins: Vec<f64>,
}

/// A unit that stands at a kink.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Kink {
    /// Name of the layer.
    pub layer: String,
    /// Channel, row and column of the unit; a vector has rows and columns 0.
    pub unit: [usize; 3],
    /// Distance from the next branch, relative to the largest input of the layer.
    pub margin: f64,
}

/// Returns the logits of an input `[1, c, h, w]` of the network, and the branches of all layers, in
/// evaluation.
///
/// **Errors**: those of the network.
pub fn branches<T: Element>(
    network: &Network<T>,
    input: Tensor<T>,
) -> Result<(Vec<T>, Vec<LayerBranches>)> {
    let mut pass = Pass::eval();
    pass.watch_all();
    let logits = network.forward(&mut pass, &Var::constant(input))?.value().to_vec();
    let outputs = pass.outputs();
    let layers = network.walk()?;
    let mut found = Vec::new();
    // In the order in which the layers ran, the output before is the input.
    for (i, (name, y)) in outputs.iter().enumerate().skip(1) {
        let (x, y) = (outputs[i - 1].1.value(), y.value());
        let layer = layers.iter().map(|(layer, _)| *layer).find(|l| l.name() == name);
        let parts = match layer {
            Some(Layer::Activation(l)) if is_rectifier(l.function) => signs(x),
            Some(Layer::MaxPool2d(_, options)) => {
                let rectified = is_not_negative(x);
                maxima(x, y.shape()[2..].try_into().unwrap_or([0, 0]), *options, rectified)
            }
            Some(Layer::SqueezeExcite(l)) => signs(&hidden(l, x)?),
            _ => continue,
        };
        let scale = x.to_vec().iter().fold(f64::MIN_POSITIVE, |top, v| top.max(v.to_f64().abs()));
        found.push(LayerBranches {
            layer: name.clone(),
            shape: y.shape()[1..].to_vec(),
            taken: parts.iter().map(|(taken, _)| *taken).collect(),
            margins: parts.iter().map(|(_, margin)| margin / scale).collect(),
        });
    }
    Ok((logits, found))
}

/// Margin below which a unit of the network in f64 stands on a tie.
pub const TIE: f64 = 1e-10;

/// Returns the units whose branches differ, and those on a tie, by increasing margin in `exact`.
pub fn kinks(exact: &[LayerBranches], other: &[LayerBranches]) -> Vec<Kink> {
    let mut kinks: Vec<Kink> = exact
        .iter()
        .zip(other)
        .flat_map(|(a, b)| {
            let stands_on_one = |u: &usize| a.taken[*u] != b.taken[*u] || a.margins[*u] < TIE;
            (0..a.taken.len()).filter(stands_on_one).map(|unit| a.kink(unit))
        })
        .collect();
    kinks.sort_by(|a, b| a.margin.total_cmp(&b.margin));
    kinks
}

impl LayerBranches {
    fn kink(&self, unit: usize) -> Kink {
        let cells: usize = self.shape[1..].iter().product();
        let width = self.shape.get(2).copied().unwrap_or(1);
        let place = [unit / cells, unit % cells / width, unit % width];
        Kink { layer: self.layer.clone(), unit: place, margin: self.margins[unit] }
    }
}

fn is_rectifier(function: ActivationFunction) -> bool {
    matches!(function, ActivationFunction::Relu | ActivationFunction::LeakyRelu)
}

fn is_not_negative<T: Element>(x: &Tensor<T>) -> bool {
    x.to_vec().iter().all(|v| *v >= T::ZERO)
}

/// Branch and distance of the ReLU of each value.
fn signs<T: Element>(x: &Tensor<T>) -> Vec<(u16, f64)> {
    x.to_vec().iter().map(|v| (u16::from(*v > T::ZERO), v.to_f64().abs())).collect()
}

/// The hidden units of squeeze and excitation before their ReLU, `[1, hidden]`.
fn hidden<T: Element>(layer: &SqueezeExcite<T>, x: &Tensor<T>) -> Result<Tensor<T>> {
    let mut pass = Pass::eval();
    let mean = ops::global_avg_pool2d(&mut pass.tape, &Var::constant(x.clone()))?;
    Ok(layer.squeeze.forward(&mut pass, &mean)?.into_value())
}

/// Cell and distance of the maximum of each window of x `[1, c, h, w]`. A window of zeros after a
/// ReLU has no kink of its own: the ReLU lets no gradient through.
fn maxima<T: Element>(
    x: &Tensor<T>,
    [h_out, w_out]: [usize; 2],
    o: Pool2dOptions,
    rectified: bool,
) -> Vec<(u16, f64)> {
    let (values, shape) = (x.to_vec(), x.shape());
    let [c, h, w] = [shape[1], shape[2], shape[3]];
    let window = |channel: usize, i: usize, j: usize| {
        let (mut top, mut second, mut at) = (f64::NEG_INFINITY, f64::NEG_INFINITY, 0);
        for cell in 0..o.kernel[0] * o.kernel[1] {
            let row = (i * o.stride[0] + cell / o.kernel[1]).wrapping_sub(o.padding[0]);
            let column = (j * o.stride[1] + cell % o.kernel[1]).wrapping_sub(o.padding[1]);
            if row >= h || column >= w {
                continue; // padding
            }
            let v = values[(channel * h + row) * w + column].to_f64();
            if v > top {
                (second, top, at) = (top, v, cell);
            } else {
                second = second.max(v);
            }
        }
        if rectified && top <= 0.0 { (0, f64::INFINITY) } else { (at as u16, top - second) }
    };
    let cells = h_out * w_out;
    (0..c * cells).map(|u| window(u / cells, u % cells / w_out, u % w_out)).collect()
}

/// Amplitude of the uniform noise that leads away from kinks.
pub const JITTER: f64 = 0.02;
/// Draws of the noise until no unit stands at a kink.
const DRAWS: u64 = 64;

/// The kinks of a face: where f32 and f64 take different branches, or rounding alone decides.
#[derive(Clone, Debug, serde::Serialize)]
pub struct KinksOfFace {
    /// Units at which the two precisions differ, or that stand on a tie.
    pub units: usize,
    /// The unit among them that is furthest from its kink.
    pub widest: Option<Kink>,
    /// Distance of the f32 gradient from the f64 one at the face itself, relative in the Euclidean
    /// norm. With kinks the two are gradients of neighbouring pieces.
    pub gap: f64,
    /// Amplitude of the noise that leads away from the kinks; 0 where there are none.
    pub noise: f64,
}

/// Returns the face, or a noisy copy of it, at which f32 and f64 take the same branches, and the
/// kinks of the face. Without such a copy, the one with the fewest differences.
pub(super) fn away_from_kinks(
    network: &Network<f32>,
    wide: &Network<f64>,
    face: &[f32],
    seed: u64,
) -> Result<(Vec<f32>, KinksOfFace)> {
    let kinks_at = |x: &[f32]| -> Result<Vec<Kink>> {
        let exact = branches(wide, input(wide, &widen(x))?)?.1;
        Ok(kinks(&exact, &branches(network, input(network, x)?)?.1))
    };
    let own = kinks_at(face)?;
    let noise = if own.is_empty() { 0.0 } else { JITTER };
    let mut best = (own.len(), face.to_vec());
    for draw in 0..DRAWS {
        if best.0 == 0 {
            break;
        }
        let mut rng = Rng::new(seed, Purpose::Explain, 23, draw);
        let moved: Vec<f32> =
            face.iter().map(|v| v + rng.uniform_in(-JITTER, JITTER) as f32).collect();
        let left = kinks_at(&moved)?.len();
        if left < best.0 {
            best = (left, moved);
        }
    }
    let kinks = KinksOfFace { units: own.len(), widest: own.last().cloned(), gap: 0.0, noise };
    Ok((best.1, kinks))
}

/// Resizes a face to the input of the network, `[1, 1, side, side]`.
pub(super) fn input<T: Element>(network: &Network<T>, face: &[T]) -> Result<Tensor<T>> {
    let shape = network.spec.input;
    Tensor::from_slice(&FaceResize::new(shape[1]).forward(face), &[1, 1, shape[1], shape[2]])
}

pub(super) fn widen(face: &[f32]) -> Vec<f64> {
    face.iter().map(|&v| f64::from(v)).collect()
}
