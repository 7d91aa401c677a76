//! Batch normalisation.
//!
//! Numbers first. A channel holds 1 and 3: the mean is 2, the variance 1, and x̂ = −1 and 1. Now raise the 3
//! by a little. Its own x̂ would rise, but the mean rises with it, which lowers both, and the variance rises,
//! which shrinks both. Here the three effects cancel exactly: two values are always −1 and 1 after
//! normalisation, whatever they were, so their gradient is 0.
//!
//! # Where the three terms come from
//!
//! For one channel of m elements write x̂ᵢ = (xᵢ − μ)·r with μ = Σx/m, v = Σ(x − μ)²/m and r = 1/√(v + eps), and
//! let gᵢ = γ·ȳᵢ be the gradient that arrives at x̂ᵢ. An xⱼ reaches the loss on three paths:
//!
//! ```text
//! 1. through its own x̂ⱼ:       ∂x̂ⱼ/∂xⱼ = r                                         gives  r·gⱼ
//! 2. through the mean:          ∂x̂ᵢ/∂μ = −r for every i,   ∂μ/∂xⱼ = 1/m             gives −r·Σg/m
//! 3. through the variance:      ∂x̂ᵢ/∂v = (xᵢ − μ)·(−½)·r³ = −½·x̂ᵢ·r²,
//!                               ∂v/∂xⱼ = 2(xⱼ − μ)/m = 2·x̂ⱼ/(r·m)                  gives −r·x̂ⱼ·Σ(g·x̂)/m
//! ```
//!
//! (v depends on μ too, but ∂v/∂μ = −2·Σ(x − μ)/m = 0.) The sum is
//!
//! ```text
//! x̄ⱼ = r·(gⱼ − Σg/m − x̂ⱼ·Σ(g·x̂)/m)
//! ```
//!
//! The second term takes the mean out of g, the third takes out its part along x̂: a change of x that
//! normalisation undoes, a shift or a stretch of the whole channel, gets no gradient. With two elements there is
//! nothing but shift and stretch, and so the gradient above was 0. In evaluation mean and variance are fixed
//! numbers, and only the first path exists.

use crate::autograd::{Backward, InputGrads, Peers, Tape, Var};
use crate::ops::norm::whole_batch;
use crate::tensor::{Element, Shape, Tensor};
use crate::{Error, Result};
use fer_kernels::{ChannelView, Layout};
use std::sync::Arc;

/// Mean and variance of each channel over a batch. A batch norm normalises with them in training
/// mode, and they update its running statistics.
#[derive(Clone, Debug)]
pub struct BatchStatistics<T: Element> {
    /// Mean of each channel, `[c]`.
    pub mean: Tensor<T>,
    /// Biased variance of each channel, `[c]`.
    pub var: Tensor<T>,
    /// Number of elements per channel, m; the unbiased variance is var · m/(m − 1).
    pub count: usize,
}

/// Computes batch norm in training mode: y = γ·x̂ + β, x̂ = (x − mean)/√(var + eps), with mean and
/// (biased) variance of each channel over the batch and all pixels.
///
/// `statistics` are mean and variance if they are already known, from
/// [`conv2d_statistics`](crate::ops::conv2d_statistics()). They must be those of this x, because
/// the gradient flows through them. Without them they are computed from x.
///
/// **Shapes**: x `[n, c, h, w]` or `[n, c]`; γ, β `[c]`; y as x; the statistics `[c]`.
/// **Gradient**, with inv = 1/√(var + eps) and m elements per channel:
/// ∂L/∂β = Σ ȳ, ∂L/∂γ = Σ ȳ·x̂, ∂L/∂x = γ·inv·(ȳ − ∂L/∂β / m − x̂ · ∂L/∂γ / m): the two subtracted
/// terms flow through the mean and through the variance. Saved: x, mean, inv, γ.
/// **Errors**: [`Error::Shape`] if the shapes are not these, a channel has fewer than two elements,
/// or the statistics are of another number of elements.
/// **Source**: Ioffe and Szegedy 2015; `torch.nn.functional.batch_norm(training=True)`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[1.0, 3.0], &[2, 1])?);
/// let one = tape.leaf(Tensor::full(&[1], 1.0));
/// let zero = tape.leaf(Tensor::zeros(&[1]));
/// let (y, batch) = ops::batch_norm_train(&mut tape, &x, &one, &zero, 0.0, None)?;
/// assert_eq!(y.value().to_vec(), [-1.0, 1.0]);
/// assert_eq!((batch.mean.item(), batch.var.item()), (2.0, 1.0));
/// let gradients = tape.backward_from(&y, Tensor::from_slice(&[1.0, 0.0], &[2, 1])?)?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), [0.0, 0.0]); // two values are always −1 and 1
/// # Ok::<(), fer::Error>(())
/// ```
pub fn batch_norm_train<T: Element>(
    tape: &mut Tape<T>,
    x: &Var<T>,
    gamma: &Var<T>,
    beta: &Var<T>,
    eps: f64,
    statistics: Option<BatchStatistics<T>>,
) -> Result<(Var<T>, BatchStatistics<T>)> {
    let view = channel_view("batch_norm", x.value(), &[gamma.shape(), beta.shape()])?;
    let own = statistics_of("batch_norm", x.value(), &view, statistics)?;
    let batch = whole_batch::statistics(tape, own)?;
    let inv_std = inverse_std(&batch.var, eps);
    let y = normalise(x.value(), &view, &batch.mean, &inv_std, gamma.value(), beta.value())?;
    let op = BatchNormBackward {
        view,
        x: x.value().clone(),
        mean: batch.mean.clone(),
        inv_std,
        gamma: gamma.value().clone(),
        train: true,
        peers: tape.peers(),
    };
    Ok((tape.record(y, &[x, gamma, beta], op), batch))
}

