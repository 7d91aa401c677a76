//! The parameter updates of SGD, Adam and AdamW, each in one pass over memory.

use crate::{Scalar, elementwise::CHUNK};
use rayon::prelude::*;

/// Hyperparameters of one SGD step.
#[derive(Clone, Copy, Debug)]
pub struct Sgd<T> {
    /// Learning rate.
    pub lr: T,
    /// Momentum μ.
    pub momentum: T,
    /// Whether Nesterov momentum is used.
    pub nesterov: bool,
    /// λ of the L2 term λ·p added to the gradient.
    pub weight_decay: T,
    /// Factor on the gradient (clipping).
    pub grad_scale: T,
}

/// Updates g ← s·g + λp; v ← μv + g; p ← p − lr·(g + μv if Nesterov, else v).
///
/// **Source**: `torch.optim.SGD`.
///
/// # Panics
/// When the slices differ in length.
pub fn sgd<T: Scalar>(s: &Sgd<T>, param: &mut [T], grad: &[T], velocity: &mut [T]) {
    assert!(grad.len() == param.len() && velocity.len() == param.len());
    param
        .par_chunks_mut(CHUNK)
        .zip(grad.par_chunks(CHUNK))
        .zip(velocity.par_chunks_mut(CHUNK))
        .for_each(|((param, grad), velocity)| {
            for ((p, &g), v) in param.iter_mut().zip(grad).zip(velocity) {
                let g = s.grad_scale * g + s.weight_decay * *p;
                *v = s.momentum * *v + g;
                let step = if s.nesterov { g + s.momentum * *v } else { *v };
                *p -= s.lr * step;
            }
        });
}

/// Hyperparameters of one Adam or AdamW step.
#[derive(Clone, Copy, Debug)]
pub struct Adam<T> {
    /// Learning rate.
    pub lr: T,
    /// Decay of the first moment.
    pub beta1: T,
    /// Decay of the second moment.
    pub beta2: T,
    /// Added to the root of the second moment.
    pub eps: T,
    /// 1 − β₁ᵗ at step t.
    pub correction1: T,
    /// 1 − β₂ᵗ at step t.
    pub correction2: T,
    /// λ of the L2 term added to the gradient (Adam).
    pub l2: T,
    /// λ of the decay applied to the parameter itself (AdamW).
    pub decoupled_decay: T,
    /// Factor on the gradient (clipping).
    pub grad_scale: T,
}

impl<T: Scalar> Adam<T> {
    /// Updates the moments with a gradient, m ← β₁m + (1−β₁)g and v ← β₂v + (1−β₂)g², and returns their
    /// unbiased estimates m/c₁ and √(v/c₂) + eps.
    #[inline]
    pub fn moments(&self, g: T, m: &mut T, v: &mut T) -> (T, T) {
        *m = self.beta1 * *m + (T::ONE - self.beta1) * g;
        *v = self.beta2 * *v + (T::ONE - self.beta2) * g * g;
        (*m / self.correction1, (*v / self.correction2).sqrt() + self.eps)
    }
}

/// Updates m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; p ← p(1 − lr·λ) − lr·(m/c₁)/(√(v/c₂) + eps).
///
/// **Source**: `torch.optim.Adam` and `AdamW`.
///
/// # Panics
/// When the slices differ in length.
pub fn adam<T: Scalar>(a: &Adam<T>, param: &mut [T], grad: &[T], m: &mut [T], v: &mut [T]) {
    assert!(grad.len() == param.len() && m.len() == param.len() && v.len() == param.len());
    let shrink = T::ONE - a.lr * a.decoupled_decay;
    param
        .par_chunks_mut(CHUNK)
        .zip(grad.par_chunks(CHUNK))
        .zip(m.par_chunks_mut(CHUNK).zip(v.par_chunks_mut(CHUNK)))
        .for_each(|((param, grad), (m, v))| {
            for ((p, &g), (m, v)) in param.iter_mut().zip(grad).zip(m.iter_mut().zip(v)) {
                let g = a.grad_scale * g + a.l2 * *p;
                let (mean, deviation) = a.moments(g, m, v);
                *p = *p * shrink - a.lr * (mean / deviation);
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// Returns whether `step` panics on slices of these lengths.
    fn refuses<const K: usize>(lengths: [usize; K], step: impl Fn([&mut [f32]; K])) -> bool {
        let mut slices = lengths.map(|len| vec![1.0; len]);
        let slices = slices.each_mut().map(|x| &mut x[..]);
        catch_unwind(AssertUnwindSafe(|| step(slices))).is_err()
    }

    /// Without the check, a short gradient would leave the rest of the parameter unchanged.
    #[test]
    fn slices_of_different_lengths_are_refused() {
        let (lr, momentum, nesterov, weight_decay, grad_scale) = (0.1, 0.9, true, 0.0, 1.0);
        let s = Sgd { lr, momentum, nesterov, weight_decay, grad_scale };
        let sgd = |[p, g, v]: [&mut [f32]; 3]| sgd(&s, p, g, v);
        let (beta1, beta2, eps, correction1, correction2) = (0.9, 0.999, 1e-8, 0.1, 0.001);
        let (l2, decoupled_decay) = (0.0, 0.0);
        let a = Adam {
            lr,
            beta1,
            beta2,
            eps,
            correction1,
            correction2,
            l2,
            decoupled_decay,
            grad_scale,
        };
        let adam = |[p, g, m, v]: [&mut [f32]; 4]| adam(&a, p, g, m, v);
        assert!(!refuses([3, 3, 3], sgd) && !refuses([3, 3, 3, 3], adam));
        assert!(refuses([3, 2, 3], sgd) && refuses([3, 3, 2], sgd) && refuses([2, 3, 3], sgd));
        assert!(refuses([3, 2, 3, 3], adam) && refuses([3, 3, 2, 3], adam));
        assert!(refuses([3, 3, 3, 2], adam) && refuses([2, 3, 3, 3], adam));
    }
}
