//! Batch norm, ReLU and max pooling in one pass over memory.

use crate::autograd::{Backward, InputGrads, Peers, Tape, Var};
use crate::ops::norm::batch_norm::{BatchStatistics, channel_view, inverse_std, statistics_of};
use crate::ops::norm::whole_batch;
use crate::tensor::{Element, Shape, Tensor};
use crate::{Error, Result};
use fer_kernels::{Normalisation, Pool2dGeometry};
use std::sync::Arc;

/// Computes batch norm in training mode, then ReLU, then the maximum of each window of
/// window×window pixels (1: no pooling): y = max(0, max over the window of γ·x̂ + β).
///
/// It equals [`batch_norm_train`](crate::ops::batch_norm_train), [`relu`](crate::ops::relu()) and
/// [`max_pool2d`](crate::ops::max_pool2d()) one after the other: y in every bit, the gradients up
/// to rounding. The intermediate results are not written to memory; the backward pass computes them
/// again from x. `statistics` are mean and variance of x if they are already known, as for
/// [`batch_norm_train`](crate::ops::batch_norm_train).
///
/// **Shapes**: x `[n, c, h, w]`, or `[n, c]` where the window is 1; γ, β `[c]`; y
/// `[n, c, ⌊h/window⌋, ⌊w/window⌋]`; the statistics `[c]`.
/// **Gradient**: let g′ be ȳ at the arg-max of each window (the first among equals) where y > 0,
/// and 0 elsewhere. Then as in batch norm with g′ for ȳ: ∂L/∂β = Σ g′, ∂L/∂γ = Σ g′·x̂,
/// ∂L/∂x = γ·inv·(g′ − ∂L/∂β / m − x̂ · ∂L/∂γ / m). Saved: x, mean, inv, γ, β.
/// **Errors**: [`Error::Shape`] if the shapes are not these, a channel has fewer than two elements,
/// the statistics are of another number of elements, or the window is not 1 or 2 or is larger than
/// the image.
/// **Source**: Ioffe and Szegedy 2015.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 3.0], &[2, 1])?);
/// let one = tape.leaf(Tensor::full(&[1], 1.0));
/// let zero = tape.leaf(Tensor::zeros(&[1]));
/// let (y, _) = ops::batch_norm_relu_train(&mut tape, &x, &one, &zero, 0.0, 1, None)?;
/// assert_eq!(y.value().to_vec(), [0.0, 1.0]); // x̂ = −1 and 1
/// # Ok::<(), fer::Error>(())
/// ```
pub fn batch_norm_relu_train<T: Element>(
    tape: &mut Tape<T>,
    x: &Var<T>,
    gamma: &Var<T>,
    beta: &Var<T>,
    eps: f64,
    window: usize,
    statistics: Option<BatchStatistics<T>>,
) -> Result<(Var<T>, BatchStatistics<T>)> {
    let input = x.value().to_layout(T::LAYOUT);
    let view = channel_view("batch_norm_relu", &input, &[gamma.shape(), beta.shape()])?;
    let geometry = geometry(x.shape(), window)?;
    let own = statistics_of("batch_norm_relu", &input, &view, statistics)?;
    let batch = whole_batch::statistics(tape, own)?;
    let rest = Rest {
        geometry,
        mean: batch.mean.clone(),
        inv_std: inverse_std(&batch.var, eps),
        gamma: gamma.value().clone(),
        beta: beta.value().clone(),
        train: true,
        peers: tape.peers(),
    };
    let op = BatchNormReluBackward { x: input, rest };
    Ok((tape.record(op.forward(), &[x, gamma, beta], op), batch))
}

/// Computes the same in evaluation mode, with fixed mean and variance.
///
/// **Shapes**: as [`batch_norm_relu_train`]; mean, var `[c]`.
/// **Gradient**: ∂L/∂x = γ·inv·g′; γ and β as in training. Saved: x, mean, inv, γ, β.
/// **Errors**: [`Error::Shape`] if the shapes are not these or the window is not 1 or 2.
/// **Source**: as [`batch_norm_relu_train`].
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[5.0, -1.0, 2.0, 3.0], &[1, 1, 2, 2])?);
/// let (gamma, beta) = (tape.leaf(Tensor::full(&[1], 2.0)), tape.leaf(Tensor::full(&[1], 1.0)));
/// let (mean, var) = (Tensor::full(&[1], 3.0), Tensor::full(&[1], 4.0));
/// let y = ops::batch_norm_relu_eval(&mut tape, &x, [&gamma, &beta], [&mean, &var], 0.0, 2)?;
/// assert_eq!(y.value().item(), 3.0); // 2·(5 − 3)/2 + 1, the largest of four
/// # Ok::<(), fer::Error>(())
/// ```
pub fn batch_norm_relu_eval<T: Element>(
    tape: &mut Tape<T>,
    x: &Var<T>,
    [gamma, beta]: [&Var<T>; 2],
    [mean, var]: [&Tensor<T>; 2],
    eps: f64,
    window: usize,
) -> Result<Var<T>> {
    let input = x.value().to_layout(T::LAYOUT);
    let shapes = [gamma.shape(), beta.shape(), mean.shape(), var.shape()];
    channel_view("batch_norm_relu", &input, &shapes)?;
    let rest = Rest {
        geometry: geometry(x.shape(), window)?,
        inv_std: inverse_std(var, eps),
        mean: mean.clone(),
        gamma: gamma.value().clone(),
        beta: beta.value().clone(),
        train: false,
        peers: None,
    };
    let op = BatchNormReluBackward { x: input, rest };
    Ok(tape.record(op.forward(), &[x, gamma, beta], op))
}

