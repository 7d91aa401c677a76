//! The layers, as one enum.

use crate::autograd::Var;
use crate::nn::{BatchNorm2d, Conv2d, Linear, Parameter, Pass, SqueezeExcite};
use crate::ops::{self, Pool2dOptions};
use crate::tensor::{Element, Tensor};
use crate::{Error, Result};
use fer_kernels::Pool2dGeometry;
use serde::{Deserialize, Serialize};

/// An activation function, without parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivationFunction {
    /// max(x, 0).
    Relu,
    /// x, or 0.01·x below 0.
    LeakyRelu,
    /// 1/(1 + e⁻ˣ).
    Sigmoid,
    /// tanh x.
    Tanh,
    /// e^x / Σ e^x over the features, in `[n, features]` only.
    Softmax,
}

/// A layer that applies an activation function.
#[derive(Clone, Debug)]
pub struct Activation {
    /// `activation_1`, …
    pub name: String,
    /// The function.
    pub function: ActivationFunction,
}

/// Layers that run one after the other. Its methods are in `sequential.rs`.
#[derive(Clone, Debug)]
pub struct Sequential<T: Element = f32>(pub Vec<Layer<T>>);

/// A residual block: y = x + body(x).
#[derive(Clone, Debug)]
pub struct Residual<T: Element = f32> {
    /// `residual_1`, …
    pub name: String,
    /// The branch; its output has the shape of x.
    pub body: Sequential<T>,
}

/// Any layer.
#[derive(Clone, Debug)]
pub enum Layer<T: Element = f32> {
    /// Convolution.
    Conv2d(Conv2d<T>),
    /// Batch normalisation.
    BatchNorm2d(BatchNorm2d<T>),
    /// Activation function.
    Activation(Activation),
    /// Max pooling.
    MaxPool2d(String, Pool2dOptions),
    /// Average pooling.
    AvgPool2d(String, Pool2dOptions),
    /// Global average pooling: the mean of each channel.
    GlobalAvgPool2d(String),
    /// `[n, c, h, w]` → `[n, c·h·w]`.
    Flatten(String),
    /// Fully connected layer.
    Linear(Linear<T>),
    /// Random zeros in training; the number is the share of zeros.
    Dropout(String, f64),
    /// Residual block: x + body(x).
    Residual(Residual<T>),
    /// Squeeze and excitation: channels scaled by weights computed from the whole image.
    SqueezeExcite(SqueezeExcite<T>),
}

impl<T: Element> Layer<T> {
    /// Returns its name, unique in the network.
    pub fn name(&self) -> &str {
        match self {
            Layer::Conv2d(l) => &l.name,
            Layer::BatchNorm2d(l) => &l.name,
            Layer::Activation(l) => &l.name,
            Layer::MaxPool2d(name, _)
            | Layer::AvgPool2d(name, _)
            | Layer::GlobalAvgPool2d(name)
            | Layer::Flatten(name)
            | Layer::Dropout(name, _) => name,
            Layer::Linear(l) => &l.name,
            Layer::Residual(l) => &l.name,
            Layer::SqueezeExcite(l) => &l.name,
        }
    }

