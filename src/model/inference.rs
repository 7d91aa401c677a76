//! A trained network prepared for inference.
//!
//! For inference, a batch norm is a scale and a shift per channel, which are folded into the
//! convolution before it:
//!
//! ```text
//! γ·(conv(x, w) + b − mean)/std + β = conv(x, w·γ/std) + (b − mean)·γ/std + β
//! ```
//!
//! ReLU and 2×2 max pooling are applied while the output of the convolution is in cache. The
//! filters are brought into the memory order of the kernels once, not for every batch.

use crate::autograd::Var;
use crate::model::Network;
use crate::nn::fusion::{NormReluPool, is_relu};
use crate::nn::{Conv2d, Layer, Pass, Residual, Sequential};
use crate::ops::Conv2dOptions;
use crate::ops::image::conv2d::geometry;
use crate::ops::matrix::matmul::product;
use crate::tensor::{Shape, Tensor};
use crate::{Error, Result};
use fer_kernels::conv2d::{Epilogue, Prepared};
use fer_kernels::{Context, Layout, Pool2dGeometry, Transpose, elementwise, on_pool};

/// A network with fixed weights. It computes the logits of [`Network::logits`], up to rounding, in
/// less time.
#[derive(Debug)]
pub struct Inference {
    mean: f32,
    inv_std: f32,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    /// A convolution, and the layers folded into it.
    Conv(FoldedConv),
    /// max(0, x + branch), or without ReLU.
    Residual { branch: Vec<Step>, relu: bool },
    /// A fully connected layer, its weights `[inputs, outputs]`.
    Linear { weight: Tensor, bias: Tensor },
    /// Other layers, unchanged.
    Layers(Sequential),
}

impl Inference {
    /// Prepares a network. Later changes of the network have no effect.
    pub fn new(network: &Network<f32>) -> Self {
        let (mean, inv_std) = (network.spec.mean as f32, (1.0 / network.spec.std) as f32);
        Self { mean, inv_std, steps: fold(network.layers()) }
    }

    /// Computes the logits `[n, classes]` of images `[n, 1, h, w]` with pixels in [0, 1].
    ///
    /// # Errors
    /// [`crate::Error::Shape`] if the images do not fit.
    pub fn logits(&self, pixels: &Tensor) -> Result<Tensor> {
        let (mean, inv_std) = (self.mean, self.inv_std);
        on_pool(|| run(&self.steps, pixels.map(|x| (x - mean) * inv_std)))
    }
}

/// Turns layers into steps, several layers into one step where possible.
fn fold(layers: &[Layer]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = layers;
    while let Some(layer) = rest.first() {
        let taken = match layer {
            Layer::Conv2d(conv) => {
                let after = NormReluPool::find(&rest[1..], |_| false);
                steps.push(Step::Conv(FoldedConv::new(conv, &after)));
                1 + after.layers
            }
            Layer::Residual(Residual { body, .. }) => {
                let relu = rest.get(1).is_some_and(is_relu);
                steps.push(Step::Residual { branch: fold(&body.0), relu });
                1 + usize::from(relu)
            }
            Layer::Linear(linear) => {
                let weight = linear.weight.value.permute(&[1, 0]);
                steps.push(Step::Linear { weight, bias: linear.bias.value.clone() });
                1
            }
            other => {
                match steps.last_mut() {
                    Some(Step::Layers(layers)) => layers.0.push(other.clone()),
                    _ => steps.push(Step::Layers(Sequential(vec![other.clone()]))),
                }
                1
            }
        };
        rest = &rest[taken..];
    }
    steps
}

fn run(steps: &[Step], mut x: Tensor) -> Result<Tensor> {
    for step in steps {
        x = match step {
            Step::Conv(conv) => conv.run(x)?,
            Step::Residual { branch, relu } => {
                let mut y = run(branch, x.clone())?;
                let x = x.to_layout(y.layout());
                let floor = if *relu { 0.0 } else { f32::NEG_INFINITY };
                let sum = |y: f32, x: f32| if y + x < floor { floor } else { y + x };
                elementwise::update(y.as_mut_slice(), x.as_slice(), sum);
                y
            }
            Step::Linear { weight, bias } => linear(&x, weight, bias)?,
            Step::Layers(layers) => {
                layers.forward(&mut Pass::eval(), &Var::constant(x))?.into_value()
            }
        };
    }
    Ok(x)
}

/// Computes x·W + b. Here W is `[inputs, outputs]`, the transpose of that of `ops::linear`: the
/// kernel reads it in place, and multiplies a few rows as vectors.
fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (sx, sw) = (x.shape(), weight.shape());
    if sx.len() != 2 || sx[1] != sw[0] {
        let detail = format!("x {sx:?} and weight {sw:?}; expected [n, in] and [in, out]");
        return Err(Error::shape("linear", detail));
    }
    let mut y = product(x, Transpose::No, weight, Transpose::No);
    for row in y.as_mut_slice().chunks_mut(sw[1].max(1)) {
        elementwise::update(row, bias.as_slice(), |y, b| y + b);
    }
    Ok(y)
}

/// A convolution whose weights contain the batch norm after it.
#[derive(Debug)]
struct FoldedConv {
    shape: Shape,
    options: Conv2dOptions,
    filters: Prepared,
    bias: Option<Vec<f32>>,
    relu: bool,
    pool: bool,
}

impl FoldedConv {
    fn new(conv: &Conv2d, after: &NormReluPool<'_, f32>) -> Self {
        let shape = conv.weight.value.shape();
        let mut weight = conv.weight.value.to_vec();
        let mut bias = conv.bias.as_ref().map(|b| b.value.to_vec());
        if let Some(norm) = after.norm {
            let bias = bias.get_or_insert_with(|| vec![0.0; shape[0]]);
            let filter = shape[1..].iter().product::<usize>().max(1);
            for (c, filter) in weight.chunks_mut(filter).enumerate() {
                let at = |t: &Tensor| f64::from(t.as_slice()[c]);
                let scale = at(&norm.gamma.value) / (at(&norm.running_var) + norm.eps).sqrt();
                filter.iter_mut().for_each(|w| *w = (f64::from(*w) * scale) as f32);
                let centred = f64::from(bias[c]) - at(&norm.running_mean);
                bias[c] = (centred * scale + at(&norm.beta.value)) as f32;
            }
        }
        let (relu, pool) = (after.relu, after.pool);
        Self { shape, options: conv.options, filters: Prepared::new(weight), bias, relu, pool }
    }

    fn run(&self, x: Tensor) -> Result<Tensor> {
        let g = geometry("conv2d", x.shape(), self.shape, self.options)?;
        let x = x.to_layout(Layout::Nhwc);
        let epilogue = Epilogue { bias: self.bias.as_deref(), relu: self.relu, pool: self.pool };
        let [mut h, mut w] = [g.h_out, g.w_out];
        if self.pool {
            let pooled = Pool2dGeometry::halving([g.n, g.c_out, h, w])
                .map_err(|e| Error::shape("max_pool2d", e.to_string()))?;
            [h, w] = [pooled.h_out, pooled.w_out];
        }
        Ok(Tensor::build(Shape::new(&[g.n, g.c_out, h, w]), Layout::Nhwc, |y| {
            self.filters.forward(Context::global(), &g, x.as_slice(), epilogue, y);
        }))
    }
}
