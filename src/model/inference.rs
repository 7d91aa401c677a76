//! A trained network prepared for inference.
//!
//! For inference, a batch norm is a scale and a shift per channel, which are folded into the
//! convolution before it:
//!
//! ```text
//! γ·(conv(x, w) + b − mean)/std + β = conv(x, w·γ/std) + (b − mean)·γ/std + β
//! ```
//!
//! ReLU and 2×2 max pooling are applied while the output of the convolution is in cache. The weights
//! are brought into the memory order of the kernels once, not for every batch.

use crate::autograd::Var;
use crate::model::Network;
use crate::nn::fusion::{NormReluPool, is_relu};
use crate::nn::{Conv2d, Layer, Linear, Pass, Residual, Sequential, SqueezeExcite};
use crate::ops::image::conv2d::geometry;
use crate::ops::{self, Conv2dOptions};
use crate::tensor::{Shape, Tensor};
use crate::{Error, Result};
use fer_kernels::conv2d::{Epilogue, Prepared};
use fer_kernels::gemm::PreparedMatrix;
use fer_kernels::{Context, Layout, Pool2dGeometry, Precision, elementwise, on_team};

/// A network with fixed weights. In [`Precision::F32`] it computes the logits of [`Network::logits`], up to rounding,
/// in less time. In [`Precision::Bf16`] the factors of convolutions and fully connected layers are
/// rounded to bfloat16, apart from the two small layers of squeeze and excitation.
#[derive(Debug)]
pub struct Inference {
    mean: f32,
    inv_std: f32,
    steps: Vec<NamedStep>,
}

/// A step, and the names of its layers joined by `+`.
#[derive(Debug)]
struct NamedStep {
    name: String,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// A convolution, and the layers folded into it.
    Conv(FoldedConv),
    /// max(0, x + s·branch), or without ReLU and s; s are the weights of squeeze and excitation.
    Residual { branch: Vec<NamedStep>, excite: Option<Excite>, relu: bool },
    /// A fully connected layer, and the layers folded into it.
    Linear(FoldedLinear),
    /// Other layers, unchanged.
    Layers(Sequential),
}

impl Inference {
    /// Prepares a network, in its [precision](Network::precision). Later changes of the network have
    /// no effect.
    pub fn new(network: &Network<f32>) -> Self {
        let (mean, inv_std) = (network.spec.mean as f32, (1.0 / network.spec.std) as f32);
        Self { mean, inv_std, steps: fold(network.layers(), network.precision) }
    }

    /// Computes the logits `[n, classes]` of images `[n, 1, h, w]` with pixels in [0, 1].
    ///
    /// # Errors
    /// [`crate::Error::Shape`] if the images do not fit.
    pub fn logits(&self, pixels: &Tensor) -> Result<Tensor> {
        self.logits_in_steps(pixels, &mut |_| {})
    }

    /// Computes [`logits`](Self::logits), and calls `ended` with the name of each step at its end:
    /// the names of the layers that it computes, joined by `+`.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] if the images do not fit.
    pub fn logits_in_steps(&self, pixels: &Tensor, ended: &mut dyn FnMut(&str)) -> Result<Tensor> {
        let (mean, inv_std) = (self.mean, self.inv_std);
        on_team(|| {
            let x = pixels.map(|x| (x - mean) * inv_std);
            ended("normalise");
            run(&self.steps, x, ended)
        })
    }
}

/// Turns layers into steps, several layers into one step where possible.
fn fold(layers: &[Layer], precision: Precision) -> Vec<NamedStep> {
    let mut steps: Vec<NamedStep> = Vec::new();
    let mut channels = None; // of the last convolution
    let mut rest = layers;
    while !rest.is_empty() {
        let (step, taken) = first_step(rest, &mut channels, precision);
        let names: Vec<_> = rest[..taken].iter().map(Layer::name).collect();
        match (step, steps.last_mut()) {
            (None, _) => {}
            (Some(Step::Layers(new)), Some(NamedStep { name, step: Step::Layers(layers) })) => {
                layers.0.extend(new.0);
                *name += &format!("+{}", names.join("+"));
            }
            (Some(step), _) => steps.push(NamedStep { name: names.join("+"), step }),
        }
        rest = &rest[taken..];
    }
    steps
}

/// Returns the first step and the number of its layers; no step for layers that do nothing.
/// `channels` are those of the image, known from the last convolution.
fn first_step(
    layers: &[Layer],
    channels: &mut Option<usize>,
    precision: Precision,
) -> (Option<Step>, usize) {
    let relu_after = |after: &[Layer]| after.first().is_some_and(is_relu);
    match layers {
        [Layer::Conv2d(conv), after @ ..] => {
            *channels = Some(conv.weight.value.shape()[0]);
            let after = NormReluPool::find(after, |_| false);
            let step = Step::Conv(FoldedConv::new(conv, &after, precision));
            (Some(step), 1 + after.layers)
        }
        [Layer::Residual(Residual { body, .. }), after @ ..] => {
            let relu = relu_after(after);
            let (branch, excite) = match &body.0[..] {
                [branch @ .., Layer::SqueezeExcite(end)] if relu => {
                    (branch, Some(Excite::new(end)))
                }
                branch => (branch, None),
            };
            let step = Step::Residual { branch: fold(branch, precision), excite, relu };
            (Some(step), 1 + usize::from(relu))
        }
        [Layer::Flatten(_), Layer::Linear(linear), after @ ..] => {
            let relu = relu_after(after);
            let step = Step::Linear(FoldedLinear::new(linear, channels.take(), relu, precision));
            (Some(step), 2 + usize::from(relu))
        }
        [Layer::Linear(linear), after @ ..] => {
            let relu = relu_after(after);
            let step = Step::Linear(FoldedLinear::new(linear, None, relu, precision));
            (Some(step), 1 + usize::from(relu))
        }
        [Layer::Dropout(..), ..] | [] => (None, 1),
        [layer, ..] => {
            if matches!(layer, Layer::GlobalAvgPool2d(_)) {
                *channels = None;
            }
            (Some(Step::Layers(Sequential(vec![layer.clone()]))), 1)
        }
    }
}

