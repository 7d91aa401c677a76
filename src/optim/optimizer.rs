//! SGD, Adam and AdamW.
//!
//! # What momentum does, and Nesterov's
//!
//! Plain descent steps by lr·g. With momentum μ = 0.9 the step is lr·v, v ← 0.9·v + g. Where the gradient
//! stays 1, v is 1, 1.9, 2.71, … and tends to 10: along a long slope the steps grow tenfold. Where it alternates, 1,
//! −1, 1, …, v tends to ±0.53: across a narrow valley the steps halve.
//!
//! The price is overshoot. Let v be 10 when the gradient turns to −1. Momentum has v = 0.9·10 − 1 = 8 and walks
//! eight more steps in the old direction. Nesterov's rule steps by g + 0.9·v = −1 + 7.2 = 6.2: it gives the
//! newest gradient a second say, as if it had been taken where momentum is about to land. It turns sooner, and costs
//! nothing.

use crate::nn::{Parameter, Role};
use crate::tensor::{Element, Tensor};
use fer_kernels::reduce;
use fer_kernels::update::{self, Adam, Sgd};
use serde::{Deserialize, Serialize};

/// The update rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// SGD with momentum: v ← μv + g; p ← p − lr·v.
    Sgd,
    /// SGD with Nesterov momentum: p ← p − lr·(g + μv).
    #[default]
    Nesterov,
    /// Kingma and Ba 2015; weight decay is added to the gradient.
    Adam,
    /// Loshchilov and Hutter 2019; weight decay shrinks the weights themselves.
    #[serde(alias = "adamw")]
    AdamW,
}

/// Hyperparameters of an optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// The update rule.
    pub kind: OptimizerKind,
    /// μ of SGD.
    pub momentum: f64,
    /// β₁ of Adam.
    pub beta1: f64,
    /// β₂ of Adam.
    pub beta2: f64,
    /// Added to the root of Adam's second moment.
    pub eps: f64,
    /// λ; applies to weights, never to batch norms or biases.
    pub weight_decay: f64,
    /// Largest norm of all gradients together: above it, they are scaled down to it. 0 switches
    /// this off.
    pub clip_norm: f64,
    /// Factor on the learning rate of batch norm's β (Page 2024 uses 64 with a low base rate).
    pub beta_lr: f64,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            kind: OptimizerKind::Nesterov,
            momentum: 0.9,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 5e-4,
            clip_norm: 0.0,
            beta_lr: 1.0,
        }
    }
}

/// An optimiser: its hyperparameters, the moments of every parameter, and the number of steps.
#[derive(Clone, Debug)]
pub struct Optimizer<T: Element = f32> {
    /// Its hyperparameters.
    pub config: OptimizerConfig,
    /// Number of steps so far.
    pub steps: u64,
    /// Velocity (SGD) or first moment (Adam), one tensor per parameter.
    pub first: Vec<Tensor<T>>,
    /// Second moment (Adam only), one tensor per parameter.
    pub second: Vec<Tensor<T>>,
}

impl<T: Element> Optimizer<T> {
    /// Creates an optimiser for these parameters, with moments of zero.
    pub fn new(config: OptimizerConfig, parameters: &[&Parameter<T>]) -> Self {
        let zeros = || parameters.iter().map(|p| Tensor::zeros(&p.value.shape())).collect();
        let second = match config.kind {
            OptimizerKind::Adam | OptimizerKind::AdamW => zeros(),
            OptimizerKind::Sgd | OptimizerKind::Nesterov => Vec::new(),
        };
        Self { config, steps: 0, first: zeros(), second }
    }

    /// Updates the parameters. `gradient` returns the gradient of a parameter; a parameter without
    /// one does not change.
    ///
    /// # Panics
    /// If a gradient has another shape than its parameter.
    pub fn step<'a>(
        &mut self,
        parameters: Vec<&mut Parameter<T>>,
        lr: f64,
        gradient: impl Fn(&Parameter<T>) -> Option<&'a Tensor<T>>,
    ) {
        self.steps += 1;
        let scale = match self.config.clip_norm {
            max if max > 0.0 => {
                let norm = gradient_norm(parameters.iter().filter_map(|p| gradient(p)));
                (max / (norm + 1e-6)).min(1.0) // PyTorch's clip_grad_norm_
            }
            _ => 1.0,
        };
        for p in parameters {
            if let Some(grad) = gradient(p) {
                self.update(p, grad, lr, scale);
            }
        }
    }

    fn update(&mut self, p: &mut Parameter<T>, grad: &Tensor<T>, lr: f64, scale: f64) {
        let c = &self.config;
        let of = T::from_f64;
        let lr = of(if p.role == Role::Beta { lr * c.beta_lr } else { lr });
        let decay = if p.decays() { c.weight_decay } else { 0.0 };
        assert_eq!(grad.shape(), p.value.shape(), "the gradient of {} has another shape", p.name);
        let first = self.first[p.index].as_mut_slice();
        let grad = grad.to_layout(p.value.layout());
        let (value, grad) = (p.value.as_mut_slice(), grad.as_slice());
        if matches!(c.kind, OptimizerKind::Sgd | OptimizerKind::Nesterov) {
            let sgd = Sgd {
                lr,
                momentum: of(c.momentum),
                nesterov: c.kind == OptimizerKind::Nesterov,
                weight_decay: of(decay),
                grad_scale: of(scale),
            };
            return update::sgd(&sgd, value, grad, first);
        }
        let steps = self.steps.min(i32::MAX as u64) as i32;
        let coupled = c.kind == OptimizerKind::Adam;
        let adam = Adam {
            lr,
            beta1: of(c.beta1),
            beta2: of(c.beta2),
            eps: of(c.eps),
            correction1: of(1.0 - c.beta1.powi(steps)),
            correction2: of(1.0 - c.beta2.powi(steps)),
            l2: of(if coupled { decay } else { 0.0 }),
            decoupled_decay: of(if coupled { 0.0 } else { decay }),
            grad_scale: of(scale),
        };
        update::adam(&adam, value, grad, first, self.second[p.index].as_mut_slice());
    }
}

/// Returns √(Σ g²) over all gradients, in double precision.
pub fn gradient_norm<'a, T: Element>(gradients: impl Iterator<Item = &'a Tensor<T>>) -> f64 {
    gradients.map(|g| reduce::sum_of_squares(g.as_slice())).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fer_kernels::Layout;

    /// Elements are paired by index, whatever the memory orders.
    #[test]
    fn a_gradient_may_lie_in_another_order_than_its_parameter() {
        let counted = Tensor::<f64>::from_fn(&[1, 2, 3, 4], |i| i as f64);
        for kind in [OptimizerKind::Sgd, OptimizerKind::Adam] {
            let step = |value: Layout, grad: Layout| {
                let (name, role, index) = ("p".into(), Role::Weight, 0);
                let value = counted.to_layout(value);
                let mut p = Parameter { name, value, role, index };
                let mut optimizer =
                    Optimizer::new(OptimizerConfig { kind, ..Default::default() }, &[&p]);
                let grad = counted.map(|v| v * v).to_layout(grad);
                optimizer.step(vec![&mut p], 0.1, |_| Some(&grad));
                p.value.to_vec()
            };
            let want = step(Layout::Nchw, Layout::Nchw);
            assert_eq!(step(Layout::Nchw, Layout::Nhwc), want, "{kind:?}");
            assert_eq!(step(Layout::Nhwc, Layout::Nchw), want, "{kind:?}");
        }
    }
}
