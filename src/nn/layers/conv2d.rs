//! Convolution layer.

use crate::autograd::Var;
use crate::nn::{LayerBuilder, Parameter, Pass, Role};
use crate::ops::{self, BatchStatistics, Conv2dOptions};
use crate::tensor::Element;
use crate::{Error, Result};
use fer_kernels::Conv2dGeometry;

/// A convolution with weights and, if there is one, a bias.
#[derive(Clone, Debug)]
pub struct Conv2d<T: Element = f32> {
    /// `conv2d_1`, `conv2d_2`, …
    pub name: String,
    /// `[c_out, c_in/groups, k_h, k_w]`.
    pub weight: Parameter<T>,
    /// `[c_out]`; usually absent before a batch norm, which has its own shift.
    pub bias: Option<Parameter<T>>,
    /// Stride, padding, dilation, groups.
    pub options: Conv2dOptions,
}

impl<T: Element> Conv2d<T> {
    pub(crate) fn new(
        b: &mut LayerBuilder,
        c_in: usize,
        c_out: usize,
        kernel: [usize; 2],
        bias: bool,
        options: Conv2dOptions,
    ) -> Self {
        let name = b.name("conv2d");
        let shape = [c_out, c_in / options.groups.max(1), kernel[0], kernel[1]];
        let weight = Parameter::he_normal(format!("{name}.weight"), &shape, b.seed, b.parameter());
        let bias = bias.then(|| {
            let index = b.parameter();
            Parameter::constant(format!("{name}.bias"), c_out, 0.0, Role::Bias, index)
        });
        Self { name, weight, bias, options }
    }

    /// Returns the sizes for an input `[n, c_in, h_in, w_in]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the input does not fit.
    pub fn geometry(&self, input: [usize; 4]) -> Result<Conv2dGeometry> {
        let (s, o) = (self.weight.value.shape(), self.options);
        let weight = [s[0], s[1], s[2], s[3]];
        Conv2dGeometry::new(input, weight, o.stride, o.padding, o.dilation, o.groups)
            .map_err(|e| Error::shape("network", format!("{}: {e}", self.name)))
    }

    /// Computes y = conv(x, weight) + bias.
    pub(crate) fn forward(&self, pass: &mut Pass<T>, x: &Var<T>) -> Result<Var<T>> {
        let weight = pass.parameter(&self.weight);
        let bias = self.bias.as_ref().map(|b| pass.parameter(b));
        ops::conv2d(&mut pass.tape, x, &weight, bias.as_ref(), self.options)
    }

    /// Computes y, and mean and variance of y over the batch, in one op.
    pub(crate) fn forward_statistics(
        &self,
        pass: &mut Pass<T>,
        x: &Var<T>,
    ) -> Result<(Var<T>, BatchStatistics<T>)> {
        let weight = pass.parameter(&self.weight);
        let bias = self.bias.as_ref().map(|b| pass.parameter(b));
        ops::conv2d_statistics(&mut pass.tape, x, &weight, bias.as_ref(), self.options)
    }
}