/// Computes batch norm in evaluation mode: the same formula with fixed mean and variance.
///
/// **Shapes**: as [`batch_norm_train`]; mean, var `[c]`.
/// **Gradient**: ∂L/∂x = γ·inv·ȳ; γ and β as in training. Saved: x, mean, inv, γ.
/// **Errors**: [`Error::Shape`] if the shapes are not these.
/// **Source**: `torch.nn.functional.batch_norm(training=False)`.
///
/// ```
/// # use fer::autograd::Tape;
/// # use fer::tensor::Tensor;
/// # use fer::ops;
/// # let mut tape = Tape::new();
/// let x = tape.leaf(Tensor::from_slice(&[5.0], &[1, 1])?);
/// let (gamma, beta) = (tape.leaf(Tensor::full(&[1], 2.0)), tape.leaf(Tensor::full(&[1], 1.0)));
/// let (mean, var) = (Tensor::full(&[1], 3.0), Tensor::full(&[1], 4.0));
/// let y = ops::batch_norm_eval(&mut tape, &x, &gamma, &beta, &mean, &var, 0.0)?;
/// assert_eq!(y.value().item(), 3.0); // 2·(5 − 3)/2 + 1
/// let gradients = tape.backward_from(&y, Tensor::full(&y.shape(), 1.0))?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec(), [1.0]); // γ·inv = 2/2
/// # Ok::<(), fer::Error>(())
/// ```
pub fn batch_norm_eval<T: Element>(
    tape: &mut Tape<T>,
    x: &Var<T>,
    gamma: &Var<T>,
    beta: &Var<T>,
    mean: &Tensor<T>,
    var: &Tensor<T>,
    eps: f64,
) -> Result<Var<T>> {
    let shapes = [gamma.shape(), beta.shape(), mean.shape(), var.shape()];
    let view = channel_view("batch_norm", x.value(), &shapes)?;
    let inv_std = inverse_std(var, eps);
    let y = normalise(x.value(), &view, mean, &inv_std, gamma.value(), beta.value())?;
    let op = BatchNormBackward {
        view,
        x: x.value().clone(),
        mean: mean.clone(),
        inv_std,
        gamma: gamma.value().clone(),
        train: false,
        peers: None,
    };
    Ok(tape.record(y, &[x, gamma, beta], op))
}

/// Checks the shapes and returns the memory of x as `[outer, channels, inner]`.
pub(crate) fn channel_view<T: Element>(
    op: &'static str,
    x: &Tensor<T>,
    vectors: &[Shape],
) -> Result<ChannelView> {
    let s = x.shape();
    if !matches!(s.len(), 2 | 4) || vectors.iter().any(|v| **v != [s[1]]) {
        let detail = format!("x {s:?}, per channel {vectors:?}; expected [n, c(, h, w)] and [c]");
        return Err(Error::shape(op, detail));
    }
    let pixels = s[2..].iter().product::<usize>();
    Ok(match (s.len(), x.layout()) {
        (4, Layout::Nhwc) => ChannelView { outer: s[0] * pixels, channels: s[1], inner: 1 },
        _ => ChannelView { outer: s[0], channels: s[1], inner: pixels },
    })
}

