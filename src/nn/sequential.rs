//! Layers that run one after the other, some of them fused into one op (see `fusion`).

use crate::Result;
use crate::autograd::Var;
use crate::nn::fusion::{NormReluPool, ResidualScaleRelu};
use crate::nn::{Layer, Mode, Pass, Sequential};
use crate::ops::{self, BatchStatistics};
use crate::tensor::Element;

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
        forward_while(&self.0, pass, x, wanted)
    }

    /// Returns the shape of the output without the batch axis.
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

/// Runs layers one after the other as long as `wanted`.
fn forward_while<T: Element>(
    layers: &[Layer<T>],
    pass: &mut Pass<T>,
    x: &Var<T>,
    wanted: impl Fn(&Pass<T>) -> bool,
) -> Result<Var<T>> {
    let (mut step, mut rest) = (Step::of(x.clone(), 0), layers);
    while !rest.is_empty() && wanted(pass) {
        step = forward_first(rest, pass, step)?;
        rest = &rest[step.layers..];
    }
    Ok(step.y)
}

/// The result of one layer, or of a few layers that run as one.
struct Step<T: Element> {
    y: Var<T>,
    /// Mean and variance of y, if they were computed.
    statistics: Option<BatchStatistics<T>>,
    /// Number of layers.
    layers: usize,
}

impl<T: Element> Step<T> {
    fn of(y: Var<T>, layers: usize) -> Self {
        Self { y, statistics: None, layers }
    }
}

/// Runs the first layer, or the first few where one op does their work.
fn forward_first<T: Element>(
    layers: &[Layer<T>],
    pass: &mut Pass<T>,
    before: Step<T>,
) -> Result<Step<T>> {
    let Step { y: x, statistics, .. } = before;
    let step = match layers {
        [Layer::BatchNorm2d(norm), ..] => {
            let run = NormReluPool::find(layers, |name| pass.is_watched(name));
            if run.relu {
                let window = if run.pool { 2 } else { 1 };
                Step::of(norm.forward_relu(pass, &x, statistics, window)?, run.layers)
            } else {
                Step::of(norm.forward(pass, &x, statistics)?, 1)
            }
        }
        // In training the convolution computes the statistics that the batch norm needs.
        [Layer::Conv2d(conv), Layer::BatchNorm2d(_), ..] if pass.mode() != Mode::Eval => {
            let (y, statistics) = conv.forward_statistics(pass, &x)?;
            Step { y, statistics: Some(statistics), layers: 1 }
        }
        [first, ..] => match ResidualScaleRelu::find(layers, |name| pass.is_watched(name)) {
            Some(block) => {
                let branch = forward_while(block.branch, pass, &x, |_| true)?;
                let weight = block.end.weight(pass, &branch)?;
                Step::of(ops::scale_add_relu(&mut pass.tape, &x, &weight, &branch)?, 2)
            }
            None => return Ok(Step::of(first.forward(pass, &x)?, 1)), // ends the layer itself
        },
        [] => return Ok(Step::of(x, 0)),
    };
    pass.end_layer(layers[step.layers - 1].name(), &step.y);
    Ok(step)
}