    /// Returns the kind of layer by its Keras name.
    pub fn kind(&self) -> &'static str {
        match self {
            Layer::Conv2d(_) => "Conv2D",
            Layer::BatchNorm2d(_) => "BatchNormalization",
            Layer::Activation(_) => "Activation",
            Layer::MaxPool2d(..) => "MaxPooling2D",
            Layer::AvgPool2d(..) => "AveragePooling2D",
            Layer::GlobalAvgPool2d(_) => "GlobalAveragePooling2D",
            Layer::Flatten(_) => "Flatten",
            Layer::Linear(_) => "Linear",
            Layer::Dropout(..) => "Dropout",
            Layer::Residual(_) => "Residual",
            Layer::SqueezeExcite(_) => "SqueezeExcite",
        }
    }

    /// Runs the layer.
    ///
    /// # Errors
    /// [`Error::Shape`] if x does not fit.
    pub fn forward(&self, pass: &mut Pass<T>, x: &Var<T>) -> Result<Var<T>> {
        let y = match self {
            Layer::Conv2d(l) => l.forward(pass, x)?,
            Layer::BatchNorm2d(l) => l.forward(pass, x, None)?,
            Layer::Activation(l) => match l.function {
                ActivationFunction::Relu => ops::relu(&mut pass.tape, x)?,
                ActivationFunction::LeakyRelu => ops::leaky_relu(&mut pass.tape, x, 0.01)?,
                ActivationFunction::Sigmoid => ops::sigmoid(&mut pass.tape, x)?,
                ActivationFunction::Tanh => ops::tanh(&mut pass.tape, x)?,
                ActivationFunction::Softmax => ops::softmax(&mut pass.tape, x)?,
            },
            Layer::MaxPool2d(_, options) => ops::max_pool2d(&mut pass.tape, x, *options)?,
            Layer::AvgPool2d(_, options) => ops::avg_pool2d(&mut pass.tape, x, *options)?,
            Layer::GlobalAvgPool2d(_) => ops::global_avg_pool2d(&mut pass.tape, x)?,
            Layer::Flatten(_) => {
                let shape = x.shape();
                let features = shape[1..].iter().product();
                ops::reshape(&mut pass.tape, x, &[shape[0], features])?
            }
            Layer::Linear(l) => l.forward(pass, x)?,
            Layer::Dropout(_, rate) => match pass.dropout_rng() {
                Some(rng) => ops::dropout(&mut pass.tape, x, *rate, rng)?,
                None => x.clone(),
            },
            Layer::Residual(l) => {
                let body = l.body.forward(pass, x)?;
                ops::add(&mut pass.tape, x, &body)?
            }
            Layer::SqueezeExcite(l) => l.forward(pass, x)?,
        };
        pass.end_layer(self.name(), &y);
        Ok(y)
    }

    /// Returns the shape of the output for this shape of the input, both without the batch axis.
    ///
    /// # Errors
    /// [`Error::Shape`] if the layer cannot take such an input.
    pub fn output_shape(&self, input: &[usize]) -> Result<Vec<usize>> {
        let image = || match *input {
            [c, h, w] => Ok([1, c, h, w]),
            _ => {
                let detail = format!("{} needs [c, h, w], found {input:?}", self.name());
                Err(Error::shape("network", detail))
            }
        };
        let fit = |e: fer_kernels::GeometryError| {
            Error::shape("network", format!("{}: {e}", self.name()))
        };
        Ok(match self {
            Layer::Conv2d(l) => {
                let g = l.geometry(image()?)?;
                vec![g.c_out, g.h_out, g.w_out]
            }
            Layer::MaxPool2d(_, o) | Layer::AvgPool2d(_, o) => {
                let g =
                    Pool2dGeometry::new(image()?, o.kernel, o.stride, o.padding).map_err(fit)?;
                vec![g.c, g.h_out, g.w_out]
            }
            Layer::GlobalAvgPool2d(_) => vec![image()?[1]],
            Layer::Flatten(_) => vec![input.iter().product()],
            Layer::Linear(l) => {
                let (outputs, inputs) = (l.weight.value.shape()[0], l.weight.value.shape()[1]);
                if *input != [inputs] {
                    let detail = format!("{} needs [{inputs}], found {input:?}", l.name);
                    return Err(Error::shape("network", detail));
                }
                vec![outputs]
            }
            Layer::Activation(l)
                if l.function == ActivationFunction::Softmax && input.len() != 1 =>
            {
                let detail = format!("{}: softmax needs [features], found {input:?}", l.name);
                return Err(Error::shape("network", detail));
            }
            Layer::SqueezeExcite(l) if l.squeeze.weight.value.elements() == 0 => {
                let detail = format!("{} has no hidden units: reduction 0, at least 1", l.name);
                return Err(Error::shape("network", detail));
            }
            Layer::Residual(l) => {
                let body = l.body.output_shape(input)?;
                if body != input {
                    let detail = format!("{} turns {input:?} into {body:?}", l.name);
                    return Err(Error::shape("network", detail + "; both must be equal"));
                }
                body
            }
            _ => input.to_vec(),
        })
    }

    /// Returns the multiply-accumulates (MAC) for one image of this input shape, of convolutions
    /// and matrices only.
    pub fn macs(&self, input: &[usize]) -> usize {
        let linear = |l: &Linear<T>| l.weight.value.elements();
        match self {
            Layer::Conv2d(l) => {
                self.output_shape(input).map_or(0, |o| o[1] * o[2] * l.weight.value.elements())
            }
            Layer::Linear(l) => linear(l),
            Layer::SqueezeExcite(l) => linear(&l.squeeze) + linear(&l.excite),
            Layer::Residual(l) => l.body.macs(input),
            _ => 0,
        }
    }

    /// Returns the layers of a block; none for other layers.
    pub fn children(&self) -> &[Layer<T>] {
        match self {
            Layer::Residual(l) => &l.body.0,
            _ => &[],
        }
    }

    /// Appends the parameters in order.
    pub fn parameters<'a>(&'a self, out: &mut Vec<&'a Parameter<T>>) {
        match self {
            Layer::Conv2d(l) => out.extend(std::iter::once(&l.weight).chain(&l.bias)),
            Layer::BatchNorm2d(l) => out.extend([&l.gamma, &l.beta]),
            Layer::Linear(l) => out.extend([&l.weight, &l.bias]),
            Layer::SqueezeExcite(l) => {
                for l in [&l.squeeze, &l.excite] {
                    out.extend([&l.weight, &l.bias]);
                }
            }
            Layer::Residual(l) => l.body.0.iter().for_each(|l| l.parameters(out)),
            _ => {}
        }
    }

    /// Appends the parameters in order, mutable.
    pub fn parameters_mut<'a>(&'a mut self, out: &mut Vec<&'a mut Parameter<T>>) {
        match self {
            Layer::Conv2d(l) => out.extend(std::iter::once(&mut l.weight).chain(&mut l.bias)),
            Layer::BatchNorm2d(l) => out.extend([&mut l.gamma, &mut l.beta]),
            Layer::Linear(l) => out.extend([&mut l.weight, &mut l.bias]),
            Layer::SqueezeExcite(l) => {
                for l in [&mut l.squeeze, &mut l.excite] {
                    out.extend([&mut l.weight, &mut l.bias]);
                }
            }
            Layer::Residual(l) => l.body.0.iter_mut().for_each(|l| l.parameters_mut(out)),
            _ => {}
        }
    }

    /// Appends the state of the layer, parameters and running statistics, by name.
    pub fn state<'a>(&'a self, out: &mut Vec<(String, &'a Tensor<T>)>) {
        if let Layer::Residual(l) = self {
            return l.body.0.iter().for_each(|l| l.state(out));
        }
        let mut parameters = Vec::new();
        self.parameters(&mut parameters);
        out.extend(parameters.into_iter().map(|p| (p.name.clone(), &p.value)));
        if let Layer::BatchNorm2d(l) = self {
            out.push((format!("{}.running_mean", l.name), &l.running_mean));
            out.push((format!("{}.running_var", l.name), &l.running_var));
        }
    }

    /// Appends the state of the layer in the same order, mutable.
    pub fn state_mut<'a>(&'a mut self, out: &mut Vec<(String, &'a mut Tensor<T>)>) {
        match self {
            Layer::Residual(l) => l.body.0.iter_mut().for_each(|l| l.state_mut(out)),
            Layer::BatchNorm2d(l) => {
                out.push((l.gamma.name.clone(), &mut l.gamma.value));
                out.push((l.beta.name.clone(), &mut l.beta.value));
                out.push((format!("{}.running_mean", l.name), &mut l.running_mean));
                out.push((format!("{}.running_var", l.name), &mut l.running_var));
            }
            layer => {
                let mut parameters = Vec::new();
                layer.parameters_mut(&mut parameters);
                out.extend(parameters.into_iter().map(|p| (p.name.clone(), &mut p.value)));
            }
        }
    }

    /// Appends the batch norms in order, mutable.
    pub fn batch_norms_mut<'a>(&'a mut self, out: &mut Vec<&'a mut BatchNorm2d<T>>) {
        match self {
            Layer::BatchNorm2d(l) => out.push(l),
            Layer::Residual(l) => l.body.0.iter_mut().for_each(|l| l.batch_norms_mut(out)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::LayerBuilder;

    fn refusal(layer: &Layer, input: &[usize]) -> String {
        layer.output_shape(input).unwrap_err().to_string()
    }

    /// On `[c, h, w]` a softmax along the last axis would run along the width.
    #[test]
    fn softmax_follows_features_only() {
        let layer =
            |function| Layer::Activation(Activation { name: "activation_1".into(), function });
        assert_eq!(layer(ActivationFunction::Softmax).output_shape(&[7]).unwrap(), [7]);
        let text = refusal(&layer(ActivationFunction::Softmax), &[7, 6, 6]);
        assert_eq!(text, "network: activation_1: softmax needs [features], found [7, 6, 6]");
        assert_eq!(layer(ActivationFunction::Relu).output_shape(&[7, 6, 6]).unwrap(), [7, 6, 6]);
    }

    #[test]
    fn a_reduction_of_zero_is_refused() {
        let layer = |reduction| {
            Layer::SqueezeExcite(SqueezeExcite::new(&mut LayerBuilder::new(0), 8, reduction))
        };
        let text = refusal(&layer(0), &[8, 3, 3]);
        assert!(text.contains("squeeze_excite_1") && text.contains("reduction 0"), "{text}");
        for reduction in [1, 8, 100] {
            assert_eq!(layer(reduction).output_shape(&[8, 3, 3]).unwrap(), [8, 3, 3]);
        }
    }
}
