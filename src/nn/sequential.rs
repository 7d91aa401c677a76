//! Layers one after the other, some of them in one pass over memory.

use crate::Result;
use crate::autograd::Var;
use crate::nn::{BatchNorm2d, Mode, Pass, SqueezeExcite};
use crate::nn::{Function, Layer};
use crate::ops;
use crate::ops::BatchStatistics;
use crate::ops::Pool2dOptions;
use crate::tensor::Element;

/// Layers one after the other.
#[derive(Clone, Debug)]
pub struct Sequential<T: Element = f32>(pub Vec<Layer<T>>);

impl<T: Element> Sequential<T> {
    /// Runs the layers one after the other.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if x does not fit.
    pub fn forward(&self, pass: &mut Pass<T>, x: &Var<T>) -> Result<Var<T>> {
        self.forward_while(pass, x, |_| true)
    }

    /// Runs the layers one after the other as long as `wanted`.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if x does not fit.
    pub(crate) fn forward_while(
        &self,
        pass: &mut Pass<T>,
        x: &Var<T>,
        wanted: impl Fn(&Pass<T>) -> bool,
    ) -> Result<Var<T>> {
        Layers(&self.0).forward_while(pass, x, wanted)
    }

    /// Shape of the output without the batch axis.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if two layers do not fit together.
    pub fn output_shape(&self, input: &[usize]) -> Result<Vec<usize>> {
        self.0.iter().try_fold(input.to_vec(), |shape, layer| layer.output_shape(&shape))
    }

    pub(crate) fn macs(&self, input: &[usize]) -> usize {
        let mut shape = input.to_vec();
        let mut total = 0;
        for layer in &self.0 {
            total += layer.macs(&shape);
            shape = layer.output_shape(&shape).unwrap_or(shape);
        }
        total
    }
}

/// Some layers of a sequence.
struct Layers<'a, T: Element>(&'a [Layer<T>]);

impl<T: Element> Layers<'_, T> {
    fn forward(&self, pass: &mut Pass<T>, x: &Var<T>) -> Result<Var<T>> {
        self.forward_while(pass, x, |_| true)
    }

    fn forward_while(
        &self,
        pass: &mut Pass<T>,
        x: &Var<T>,
        wanted: impl Fn(&Pass<T>) -> bool,
    ) -> Result<Var<T>> {
        let (mut step, mut rest) = (Step::of(x.clone(), 0), self.0);
        while !rest.is_empty() && wanted(pass) {
            step = forward_first(rest, pass, step)?;
            rest = &rest[step.layers..];
        }
        Ok(step.y)
    }
}

/// What one or a few layers leave to the next.
struct Step<T: Element> {
    y: Var<T>,
    /// Mean and variance of y, if they were measured.
    measured: Option<BatchStatistics<T>>,
    /// How many layers it took.
    layers: usize,
}

impl<T: Element> Step<T> {
    fn of(y: Var<T>, layers: usize) -> Self {
        Self { y, measured: None, layers }
    }
}

/// Runs the first layer, or the first few where one op does their work.
fn forward_first<T: Element>(
    layers: &[Layer<T>],
    pass: &mut Pass<T>,
    before: Step<T>,
) -> Result<Step<T>> {
    let Step { y: x, measured, .. } = before;
    if let Some(fused) = BatchNormRelu::find(layers, pass) {
        let y = fused.norm.forward_relu(pass, &x, measured, fused.window)?;
        let y = pass.observe(layers[fused.layers - 1].name(), y);
        return Ok(Step::of(y, fused.layers));
    }
    if let Some(fused) = ResidualEnd::find(layers, pass) {
        let branch = fused.body.forward(pass, &x)?;
        let weight = fused.end.weight(pass, &branch)?;
        let y = ops::scale_add_relu(&mut pass.tape, &x, &weight, &branch)?;
        return Ok(Step::of(pass.observe(layers[1].name(), y), 2));
    }
    match layers {
        // In training the convolution measures its output for the batch norm.
        [Layer::Conv2d(conv), Layer::BatchNorm2d(_), ..] if pass.mode() != Mode::Eval => {
            let (y, measured) = conv.forward_statistics(pass, &x)?;
            let y = pass.observe(&conv.name, y);
            Ok(Step { y, measured: Some(measured), layers: 1 })
        }
        [Layer::BatchNorm2d(norm), ..] => {
            let y = norm.forward(pass, &x, measured)?;
            Ok(Step::of(pass.observe(&norm.name, y), 1))
        }
        _ => Ok(Step::of(layers[0].forward(pass, &x)?, 1)),
    }
}

/// A residual block whose branch ends in squeeze and excitation, and the ReLU after it.
struct ResidualEnd<'a, T: Element> {
    body: Layers<'a, T>,
    end: &'a SqueezeExcite<T>,
}

impl<'a, T: Element> ResidualEnd<'a, T> {
    /// Such layers at the beginning, where nobody asked for what lies between them.
    fn find(layers: &'a [Layer<T>], pass: &Pass<T>) -> Option<Self> {
        let [Layer::Residual(block), Layer::Activation(relu), ..] = layers else { return None };
        let [body @ .., Layer::SqueezeExcite(end)] = &block.body.0[..] else { return None };
        let watched = pass.is_watched(&block.name) || pass.is_watched(&end.name);
        let found = relu.function == Function::Relu && !watched;
        found.then_some(Self { body: Layers(body), end })
    }
}

/// Batch norm and ReLU side by side, perhaps with a max pooling of 2×2 after them.
struct BatchNormRelu<'a, T: Element> {
    norm: &'a BatchNorm2d<T>,
    layers: usize,
    window: usize,
}

impl<'a, T: Element> BatchNormRelu<'a, T> {
    /// Such layers at the beginning, where nobody asked for what lies between them.
    fn find(layers: &'a [Layer<T>], pass: &Pass<T>) -> Option<Self> {
        let [Layer::BatchNorm2d(norm), Layer::Activation(relu), after @ ..] = layers else {
            return None;
        };
        if relu.function != Function::Relu || pass.is_watched(&norm.name) {
            return None;
        }
        let halving = Pool2dOptions::square(2);
        let pooled = matches!(after, [Layer::MaxPool2d(_, o), ..] if *o == halving)
            && !pass.is_watched(&relu.name);
        let (layers, window) = if pooled { (3, 2) } else { (2, 1) };
        Some(Self { norm, layers, window })
    }
}
