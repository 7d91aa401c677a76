//! Exponential moving average (EMA) of a network's state.
//!
//! # What the average does
//!
//! At a constant learning rate the weights do not come to rest: each batch pulls them another way, and they jump
//! about the minimum. Let a weight be 2 plus noise of variance 1. The average of the last 1/(1 − d) steps, a
//! thousand for d = 0.999, is also about 2, but its variance is (1 − d)/(1 + d) = 0.0005 if the noise of the steps is
//! independent. It is a network nearer to the minimum than any single step, for one pass over the weights.
//!
//! # Why the average needs statistics of its own
//!
//! A batch norm divides by the deviation that its input has *under these weights*. Let x have variance 1 and a
//! weight alternate between 1 and 3. Its outputs w·x have variance 1 and 9 in turn, and the averaged weight, 2, gives
//! variance 4. Whoever takes the averaged weights with the statistics of the last step normalises by √9 or √1 where
//! √4 is right. Exact would be one more pass over the data with the averaged weights. Here the running
//! statistics are averaged with the same d as the weights (5 instead of 4 in this example, and close where the
//! weights move little), so that weights and statistics describe the same stretch of the training.

use crate::tensor::{Element, Tensor};
use fer_kernels::elementwise;

/// average ← d·average + (1 − d)·current, over weights and running statistics alike.
///
/// The decay rises with the number of updates t, d = min(decay, (1 + t)/(10 + t)), so that the
/// random initial weights are soon forgotten. The state is that of [`Network::state`], names and
/// tensors.
///
/// [`Network::state`]: crate::model::Network::state
#[derive(Clone, Debug)]
pub struct Ema<T: Element = f32> {
    /// Largest decay.
    pub decay: f64,
    /// Number of updates so far.
    pub updates: u64,
    /// The averages, in the order of the state.
    pub average: Vec<Tensor<T>>,
}

impl<T: Element> Ema<T> {
    /// Starts at this state.
    pub fn new(state: &[(String, &Tensor<T>)], decay: f64) -> Self {
        Self { decay, updates: 0, average: state.iter().map(|&(_, t)| t.clone()).collect() }
    }

    /// Moves the averages towards the current state.
    pub fn update(&mut self, state: &[(String, &Tensor<T>)]) {
        let t = self.updates as f64;
        let d = T::from_f64(self.decay.min((1.0 + t) / (10.0 + t)));
        self.updates += 1;
        for (average, (_, current)) in self.average.iter_mut().zip(state) {
            let current = current.as_slice();
            elementwise::update(average.as_mut_slice(), current, |a, c| d * a + (T::ONE - d) * c);
        }
    }
}
