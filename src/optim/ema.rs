//! Exponential moving average of a network's state.

use crate::model::Network;
use crate::tensor::{Element, Tensor};
use fer_kernels::elementwise;

/// average ← d·average + (1 − d)·current, over weights and running statistics alike.
///
/// The decay rises with the number of updates t, d = min(decay, (1 + t)/(10 + t)), so that the
/// random initial weights are soon forgotten.
#[derive(Clone, Debug)]
pub struct Ema<T: Element = f32> {
    /// Largest decay.
    pub decay: f64,
    /// Updates so far.
    pub updates: u64,
    /// The averages, in the order of [`Network::state`].
    pub average: Vec<Tensor<T>>,
}

impl<T: Element> Ema<T> {
    /// Starts at the network's present state.
    pub fn new(network: &Network<T>, decay: f64) -> Self {
        let average = network.state().into_iter().map(|(_, t)| t.clone()).collect();
        Self { decay, updates: 0, average }
    }

    /// Moves the average towards the network's state.
    pub fn update(&mut self, network: &Network<T>) {
        let t = self.updates as f64;
        let d = T::from_f64(self.decay.min((1.0 + t) / (10.0 + t)));
        self.updates += 1;
        for (average, (_, current)) in self.average.iter_mut().zip(network.state()) {
            let current = current.as_slice();
            elementwise::update(average.as_mut_slice(), current, |a, c| d * a + (T::ONE - d) * c);
        }
    }

    /// The network with the averages in place of its state.
    pub fn network(&self, network: &Network<T>) -> Network<T> {
        let mut out = network.clone();
        for ((_, tensor), average) in out.state_mut().into_iter().zip(&self.average) {
            *tensor = average.clone();
        }
        out
    }
}
