//! A trained network made ready for answers.
//!
//! Training runs a network layer by layer and remembers everything. For answers alone, batch norm
//! is two numbers a channel, which fold into the convolution before it:
//!
//! ```text
//! γ·(conv(x, w) + b − mean)/std + β = conv(x, w·γ/std) + (b − mean)·γ/std + β
//! ```
//!
//! ReLU is applied, and the largest of each 2×2 pixels chosen, before a result leaves the cache; the
//! filters are brought into the order of the kernels once instead of for every batch.

use crate::autograd::Var;
use crate::model::Network;
use crate::nn::{Activation, BatchNorm2d, Conv2d, Function, Layer, Pass, Residual, Sequential};
use crate::ops::Pool2dOptions;
use crate::ops::image::conv2d::{Conv2dOptions, geometry};
use crate::ops::matrix::matmul::product;
use crate::tensor::Shape;
use crate::tensor::Tensor;
use crate::{Error, Result};
use fer_kernels::conv2d::{Epilogue, Prepared};
use fer_kernels::{Layout, Pool2dGeometry, Transpose, elementwise, on_pool};

/// A network whose weights do not change any more: the logits of
/// [`Network::logits`], to rounding, in less time.
#[derive(Debug)]
pub struct Inference {
    mean: f32,
    inv_std: f32,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    /// A convolution and what could be folded into it.
    Conv(FoldedConv),
    /// max(0, x + branch), or without ReLU.
    Residual { branch: Vec<Step>, relu: bool },
    /// A fully connected layer, its weights `[inputs, outputs]`.
    Linear { weight: Tensor, bias: Tensor },
    /// Layers as they are in training.
    Layers(Sequential),
}

impl Inference {
    /// Folds and prepares the network as it is now.
    pub fn new(network: &Network<f32>) -> Self {
        let (mean, inv_std) = (network.spec.mean as f32, (1.0 / network.spec.std) as f32);
        Self { mean, inv_std, steps: steps(network.layers()) }
    }

    /// Logits `[n, classes]` of pictures `[n, 1, h, w]` with pixels in [0, 1].
    ///
    /// # Errors
    /// [`crate::Error::Shape`] if the pictures do not fit.
    pub fn logits(&self, pixels: &Tensor) -> Result<Tensor> {
        let (mean, inv_std) = (self.mean, self.inv_std);
        on_pool(|| run(&self.steps, pixels.map(|x| (x - mean) * inv_std)))
    }
}

/// What is to be done for these layers.
fn steps(layers: &[Layer]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = layers;
    while let Some(layer) = rest.first() {
        let taken = match layer {
            Layer::Conv2d(conv) => {
                let (after, taken) = After::find(&rest[1..]);
                steps.push(Step::Conv(FoldedConv::new(conv, &after)));
                1 + taken
            }
            Layer::Residual(Residual { body, .. }) => {
                let relu = rest.get(1).is_some_and(is_relu);
                steps
                    .push(Step::Residual { branch: crate::model::inference::steps(&body.0), relu });
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

fn is_relu(layer: &Layer) -> bool {
    matches!(layer, Layer::Activation(Activation { function: Function::Relu, .. }))
}

fn is_halving(layer: &Layer) -> bool {
    matches!(layer, Layer::MaxPool2d(_, o) if *o == Pool2dOptions::square(2))
}

/// What of the layers behind a convolution goes into it.
#[derive(Default)]
struct After<'a> {
    norm: Option<&'a BatchNorm2d>,
    relu: bool,
    pool: bool,
}

impl<'a> After<'a> {
    /// Such layers at the beginning, and how many they are. ReLU commutes with the maximum over a
    /// window, and so does a batch norm that turns no channel around.
    fn find(layers: &'a [Layer]) -> (Self, usize) {
        let relu = |layer: Option<&Layer>| layer.is_some_and(is_relu);
        let pool = |layer: Option<&Layer>| layer.is_some_and(is_halving);
        let first = usize::from(pool(layers.first()));
        let norm = match layers.get(first) {
            Some(Layer::BatchNorm2d(norm)) if first == 0 || rises(norm) => Some(norm),
            _ => None,
        };
        let mut taken = first + usize::from(norm.is_some());
        let relu = relu(layers.get(taken));
        taken += usize::from(relu);
        let last = first == 0 && pool(layers.get(taken));
        taken += usize::from(last);
        (Self { norm, relu, pool: first == 1 || last }, taken)
    }
}

/// Whether no channel of the output falls as its input grows.
fn rises(norm: &BatchNorm2d) -> bool {
    norm.gamma.value.as_slice().iter().all(|&gamma| gamma >= 0.0)
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

/// x·W + b. `ops::linear` keeps W the other way round, for training; this way the kernel reads it in
/// place, and multiplies few rows as vectors.
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

/// A convolution whose weights contain the batch norm behind it.
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
    fn new(conv: &Conv2d, after: &After<'_>) -> Self {
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
        let after = Epilogue { bias: self.bias.as_deref(), relu: self.relu, pool: self.pool };
        let [mut h, mut w] = [g.h_out, g.w_out];
        if self.pool {
            let pooled = Pool2dGeometry::halving([g.n, g.c_out, h, w])
                .map_err(|e| Error::shape("max_pool2d", e.to_string()))?;
            [h, w] = [pooled.h_out, pooled.w_out];
        }
        Ok(Tensor::build(Shape::new(&[g.n, g.c_out, h, w]), Layout::Nhwc, |y| {
            self.filters.forward(&g, x.as_slice(), after, y);
        }))
    }
}
