//! The specification of a network: the content of a TOML file, and part of a weights file.

use crate::nn::ActivationFunction;
use serde::{Deserialize, Serialize};

/// A network without its weights. For the limits of its sizes, see [`crate::limits`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// Name of the architecture.
    pub name: String,
    /// Shape of one input, `[channels, height, width]`.
    #[serde(default = "default_input")]
    pub input: [usize; 3],
    /// Names of the classes, in the order of the outputs.
    #[serde(default = "default_classes")]
    pub classes: Vec<String>,
    /// μ of z = (x − μ)/σ, x in [0, 1]; set from the training data.
    #[serde(default = "default_mean")]
    pub mean: f64,
    /// σ of z = (x − μ)/σ.
    #[serde(default = "default_std")]
    pub std: f64,
    /// The layers from the pixels to the logits.
    pub layers: Vec<LayerSpec>,
}

fn default_input() -> [usize; 3] {
    [1, crate::SIDE, crate::SIDE]
}
fn default_classes() -> Vec<String> {
    crate::CLASS_NAMES.map(String::from).to_vec()
}
fn default_mean() -> f64 {
    0.5
}
fn default_std() -> f64 {
    0.25
}

/// One layer without its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum LayerSpec {
    /// Convolution.
    Conv2d {
        /// Output channels.
        filters: usize,
        /// Side of the kernel.
        #[serde(default = "three")]
        kernel: usize,
        /// Stride: step between windows.
        #[serde(default = "one")]
        stride: usize,
        /// Zeros on each side; by default ⌊dilation·(kernel − 1)/2⌋, which with stride 1 keeps the
        /// size where the kernel is odd.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        padding: Option<usize>,
        /// Distance between neighbouring weights of the kernel.
        #[serde(default = "one")]
        dilation: usize,
        /// Number of independent groups of channels.
        #[serde(default = "one")]
        groups: usize,
        /// Whether a constant is added to each channel (no use before a batch norm).
        #[serde(default)]
        bias: bool,
    },
    /// Batch norm.
    BatchNormalization {
        /// Added to the variance.
        #[serde(default = "default_eps")]
        eps: f64,
        /// m of new = (1 − m)·old + m·batch.
        #[serde(default = "default_momentum")]
        momentum: f64,
    },
    /// Activation function.
    Activation {
        /// The function.
        #[serde(default = "relu")]
        function: ActivationFunction,
    },
    /// Max pooling.
    #[serde(rename = "max_pooling2d")]
    MaxPooling2d {
        /// Side of the window, and step.
        #[serde(default = "two")]
        size: usize,
    },
    /// Average pooling.
    #[serde(rename = "average_pooling2d")]
    AveragePooling2d {
        /// Side of the window, and step.
        #[serde(default = "two")]
        size: usize,
    },
    /// Global average pooling: the mean of each channel.
    #[serde(rename = "global_average_pooling2d")]
    GlobalAveragePooling2d {},
    /// `[n, c, h, w]` → `[n, c·h·w]`.
    Flatten {},
    /// Fully connected layer.
    Linear {
        /// Number of outputs.
        units: usize,
    },
    /// Random zeros in training.
    Dropout {
        /// Share of zeros.
        rate: f64,
    },
    /// Squeeze and excitation: channels scaled by weights computed from the whole image.
    SqueezeExcite {
        /// The hidden layer has channels/reduction units.
        #[serde(default = "four")]
        reduction: usize,
    },
    /// Residual block: x + layers(x).
    Residual {
        /// The branch.
        layers: Vec<LayerSpec>,
    },
}

fn one() -> usize {
    1
}
fn two() -> usize {
    2
}
fn three() -> usize {
    3
}
fn four() -> usize {
    4
}
fn default_eps() -> f64 {
    1e-5
}
fn default_momentum() -> f64 {
    0.1
}
fn relu() -> ActivationFunction {
    ActivationFunction::Relu
}

impl LayerSpec {
    /// Returns a 3×3 convolution that keeps the size, without bias.
    pub fn conv3x3(filters: usize) -> Self {
        LayerSpec::Conv2d {
            filters,
            kernel: 3,
            stride: 1,
            padding: None,
            dilation: 1,
            groups: 1,
            bias: false,
        }
    }
    /// Returns a batch norm with the usual constants.
    pub fn batch_norm() -> Self {
        LayerSpec::BatchNormalization { eps: default_eps(), momentum: default_momentum() }
    }
    /// Returns a ReLU.
    pub fn relu() -> Self {
        LayerSpec::Activation { function: ActivationFunction::Relu }
    }
}
