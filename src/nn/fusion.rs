//! Finds runs of layers that one op computes, for training and for inference.
//!
//! A run ends at a layer whose output is watched, because that output must be computed.

use crate::nn::{ActivationFunction, BatchNorm2d, Layer, SqueezeExcite};
use crate::ops::Pool2dOptions;
use crate::tensor::Element;

/// A batch norm, a ReLU and a 2×2 max pooling, each at most once.
pub(crate) struct NormReluPool<'a, T: Element> {
    /// The batch norm.
    pub norm: Option<&'a BatchNorm2d<T>>,
    /// Whether there is a ReLU.
    pub relu: bool,
    /// Whether there is a pooling.
    pub pool: bool,
    /// Number of layers.
    pub layers: usize,
}

impl<'a, T: Element> NormReluPool<'a, T> {
    /// Finds the longest run at the beginning of `layers`: batch norm, ReLU, pooling, in this
    /// order.
    ///
    /// The pooling may also come first, because a ReLU commutes with a maximum, and so does a batch
    /// norm if no γ is negative.
    pub(crate) fn find(layers: &'a [Layer<T>], is_watched: impl Fn(&str) -> bool) -> Self {
        let mut run = Self { norm: None, relu: false, pool: false, layers: 0 };
        let pool_first = layers.first().is_some_and(is_2x2_max_pool);
        for layer in layers {
            match layer {
                Layer::BatchNorm2d(norm) if run.norm.is_none() && !run.relu => {
                    if run.pool && !is_increasing(norm) {
                        break;
                    }
                    run.norm = Some(norm);
                }
                layer if is_relu(layer) && !run.relu => run.relu = true,
                layer if is_2x2_max_pool(layer) && !run.pool => run.pool = true,
                _ => break,
            }
            run.layers += 1;
            if is_watched(layer.name()) || run.pool && !pool_first {
                break;
            }
        }
        run
    }
}

/// A residual block whose branch ends in squeeze and excitation, and the ReLU after it.
pub(crate) struct ResidualScaleRelu<'a, T: Element> {
    /// The layers of the branch before `end`.
    pub branch: &'a [Layer<T>],
    /// The last layer of the branch.
    pub end: &'a SqueezeExcite<T>,
}

impl<'a, T: Element> ResidualScaleRelu<'a, T> {
    /// Finds such layers at the beginning of `layers`.
    pub(crate) fn find(layers: &'a [Layer<T>], is_watched: impl Fn(&str) -> bool) -> Option<Self> {
        let [Layer::Residual(block), relu, ..] = layers else { return None };
        let [branch @ .., Layer::SqueezeExcite(end)] = &block.body.0[..] else { return None };
        let fits = is_relu(relu) && !is_watched(&block.name) && !is_watched(&end.name);
        fits.then_some(Self { branch, end })
    }
}

/// Returns whether the layer is a ReLU.
pub(crate) fn is_relu<T: Element>(layer: &Layer<T>) -> bool {
    matches!(layer, Layer::Activation(l) if l.function == ActivationFunction::Relu)
}

fn is_2x2_max_pool<T: Element>(layer: &Layer<T>) -> bool {
    matches!(layer, Layer::MaxPool2d(_, o) if *o == Pool2dOptions::square(2))
}

/// Returns whether no channel of the output falls as its input rises.
fn is_increasing<T: Element>(norm: &BatchNorm2d<T>) -> bool {
    norm.gamma.value.as_slice().iter().all(|&gamma| gamma >= T::ZERO)
}
