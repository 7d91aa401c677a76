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
    /// Creates a layer with weights after He et al. (normal, variance 2/(c_in/groups · k_h · k_w)) and a bias of 0.
    ///
    /// ```
    /// use fer::nn::{Conv2d, LayerBuilder, Linear, Pass};
    /// use fer::ops::{self, Conv2dOptions};
    /// use fer::prelude::*;
    ///
    /// let mut builder = LayerBuilder::new(0); // seed of the initial weights
    /// let conv = Conv2d::<f32>::new(&mut builder, 1, 4, [3, 3], true, Conv2dOptions::default());
    /// let linear = Linear::<f32>::new(&mut builder, "answer".into(), 4, 2);
    /// let x = Var::constant(Tensor::full(&[1, 1, 8, 8], 1.0));
    /// let mut pass = Pass::train(0, 0);
    /// let y = conv.forward(&mut pass, &x)?;
    /// let y = ops::global_avg_pool2d(&mut pass.tape, &y)?;
    /// let y = linear.forward(&mut pass, &y)?;
    /// let loss = ops::sum(&mut pass.tape, &y, &[0, 1])?;
    /// let gradients = pass.backward(&loss)?;
    /// assert_eq!(*pass.gradient(&gradients, &conv.weight).unwrap().shape(), [4, 1, 3, 3]);
    /// # Ok::<(), fer::Error>(())
    /// ```
    pub fn new(
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
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if the input does not fit.
    pub fn forward(&self, pass: &mut Pass<T>, x: &Var<T>) -> Result<Var<T>> {
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
