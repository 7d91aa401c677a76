//! From a specification to layers with weights.
//!
//! A specification comes from a file that anybody may have written, so every size is checked before
//! memory is asked for: what a layer would take is counted first, and refused beyond the limits here.

use crate::model::LayerSpec;
use crate::nn::{
    Activation, BatchNorm2d, Builder, Conv2d, Layer, Linear, Residual, Sequential, SqueezeExcite,
};
use crate::ops::Conv2dOptions;
use crate::ops::Pool2dOptions;
use crate::tensor::Element;
use crate::tensor::Shape;
use crate::{Error, Result};

/// Most parameters of a network: 400 MB in f32, of which training needs about four times as much.
pub const MAX_PARAMETERS: usize = 100_000_000;

/// Most values of one input, with the border that a convolution adds, or of what a layer makes of
/// it: 16 MB in f32. VGG-16 on pictures of 224×224 stays below.
pub const MAX_VALUES: usize = 1 << 22;

/// Builds layers and counts their parameters.
pub(crate) struct Build {
    builder: Builder,
    parameters: usize,
    limit: usize,
}

impl Build {
    /// Weights drawn from `seed`, at most `limit` parameters.
    pub(crate) fn new(seed: u64, limit: usize) -> Self {
        Self { builder: Builder::new(seed), parameters: 0, limit }
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
                // Where this overflows, the convolution finds that its kernel does not fit.
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
                return refuse(format!("dropout rate {rate}, expected 0 ≤ rate < 1"));
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
        let misfit = || {
            let what = format!("conv2d with {filters} filters, kernel {kernel} and {options:?}");
            refuse(format!("{what} cannot follow {input:?}"))
        };
        let &[channels, h, w] = input else { return misfit() };
        let sizes = [filters, kernel, stride[0], dilation[0], groups];
        if sizes.contains(&0) || channels % groups != 0 {
            return misfit();
        }
        let weight = [filters, channels / groups, kernel, kernel];
        self.claim("conv2d", &[&weight, &[usize::from(bias), filters]])?;
        let conv = Conv2d::new(&mut self.builder, channels, filters, [kernel; 2], bias, options);
        let bordered = |size: usize| size.saturating_add(padding[0].saturating_mul(2));
        let name = format!("the input of {} with its border", conv.name);
        check_values(&name, &[channels, bordered(h), bordered(w)])?;
        Ok(conv)
    }

    fn batch_norm<T: Element>(
        &mut self,
        eps: f64,
        momentum: f64,
        input: &[usize],
    ) -> Result<BatchNorm2d<T>> {
        if !(eps > 0.0 && (0.0..=1.0).contains(&momentum)) {
            return refuse(format!("batch norm: eps {eps}, momentum {momentum}"));
        }
        let channels = input.first().copied().unwrap_or(0);
        self.claim("batch_normalization", &[&[2, channels]])?;
        Ok(BatchNorm2d::new(&mut self.builder, channels, eps, momentum))
    }

    fn linear<T: Element>(&mut self, units: usize, input: &[usize]) -> Result<Linear<T>> {
        let &[inputs] = input else {
            return refuse(format!(
                "linear with {units} units cannot follow {input:?}; put flatten or \
                 global_average_pooling2d before it"
            ));
        };
        if units == 0 {
            return refuse("linear with 0 units".into());
        }
        self.claim("linear", &[&[units, inputs], &[units]])?;
        let name = self.builder.name("linear");
        Ok(Linear::new(&mut self.builder, name, inputs, units))
    }

    fn squeeze_excite<T: Element>(
        &mut self,
        reduction: usize,
        input: &[usize],
    ) -> Result<SqueezeExcite<T>> {
        let &[channels, _, _] = input else {
            return refuse(format!("squeeze_excite cannot follow {input:?}"));
        };
        let hidden = (channels / reduction.max(1)).max(1);
        self.claim("squeeze_excite", &[&[2, hidden, channels], &[hidden], &[channels]])?;
        Ok(SqueezeExcite::new(&mut self.builder, channels, reduction))
    }

    /// Counts the parameters of the next layer, given as shapes, before they are drawn.
    fn claim(&mut self, kind: &'static str, shapes: &[&[usize]]) -> Result<()> {
        let add = |sum: usize, shape: &&[usize]| sum.checked_add(Shape::try_elements(shape)?);
        match shapes.iter().try_fold(self.parameters, add) {
            Some(sum) if sum <= self.limit => self.parameters = sum,
            sum => {
                let sum = sum.map_or("uncountable".into(), |sum| sum.to_string());
                let (name, limit) = (self.builder.name(kind), self.limit);
                let found = format!("up to {name} there are {sum} parameters");
                return refuse(format!("{found}, at most {limit} are built"));
            }
        }
        Ok(())
    }
}

/// That what `name` gives for one input can be held, and its sizes be multiplied.
fn check_values(name: &str, shape: &[usize]) -> Result<()> {
    match Shape::try_elements(shape) {
        Some(n) if n <= MAX_VALUES => Ok(()),
        _ => {
            refuse(format!("{name} has the shape {shape:?}, at most {MAX_VALUES} values are held"))
        }
    }
}

fn refuse<R>(why: String) -> Result<R> {
    Err(Error::shape("network", why))
}
