//! Exponential moving average (EMA) of a network's state.

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
