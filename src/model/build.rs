//! Builds the layers of a specification.
//!
//! A specification may come from an untrusted file, so the sizes of every layer are checked against
//! [`crate::limits`] before memory is allocated.

use crate::limits::{MAX_LAYERS, MAX_VALUES};
use crate::model::LayerSpec;
use crate::nn::{
    Activation, BatchNorm2d, Conv2d, Layer, LayerBuilder, Linear, Residual, Sequential,
    SqueezeExcite,
};
use crate::ops::{Conv2dOptions, Pool2dOptions};
use crate::tensor::{Element, Shape};
use crate::{Error, Result};

/// Builds layers and counts their parameters.
pub(crate) struct NetworkBuilder {
    builder: LayerBuilder,
    parameters: usize,
    limit: usize,
    layers: usize,
}

impl NetworkBuilder {
    /// Creates a builder of random weights from `seed`, of at most `limit` parameters.
    pub(crate) fn new(seed: u64, limit: usize) -> Self {
        Self { builder: LayerBuilder::new(seed), parameters: 0, limit, layers: 0 }
    }

    /// Builds layers from their specifications, following the shape from layer to layer.
    ///
    /// # Errors
    /// [`Error::Shape`] if they do not fit together or a limit is exceeded.
    pub(crate) fn layers<T: Element>(
        &mut self,
        specs: &[LayerSpec],
        input: &[usize],
    ) -> Result<Sequential<T>> {
        check_values("the input", input)?;
        let mut shape = input.to_vec();
        let mut layers = Vec::with_capacity(specs.len());
        self.layers = self.layers.saturating_add(specs.len());
        if self.layers > MAX_LAYERS {
            let found = format!("{} layers or more", self.layers);
            return shape_error(format!("{found}, at most {MAX_LAYERS} are allowed"));
        }
        for spec in specs {
            let layer = self.layer(spec, &shape)?;
            shape = layer.output_shape(&shape)?;
            check_values(layer.name(), &shape)?;
            layers.push(layer);
        }
        Ok(Sequential(layers))
    }

