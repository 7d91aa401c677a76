//! Batch normalisation layer, with running statistics.

use crate::Result;
use crate::autograd::Var;
use crate::nn::{LayerBuilder, Mode, Parameter, Pass, Role};
use crate::ops::{self, BatchStatistics};
use crate::tensor::{Element, Tensor};

/// Batch normalisation of the channels of `[n, c, h, w]`, or of the features of `[n, c]`.
#[derive(Clone, Debug)]
pub struct BatchNorm2d<T: Element = f32> {
    /// `batch_normalization_1`, …
    pub name: String,
    /// Scale γ `[c]`.
    pub gamma: Parameter<T>,
    /// Shift β `[c]`.
    pub beta: Parameter<T>,
    /// Mean used in evaluation `[c]`.
    pub running_mean: Tensor<T>,
    /// Variance used in evaluation `[c]`.
    pub running_var: Tensor<T>,
    /// Added to the variance.
    pub eps: f64,
    /// m of new = (1 − m)·old + m·batch.
    pub momentum: f64,
    /// Its index among the batch norms of the network.
    pub index: usize,
}

impl<T: Element> BatchNorm2d<T> {
    /// Creates a layer with scale 1, shift 0, running mean 0 and running variance 1.
    pub fn new(b: &mut LayerBuilder, channels: usize, eps: f64, momentum: f64) -> Self {
        let name = b.name("batch_normalization");
        let (g, bt) = (format!("{name}.gamma"), format!("{name}.beta"));
        Self {
            gamma: Parameter::constant(g, channels, 1.0, Role::Gamma, b.parameter()),
            beta: Parameter::constant(bt, channels, 0.0, Role::Beta, b.parameter()),
            running_mean: Tensor::zeros(&[channels]),
            running_var: Tensor::full(&[channels], T::ONE),
            eps,
            momentum,
            index: b.batch_norm(),
            name,
        }
    }

    /// Normalises with the statistics of the batch in training, with the running ones in
    /// evaluation. `statistics` are those of the batch if the layer before has computed them.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if x is not `[n, channels, h, w]`.
    pub fn forward(
        &self,
        pass: &mut Pass<T>,
        x: &Var<T>,
        statistics: Option<BatchStatistics<T>>,
    ) -> Result<Var<T>> {
        let (gamma, beta) = (pass.parameter(&self.gamma), pass.parameter(&self.beta));
        let (mode, tape, eps) = (pass.mode(), &mut pass.tape, self.eps);
        match mode {
            Mode::Train { .. } => {
                let (y, batch) = ops::batch_norm_train(tape, x, &gamma, &beta, eps, statistics)?;
                pass.add_statistics(self.index, batch);
                Ok(y)
            }
            Mode::Eval => {
                let (mean, var) = (&self.running_mean, &self.running_var);
                ops::batch_norm_eval(tape, x, &gamma, &beta, mean, var, eps)
            }
        }
    }

    /// Normalises, applies ReLU, and takes the maximum of each window×window pixels, in one op.
    pub(crate) fn forward_relu(
        &self,
        pass: &mut Pass<T>,
        x: &Var<T>,
        statistics: Option<BatchStatistics<T>>,
        window: usize,
    ) -> Result<Var<T>> {
        let (gamma, beta) = (pass.parameter(&self.gamma), pass.parameter(&self.beta));
        let (mode, tape, eps) = (pass.mode(), &mut pass.tape, self.eps);
        match mode {
            Mode::Train { .. } => {
                let (y, batch) =
                    ops::batch_norm_relu_train(tape, x, &gamma, &beta, eps, window, statistics)?;
                pass.add_statistics(self.index, batch);
                Ok(y)
            }
            Mode::Eval => {
                let fixed = [&self.running_mean, &self.running_var];
                ops::batch_norm_relu_eval(tape, x, [&gamma, &beta], fixed, eps, window)
            }
        }
    }

    /// Moves the running statistics towards those of a batch. Normalisation uses the biased
    /// variance of the batch; the running variance follows the unbiased one, var · m/(m − 1), as in
    /// PyTorch.
    pub(crate) fn update_running_statistics(&mut self, batch: &BatchStatistics<T>) {
        let m = T::from_f64(self.momentum);
        let unbiased = T::from_f64(batch.count as f64 / (batch.count as f64 - 1.0));
        let blend = |old: &mut Tensor<T>, new: &Tensor<T>, factor: T| {
            for (o, &n) in old.as_mut_slice().iter_mut().zip(new.as_slice()) {
                *o = (T::ONE - m) * *o + m * factor * n;
            }
        };
        blend(&mut self.running_mean, &batch.mean, T::ONE);
        blend(&mut self.running_var, &batch.var, unbiased);
    }
}