/// Returns the sizes of the pooling. A matrix counts as a batch of images of one pixel.
fn geometry(x: Shape, window: usize) -> Result<Pool2dGeometry> {
    let input = match *x {
        [n, c] => [n, c, 1, 1],
        [n, c, h, w] => [n, c, h, w],
        _ => {
            return Err(Error::shape(
                "batch_norm_relu",
                format!("x {x:?}, expected [n, c(, h, w)]"),
            ));
        }
    };
    if !(1..=2).contains(&window) {
        let detail = format!("window {window}, expected 1 or 2");
        return Err(Error::shape("batch_norm_relu", detail));
    }
    Pool2dGeometry::new(input, [window; 2], [window; 2], [0; 2])
        .map_err(|e| Error::shape("batch_norm_relu", e.to_string()))
}

struct BatchNormReluBackward<T: Element> {
    x: Tensor<T>,
    rest: Rest<T>,
}

/// Values that the op saves beside x.
struct Rest<T: Element> {
    geometry: Pool2dGeometry,
    mean: Tensor<T>,
    inv_std: Tensor<T>,
    gamma: Tensor<T>,
    beta: Tensor<T>,
    /// Whether mean and variance were computed from x: then gradients flow through them.
    train: bool,
    /// The other parts of the batch.
    peers: Option<Arc<dyn Peers<T>>>,
}

impl<T: Element> BatchNormReluBackward<T> {
    fn forward(&self) -> Tensor<T> {
        let g = &self.rest.geometry;
        let shape = match self.x.shape().len() {
            2 => self.x.shape(),
            _ => Shape::new(&[g.n, g.c, g.h_out, g.w_out]),
        };
        Tensor::build(shape, self.x.layout(), |y| {
            T::batch_norm_relu_forward(g, &self.rest.norm(), self.x.as_slice(), y);
        })
    }
}

impl<T: Element> Rest<T> {
    fn norm(&self) -> Normalisation<'_, T> {
        Normalisation {
            mean: self.mean.as_slice(),
            inv_std: self.inv_std.as_slice(),
            gamma: self.gamma.as_slice(),
            beta: self.beta.as_slice(),
        }
    }

    /// Computes the gradients; that of x takes the memory of x if nobody else holds it.
    fn backward(
        &self,
        mut x: Tensor<T>,
        grad_output: &Tensor<T>,
        grads: &mut InputGrads<T>,
    ) -> Result<()> {
        let (g, norm) = (&self.geometry, self.norm());
        let grad_output = grad_output.to_layout(x.layout());
        let gy = grad_output.as_slice();
        let mut grad_beta = Tensor::zeros(&self.gamma.shape());
        let mut grad_gamma = Tensor::zeros(&self.gamma.shape());
        if self.train || grads.needs(1) || grads.needs(2) {
            let (gg, gb) = (grad_gamma.as_mut_slice(), grad_beta.as_mut_slice());
            T::batch_norm_relu_backward_reduce(g, &norm, x.as_slice(), gy, gg, gb);
        }
        let whole = whole_batch::sums(
            self.peers.as_deref(),
            [&grad_gamma, &grad_beta],
            x.elements() / self.gamma.elements().max(1),
        )?;
        grads.set(0, || {
            let sums = self.train.then(|| [whole[0].as_slice(), whole[1].as_slice()]);
            T::batch_norm_relu_backward_input(g, &norm, x.as_mut_slice(), gy, sums);
            Ok(x)
        })?;
        grads.set(1, || Ok(grad_gamma))?;
        grads.set(2, || Ok(grad_beta))
    }
}

impl<T: Element> Backward<T> for BatchNormReluBackward<T> {
    fn name(&self) -> &'static str {
        "batch_norm_relu"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        self.rest.backward(self.x.clone(), grad_output, grads)
    }
    fn backward_once(self, grad_output: Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let Self { x, rest } = self;
        rest.backward(x, &grad_output, grads)
    }
}