    fn layer<T: Element>(&mut self, spec: &LayerSpec, input: &[usize]) -> Result<Layer<T>> {
        let b = &mut self.builder;
        Ok(match *spec {
            LayerSpec::Conv2d { filters, kernel, stride, padding, dilation, groups, bias } => {
                // If this saturates, the kernel does not fit and the convolution returns an error.
                let reach = dilation.saturating_mul(kernel.saturating_sub(1));
                let options = Conv2dOptions {
                    stride: [stride; 2],
                    padding: [padding.unwrap_or(reach / 2); 2],
                    dilation: [dilation; 2],
                    groups,
                };
                Layer::Conv2d(self.conv2d(filters, kernel, bias, options, input)?)
            }
            LayerSpec::BatchNormalization { eps, momentum } => {
                Layer::BatchNorm2d(self.batch_norm(eps, momentum, input)?)
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
            LayerSpec::Linear { units } => Layer::Linear(self.linear(units, input)?),
            LayerSpec::Dropout { rate } if (0.0..1.0).contains(&rate) => {
                Layer::Dropout(b.name("dropout"), rate)
            }
            LayerSpec::Dropout { rate } => {
                return shape_error(format!("dropout rate {rate}, expected 0 ≤ rate < 1"));
            }
            LayerSpec::SqueezeExcite { reduction } => {
                Layer::SqueezeExcite(self.squeeze_excite(reduction, input)?)
            }
            LayerSpec::Residual { ref layers } => {
                let name = b.name("residual");
                Layer::Residual(Residual { name, body: self.layers(layers, input)? })
            }
        })
    }

    fn conv2d<T: Element>(
        &mut self,
        filters: usize,
        kernel: usize,
        bias: bool,
        options: Conv2dOptions,
        input: &[usize],
    ) -> Result<Conv2d<T>> {
        let Conv2dOptions { stride, padding, dilation, groups } = options;
        let does_not_fit = || {
            let what = format!("conv2d with {filters} filters, kernel {kernel} and {options:?}");
            shape_error(format!("{what} cannot follow {input:?}"))
        };
        let &[channels, h, w] = input else { return does_not_fit() };
        let sizes = [filters, kernel, stride[0], dilation[0], groups];
        if sizes.contains(&0) || channels % groups != 0 {
            return does_not_fit();
        }
        let weight = [filters, channels / groups, kernel, kernel];
        self.add_parameters("conv2d", &[&weight, &[usize::from(bias), filters]])?;
        let conv = Conv2d::new(&mut self.builder, channels, filters, [kernel; 2], bias, options);
        let padded = |size: usize| size.saturating_add(padding[0].saturating_mul(2));
        let name = format!("the input of {} with its padding", conv.name);
        check_values(&name, &[channels, padded(h), padded(w)])?;
        Ok(conv)
    }

    fn batch_norm<T: Element>(
        &mut self,
        eps: f64,
        momentum: f64,
        input: &[usize],
    ) -> Result<BatchNorm2d<T>> {
        if !(eps > 0.0 && (0.0..=1.0).contains(&momentum)) {
            return shape_error(format!(
                "batch norm: eps {eps} and momentum {momentum}, expected eps > 0, 0 ≤ momentum ≤ 1"
            ));
        }
        let channels = input.first().copied().unwrap_or(0);
        self.add_parameters("batch_normalization", &[&[2, channels]])?;
        Ok(BatchNorm2d::new(&mut self.builder, channels, eps, momentum))
    }

    fn linear<T: Element>(&mut self, units: usize, input: &[usize]) -> Result<Linear<T>> {
        let &[inputs] = input else {
            return shape_error(format!(
                "linear with {units} units cannot follow {input:?}; put flatten or \
                 global_average_pooling2d before it"
            ));
        };
        if units == 0 {
            return shape_error("linear with 0 units".into());
        }
        self.add_parameters("linear", &[&[units, inputs], &[units]])?;
        let name = self.builder.name("linear");
        Ok(Linear::new(&mut self.builder, name, inputs, units))
    }

    fn squeeze_excite<T: Element>(
        &mut self,
        reduction: usize,
        input: &[usize],
    ) -> Result<SqueezeExcite<T>> {
        let &[channels, _, _] = input else {
            return shape_error(format!("squeeze_excite needs [c, h, w], found {input:?}"));
        };
        let hidden = (channels / reduction.max(1)).max(1);
        self.add_parameters("squeeze_excite", &[&[2, hidden, channels], &[hidden], &[channels]])?;
        Ok(SqueezeExcite::new(&mut self.builder, channels, reduction))
    }

    /// Counts the parameters of the next layer, given as shapes, before they are created.
    fn add_parameters(&mut self, kind: &'static str, shapes: &[&[usize]]) -> Result<()> {
        let add = |sum: usize, shape: &&[usize]| sum.checked_add(Shape::try_elements(shape)?);
        match shapes.iter().try_fold(self.parameters, add) {
            Some(sum) if sum <= self.limit => self.parameters = sum,
            sum => {
                let sum = sum.map_or("uncountable".into(), |sum| sum.to_string());
                let (name, limit) = (self.builder.name(kind), self.limit);
                let found = format!("the layers up to {name} have {sum} parameters");
                return shape_error(format!("{found}, at most {limit} are allowed"));
            }
        }
        Ok(())
    }
}

/// Checks that the output of `name` for one input has at most [`MAX_VALUES`] values.
fn check_values(name: &str, shape: &[usize]) -> Result<()> {
    match Shape::try_elements(shape) {
        Some(n) if n <= MAX_VALUES => Ok(()),
        _ => shape_error(format!(
            "{name} has the shape {shape:?}, at most {MAX_VALUES} values are allowed"
        )),
    }
}

fn shape_error<R>(detail: String) -> Result<R> {
    Err(Error::shape("network", detail))
}
