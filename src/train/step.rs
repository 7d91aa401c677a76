//! One training step: forward pass, loss, backward pass, update.

use crate::Result;
use crate::autograd::Var;
use crate::model::Network;
use crate::nn::Pass;
use crate::ops::{self, CrossEntropyOptions};
use crate::optim::{Optimizer, gradient_norm};
use crate::stats::argmax;
use crate::tensor::{Element, Tensor};
use crate::train::batch::Batch;
use fer_kernels::{Precision, on_pool};

/// The result of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepResult {
    /// Mean loss of the batch before the update.
    pub loss: f64,
    /// Faces whose largest logit was that of their label.
    pub correct: usize,
    /// √Σg² over all gradients.
    pub grad_norm: f64,
    /// Whether the weights were updated. A step with a non-finite loss or gradient changes nothing.
    pub applied: bool,
}

/// The position of a step in the training, which determines its random numbers and its learning rate,
/// and the precision of its products.
#[derive(Clone, Copy, Debug)]
pub struct StepAddress {
    /// Seed of the training.
    pub seed: u64,
    /// Number of the step, from 0.
    pub step: u64,
    /// Learning rate.
    pub lr: f64,
    /// Precision of the products; see [`TrainConfig::precision`](crate::train::TrainConfig::precision).
    pub precision: Precision,
}

/// Runs one step on a batch.
///
/// # Errors
/// [`crate::Error::Shape`] if images or targets do not fit the network.
pub fn train_step<T: Element>(
    network: &mut Network<T>,
    optimizer: &mut Optimizer<T>,
    batch: Batch<T>,
    loss: &CrossEntropyOptions,
    at: StepAddress,
) -> Result<StepResult> {
    let mut pass = Pass::train(at.seed, at.step);
    pass.tape.set_precision(at.precision);
    train_step_in(&mut pass, network, optimizer, batch, loss, at.lr)
}

/// Runs one step in a training pass of the caller, who may time it or watch its layers.
///
/// # Errors
/// As [`train_step`].
pub fn train_step_in<T: Element>(
    pass: &mut Pass<T>,
    network: &mut Network<T>,
    optimizer: &mut Optimizer<T>,
    batch: Batch<T>,
    loss: &CrossEntropyOptions,
    lr: f64,
) -> Result<StepResult> {
    let Batch { pixels, targets, labels } = batch;
    on_pool(|| {
        let logits = network.forward(pass, &Var::constant(pixels))?;
        let loss = ops::cross_entropy(&mut pass.tape, &logits, &targets, loss)?;
        pass.end_part("cross_entropy", &loss);
        let correct = count_correct(logits.value(), &labels);
        let gradients = pass.backward(&loss)?;
        pass.begin_part("update");
        let grads = network.parameters().into_iter().filter_map(|p| pass.gradient(&gradients, p));
        let grad_norm = gradient_norm(grads);
        let loss = loss.value().item().to_f64();
        let applied = loss.is_finite() && grad_norm.is_finite();
        if applied {
            network.update_running_statistics(pass.statistics());
            optimizer.step(network.parameters_mut(), lr, |p| pass.gradient(&gradients, p));
        }
        Ok(StepResult { loss, correct, grad_norm, applied })
    })
}

/// Counts the rows whose largest logit is that of the label.
pub(crate) fn count_correct<T: Element>(logits: &Tensor<T>, labels: &[usize]) -> usize {
    let rows = logits.as_slice().chunks(logits.shape()[1].max(1));
    rows.zip(labels).filter(|&(row, &label)| argmax(row) == label).count()
}