fn run(steps: &[NamedStep], mut x: Tensor, ended: &mut dyn FnMut(&str)) -> Result<Tensor> {
    for NamedStep { name, step } in steps {
        x = match step {
            Step::Conv(conv) => conv.run(x)?,
            Step::Residual { branch, excite: Some(excite), .. } => {
                let y = run(branch, x.clone(), ended)?;
                excite.scale_add_relu(&x, &y)?
            }
            Step::Residual { branch, excite: None, relu } => {
                let mut y = run(branch, x.clone(), ended)?;
                let x = x.to_layout(y.layout());
                let floor = if *relu { 0.0 } else { f32::NEG_INFINITY };
                let sum = |y: f32, x: f32| if y + x < floor { floor } else { y + x };
                elementwise::update(y.as_mut_slice(), x.as_slice(), sum);
                y
            }
            Step::Linear(linear) => linear.run(&x)?,
            Step::Layers(layers) => {
                layers.forward(&mut Pass::eval(), &Var::constant(x))?.into_value()
            }
        };
        ended(name);
    }
    Ok(x)
}

/// A fully connected layer, the ReLU after it and the flattening before it.
#[derive(Debug)]
struct FoldedLinear {
    matrix: PreparedMatrix,
    bias: Tensor,
    relu: bool,
    /// Channels of the image that is flattened where it lies channels-last in memory.
    channels: Option<usize>,
}

impl FoldedLinear {
    fn new(linear: &Linear, channels: Option<usize>, relu: bool, precision: Precision) -> Self {
        let (weight, bias) = (&linear.weight.value, linear.bias.value.clone());
        let (k, n) = (weight.shape()[1], weight.shape()[0]);
        // Row (channel, pixel) becomes row (pixel, channel): the image is read as it lies in memory.
        let c = channels.unwrap_or(1);
        let pixels = k / c;
        let row = |k: usize| if channels.is_some() { k % c * pixels + k / c } else { k };
        let weight = weight.as_slice();
        let transposed = (0..k * n).map(|i| weight[i % n * k + row(i / n)]).collect();
        let matrix = PreparedMatrix::with_precision(transposed, [k, n], precision);
        Self { matrix, bias, relu, channels }
    }

    fn run(&self, x: &Tensor) -> Result<Tensor> {
        let (shape, [k, n]) = (x.shape(), self.matrix.shape());
        let fits = self.channels.is_none_or(|c| shape.len() == 4 && shape[1] == c);
        if shape.len() < 2 || shape[1..].iter().product::<usize>() != k || !fits {
            let detail = format!("x {shape:?} and weight [{k}, {n}]; expected {k} inputs each");
            return Err(Error::shape("linear", detail));
        }
        let layout = if self.channels.is_some() { Layout::Nhwc } else { Layout::Nchw };
        let x = x.to_layout(layout);
        Ok(Tensor::build(Shape::new(&[shape[0], n]), Layout::Nchw, |y| {
            self.matrix.forward(
                Context::global().simd,
                x.as_slice(),
                self.bias.as_slice(),
                self.relu,
                y,
            );
        }))
    }
}

/// The two fully connected layers of squeeze and excitation.
#[derive(Debug)]
struct Excite {
    squeeze: FoldedLinear,
    excite: FoldedLinear,
}

impl Excite {
    fn new(layer: &SqueezeExcite) -> Self {
        let linear = |layer, relu| FoldedLinear::new(layer, None, relu, Precision::F32);
        Self { squeeze: linear(&layer.squeeze, true), excite: linear(&layer.excite, false) }
    }

    /// Computes max(0, x + s·y) with s = sigmoid(W₂·relu(W₁·mean(y) + b₁) + b₂).
    fn scale_add_relu(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        let (mut pass, y) = (Pass::eval(), Var::constant(y.clone()));
        let tape = &mut pass.tape;
        let mean = ops::global_avg_pool2d(tape, &y)?.into_value();
        let score = Var::constant(self.excite.run(&self.squeeze.run(&mean)?)?);
        let weight = ops::sigmoid(tape, &score)?;
        Ok(ops::scale_add_relu(tape, &Var::constant(x.clone()), &weight, &y)?.into_value())
    }
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
    fn new(conv: &Conv2d, after: &NormReluPool<'_, f32>, precision: Precision) -> Self {
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
        let filters = Prepared::with_precision(weight, precision);
        Self { shape, options: conv.options, filters, bias, relu, pool }
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
