//! A network as data: what a TOML file says, what a weights file carries.

use crate::error::{Error, Result};
use crate::memory::Element;
use crate::nn::{
    Activation, BatchNorm2d, Builder, Conv2d, Function, Layer, Linear, Residual, Sequential,
    SqueezeExcite,
};
use crate::ops::conv2d::Conv2dOptions;
use crate::ops::max_pool2d::Pool2dOptions;
use serde::{Deserialize, Serialize};

/// A network without its weights.
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
        /// Step between windows.
        #[serde(default = "one")]
        stride: usize,
        /// Zeros on each side; by default the kernel's reach, so that stride 1 keeps the size.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        padding: Option<usize>,
        /// Distance between taps.
        #[serde(default = "one")]
        dilation: usize,
        /// Independent groups of channels.
        #[serde(default = "one")]
        groups: usize,
        /// Add a learnt constant to each channel (pointless before a batch norm).
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
    /// Nonlinearity.
    Activation {
        /// Which one.
        #[serde(default = "relu")]
        function: Function,
    },
    /// Maximum of each window.
    #[serde(rename = "max_pooling2d")]
    MaxPooling2d {
        /// Side of the window, and step.
        #[serde(default = "two")]
        size: usize,
    },
    /// Mean of each window.
    #[serde(rename = "average_pooling2d")]
    AveragePooling2d {
        /// Side of the window, and step.
        #[serde(default = "two")]
        size: usize,
    },
    /// Mean of each channel.
    #[serde(rename = "global_average_pooling2d")]
    GlobalAveragePooling2d {},
    /// Pictures to rows.
    Flatten {},
    /// Fully connected.
    Linear {
        /// Outputs.
        units: usize,
    },
    /// Random zeros in training.
    Dropout {
        /// Share of zeros.
        rate: f64,
    },
    /// Channels weighed by the whole picture.
    SqueezeExcite {
        /// The hidden layer has channels/reduction units.
        #[serde(default = "four")]
        reduction: usize,
    },
    /// x + layers(x).
    Residual {
        /// What is added.
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
fn relu() -> Function {
    Function::Relu
}

impl LayerSpec {
    /// 3×3 convolution that keeps the size, without bias.
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
    /// Batch norm with the field's constants.
    pub fn batch_norm() -> Self {
        LayerSpec::BatchNormalization { eps: default_eps(), momentum: default_momentum() }
    }
    /// ReLU.
    pub fn relu() -> Self {
        LayerSpec::Activation { function: Function::Relu }
    }
}

/// Builds layers from their specifications, following the shape from layer to layer.
pub(super) fn build_layers<T: Element>(
    specs: &[LayerSpec],
    b: &mut Builder,
    input: &[usize],
) -> Result<Sequential<T>> {
    let mut shape = input.to_vec();
    let mut layers = Vec::with_capacity(specs.len());
    for spec in specs {
        let layer = build_layer(spec, b, &shape)?;
        shape = layer.output_shape(&shape)?;
        layers.push(layer);
    }
    Ok(Sequential(layers))
}

fn build_layer<T: Element>(spec: &LayerSpec, b: &mut Builder, input: &[usize]) -> Result<Layer<T>> {
    let refuse = |why: String| Err(Error::shape("network", why));
    let channels = input.first().copied().unwrap_or(0);
    Ok(match *spec {
        LayerSpec::Conv2d { filters, kernel, stride, padding, dilation, groups, bias } => {
            let sizes = [filters, kernel, stride, dilation, groups];
            if input.len() != 3 || sizes.contains(&0) || channels % groups != 0 {
                return refuse(format!("{spec:?} cannot follow {input:?}"));
            }
            let pad = padding.unwrap_or(dilation * (kernel - 1) / 2);
            let options = Conv2dOptions {
                stride: [stride; 2],
                padding: [pad; 2],
                dilation: [dilation; 2],
                groups,
            };
            Layer::Conv2d(Conv2d::new(b, channels, filters, [kernel; 2], bias, options))
        }
        LayerSpec::BatchNormalization { eps, momentum } => {
            if !(eps > 0.0 && (0.0..=1.0).contains(&momentum)) {
                return refuse(format!("batch norm: eps {eps}, momentum {momentum}"));
            }
            Layer::BatchNorm2d(BatchNorm2d::new(b, channels, eps, momentum))
        }
        LayerSpec::Activation { function } => {
            Layer::Activation(Activation { name: b.name("activation"), function })
        }
        LayerSpec::MaxPooling2d { size } => {
            Layer::MaxPool2d(b.name("max_pooling2d"), Pool2dOptions::square(size))
        }
        LayerSpec::AveragePooling2d { size } => {
            Layer::AvgPool2d(b.name("average_pooling2d"), Pool2dOptions::square(size))
        }
        LayerSpec::GlobalAveragePooling2d {} => {
            Layer::GlobalAvgPool2d(b.name("global_average_pooling2d"))
        }
        LayerSpec::Flatten {} => Layer::Flatten(b.name("flatten")),
        LayerSpec::Linear { units } => {
            if input.len() != 1 || units == 0 {
                return refuse(format!(
                    "linear with {units} units cannot follow {input:?}; put flatten or \
                     global_average_pooling2d before it"
                ));
            }
            let name = b.name("linear");
            Layer::Linear(Linear::new(b, name, channels, units))
        }
        LayerSpec::Dropout { rate } => {
            if !(0.0..1.0).contains(&rate) {
                return refuse(format!("dropout rate {rate}, expected 0 ≤ rate < 1"));
            }
            Layer::Dropout(b.name("dropout"), rate)
        }
        LayerSpec::SqueezeExcite { reduction } => {
            if input.len() != 3 {
                return refuse(format!("squeeze_excite cannot follow {input:?}"));
            }
            Layer::SqueezeExcite(SqueezeExcite::new(b, channels, reduction))
        }
        LayerSpec::Residual { ref layers } => {
            let name = b.name("residual");
            Layer::Residual(Residual { name, body: build_layers(layers, b, input)? })
        }
    })
}
