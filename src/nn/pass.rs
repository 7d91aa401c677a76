//! One run of a network over a batch: the tape, the mode, and what the layers leave behind.

use crate::autograd::{Gradients, Tape, Var};
use crate::nn::Parameter;
use crate::nn::profiler::{Clock, Way};
use crate::ops::BatchStatistics;
use crate::random::{Purpose, Rng};
use crate::tensor::{Element, Tensor};

/// Whether batch norm and dropout behave as in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Statistics of the batch, dropout on. `seed` and `step` address dropout's randomness.
    Train {
        /// Seed of the training.
        seed: u64,
        /// Number of the step.
        step: u64,
    },
    /// Running statistics, no dropout: one image's result does not depend on the others.
    Eval,
}

/// The state of one run. Layers read their parameters through it, so that a parameter is written on
/// the tape once, and only where its gradient is wanted.
pub struct Pass<T: Element = f32> {
    /// The record of the computation.
    pub tape: Tape<T>,
    mode: Mode,
    parameter_gradients: bool,
    leaves: Vec<Option<Var<T>>>,
    statistics: Vec<(usize, BatchStatistics<T>)>,
    watched: Watch,
    seen: Vec<(String, Var<T>)>,
    dropouts: u64,
    clock: Option<Clock>,
}

/// Which layers' outputs are kept.
enum Watch {
    Names(Vec<String>),
    All,
}

impl<T: Element> Pass<T> {
    /// A training run: batch statistics, dropout, gradients of the parameters.
    pub fn train(seed: u64, step: u64) -> Self {
        Self::new(Mode::Train { seed, step }, true)
    }

    /// An evaluation run without gradients of the parameters. Gradients with respect to an input
    /// still flow if the input is a leaf of the tape.
    pub fn eval() -> Self {
        Self::new(Mode::Eval, false)
    }

    /// Any combination.
    pub fn new(mode: Mode, parameter_gradients: bool) -> Self {
        Self {
            tape: Tape::new(),
            mode,
            parameter_gradients,
            leaves: Vec::new(),
            statistics: Vec::new(),
            watched: Watch::Names(Vec::new()),
            seen: Vec::new(),
            dropouts: 0,
            clock: None,
        }
    }

    /// Keeps the outputs, and in a backward pass their gradients, of the named layers.
    pub fn watch(&mut self, names: &[&str]) {
        self.watched = Watch::Names(names.iter().map(|&n| n.to_owned()).collect());
    }

    /// Keeps the outputs of all layers.
    pub fn watch_all(&mut self) {
        self.watched = Watch::All;
    }

    /// Times the layers and the other parts of the step from now on.
    pub fn time(&mut self) -> Clock {
        self.clock.get_or_insert_default().clone()
    }

    /// The mode.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// A parameter as a variable.
    pub(crate) fn parameter(&mut self, p: &Parameter<T>) -> Var<T> {
        if !self.parameter_gradients {
            return Var::constant(p.value.clone());
        }
        if self.leaves.len() <= p.index {
            self.leaves.reserve(64); // the parameters of a network of ours
            self.leaves.resize(p.index + 1, None);
        }
        let leaf = self.leaves[p.index].take().unwrap_or_else(|| self.tape.leaf(p.value.clone()));
        self.leaves[p.index].insert(leaf).clone()
    }

    /// The gradient of a parameter; `None` if the output did not depend on it.
    pub fn gradient<'a>(
        &self,
        gradients: &'a Gradients<T>,
        p: &Parameter<T>,
    ) -> Option<&'a Tensor<T>> {
        gradients.get(self.leaf(p)?)
    }

    /// A parameter as it stands on the tape, if the run used it and wanted its gradient.
    pub fn leaf(&self, p: &Parameter<T>) -> Option<&Var<T>> {
        self.leaves.get(p.index)?.as_ref()
    }

    /// Called by every layer with its output, which goes on with the result.
    pub(crate) fn observe(&mut self, name: &str, output: Var<T>) -> Var<T> {
        if self.is_watched(name) {
            self.tape.retain_grad(&output);
            self.seen.push((name.to_owned(), output.clone()));
        }
        self.mark(name, output)
    }

    /// The end of a part of the step that is no layer, where the step is timed.
    pub(crate) fn mark(&mut self, name: &str, output: Var<T>) -> Var<T> {
        match &self.clock {
            Some(clock) => clock.mark(&mut self.tape, name, output),
            None => output,
        }
    }

    /// The beginning of a part of the step that is not on the tape, where the step is timed.
    pub(crate) fn begin(&self, name: &str) {
        if let Some(clock) = &self.clock {
            clock.note(name, Way::Backward);
        }
    }

    /// Whether somebody asked for this layer's output, so that it may not be fused away.
    pub(crate) fn is_watched(&self, name: &str) -> bool {
        match &self.watched {
            Watch::All => true,
            Watch::Names(names) => names.iter().any(|n| n == name),
        }
    }

    /// Whether every named layer has been seen.
    pub(crate) fn saw_everything(&self) -> bool {
        match &self.watched {
            Watch::All => false,
            Watch::Names(names) => !names.is_empty() && names.len() == self.seen.len(),
        }
    }

    /// The output of a watched layer.
    pub fn output(&self, name: &str) -> Option<&Var<T>> {
        self.seen.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// The outputs of all watched layers in the order of the network.
    pub fn outputs(&self) -> &[(String, Var<T>)] {
        &self.seen
    }

    /// What the batch norms measured, by their place among the batch norms of the network.
    pub fn statistics(&self) -> &[(usize, BatchStatistics<T>)] {
        &self.statistics
    }

    pub(crate) fn measured(&mut self, batch_norm: usize, statistics: BatchStatistics<T>) {
        self.statistics.push((batch_norm, statistics));
    }

    /// A stream of random numbers for the next dropout layer, if this is training.
    pub(crate) fn dropout_rng(&mut self) -> Option<Rng> {
        let Mode::Train { seed, step } = self.mode else { return None };
        self.dropouts += 1;
        Some(Rng::new(seed, Purpose::Dropout, step, self.dropouts))
    }
}