/// Returns mean and variance of x: `known`, after a check of the shapes, or computed now.
pub(crate) fn statistics_of<T: Element>(
    op: &'static str,
    x: &Tensor<T>,
    view: &ChannelView,
    known: Option<BatchStatistics<T>>,
) -> Result<BatchStatistics<T>> {
    let (channel, count) = (Shape::new(&[view.channels]), view.per_channel());
    if count < 2 {
        let found = ["no element", "one element"][count];
        let detail = format!("x {:?} has no variance: {found} per channel", x.shape());
        return Err(Error::shape(op, detail));
    }
    let Some(known) = known else {
        let mut var = Tensor::zeros(&channel);
        let mean = Tensor::build(channel, Layout::Nchw, |mean| {
            T::batch_norm_statistics(view, x.as_slice(), mean, var.as_mut_slice());
        });
        return Ok(BatchStatistics { mean, var, count });
    };
    let (mean, var) = (known.mean.shape(), known.var.shape());
    if mean != channel || var != channel || known.count != count {
        let detail = format!(
            "mean {mean:?} and variance {var:?} of {} elements for x {:?}; expected {channel:?}, {count}",
            known.count,
            x.shape()
        );
        return Err(Error::shape(op, detail));
    }
    Ok(known)
}

/// Returns 1/√(var + eps).
pub(crate) fn inverse_std<T: Element>(var: &Tensor<T>, eps: f64) -> Tensor<T> {
    let eps = T::from_f64(eps);
    var.map(|v| T::ONE / (v + eps).sqrt())
}

/// Computes γ·(x − mean)·inv + β with one multiplication and one addition per pixel.
fn normalise<T: Element>(
    x: &Tensor<T>,
    view: &ChannelView,
    mean: &Tensor<T>,
    inv_std: &Tensor<T>,
    gamma: &Tensor<T>,
    beta: &Tensor<T>,
) -> Result<Tensor<T>> {
    let scale = gamma.zip("batch_norm", inv_std, |g, i| g * i)?;
    let offset = mean.zip("batch_norm", &scale, |m, s| m * s)?;
    let shift = beta.zip("batch_norm", &offset, |b, o| b - o)?;
    Ok(Tensor::build(x.shape(), x.layout(), |y| {
        T::channel_affine(view, x.as_slice(), scale.as_slice(), shift.as_slice(), y);
    }))
}

struct BatchNormBackward<T: Element> {
    view: ChannelView,
    x: Tensor<T>,
    mean: Tensor<T>,
    inv_std: Tensor<T>,
    gamma: Tensor<T>,
    /// Whether mean and variance were computed from x: then gradients flow through them.
    train: bool,
    /// The other parts of the batch.
    peers: Option<Arc<dyn Peers<T>>>,
}

impl<T: Element> Backward<T> for BatchNormBackward<T> {
    fn name(&self) -> &'static str {
        "batch_norm"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        let (v, mean, inv) = (&self.view, self.mean.as_slice(), self.inv_std.as_slice());
        let grad_output = grad_output.to_layout(self.x.layout());
        let (x, gy) = (self.x.as_slice(), grad_output.as_slice());
        let mut grad_beta = Tensor::zeros(&self.gamma.shape());
        let mut grad_gamma = Tensor::zeros(&self.gamma.shape());
        if self.train || grads.needs(1) || grads.needs(2) {
            let (gg, gb) = (grad_gamma.as_mut_slice(), grad_beta.as_mut_slice());
            T::batch_norm_backward_reduce(v, x, gy, mean, inv, gg, gb);
        }
        let own = [&grad_gamma, &grad_beta];
        let sums = whole_batch::sums(self.peers.as_deref(), own, v.per_channel())?;
        grads.set(0, || {
            let (gg, gb) = (sums[0].as_slice(), sums[1].as_slice());
            let gamma = self.gamma.as_slice();
            let scale = self.gamma.zip("batch_norm", &self.inv_std, |g, i| g * i)?;
            Ok(Tensor::build(self.x.shape(), self.x.layout(), |gx| {
                if self.train {
                    T::batch_norm_backward_input(v, x, gy, mean, inv, gamma, gg, gb, gx);
                } else {
                    let zero = Tensor::zeros(&self.gamma.shape());
                    T::channel_affine(v, gy, scale.as_slice(), zero.as_slice(), gx);
                }
            }))
        })?;
        grads.set(1, || Ok(grad_gamma))?;
        grads.set(2, || Ok(grad_beta))
    }
}
