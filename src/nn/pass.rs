//! One run of a network over a batch: the tape, the mode, and the outputs of watched layers.

use crate::Result;
use crate::autograd::{Gradients, NodeId, Peers, Tape, Var, spare};
use crate::nn::{Parameter, Profiler};
use crate::ops::BatchStatistics;
use crate::random::{Purpose, Rng};
use crate::tensor::{Element, Tensor};
use std::sync::Arc;

/// Training or evaluation: how batch norm and dropout behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Statistics of the batch, dropout on. `seed` and `step` determine the random numbers of
    /// dropout.
    Train {
        /// Seed of the training.
        seed: u64,
        /// Number of the step.
        step: u64,
    },
    /// Running statistics, no dropout: the result for an image does not depend on the other images.
    Eval,
}

/// The state of one run. Layers read their parameters through it, so that a parameter is recorded
/// on the tape once, and only if its gradient is needed.
pub struct Pass<T: Element = f32> {
    /// The record of the computation.
    pub tape: Tape<T>,
    mode: Mode,
    parameter_gradients: bool,
    /// Nodes of the parameters, by their index.
    leaves: Vec<Option<NodeId>>,
    statistics: Vec<(usize, BatchStatistics<T>)>,
    watched: Watch,
    seen: Vec<(String, Var<T>)>,
    dropouts: u64,
    profiler: Option<Profiler>,
}

/// Room made at first: as much as a built-in network needs.
const USUAL_PARAMETERS: usize = 80;
const USUAL_BATCH_NORMS: usize = 12;

impl<T: Element> Drop for Pass<T> {
    fn drop(&mut self) {
        spare::give_list(&mut self.leaves);
        spare::give_list(&mut self.statistics);
    }
}

/// The layers whose outputs are kept.
enum Watch {
    Names(Vec<String>),
    All,
}

impl<T: Element> Pass<T> {
    /// Creates a training run: batch statistics, dropout, gradients of the parameters.
    pub fn train(seed: u64, step: u64) -> Self {
        Self::new(Mode::Train { seed, step }, true)
    }

    /// Creates an evaluation run without gradients of the parameters. Gradients with respect to an
    /// input still flow if the input is a leaf of the tape.
    pub fn eval() -> Self {
        Self::new(Mode::Eval, false)
    }

    /// Creates a run in any mode, with or without gradients of the parameters.
    pub fn new(mode: Mode, parameter_gradients: bool) -> Self {
        Self {
            tape: Tape::new(),
            mode,
            parameter_gradients,
            leaves: spare::take_list(USUAL_PARAMETERS),
            statistics: spare::take_list(USUAL_BATCH_NORMS),
            watched: Watch::Names(Vec::new()),
            seen: Vec::new(),
            dropouts: 0,
            profiler: None,
        }
    }

    /// Makes the run part `index` of a larger batch that is computed at the same time: batch norm uses
    /// the whole batch, and dropout draws other numbers than in the other parts.
    pub(crate) fn join(&mut self, peers: Arc<dyn Peers<T>>, index: usize) {
        self.tape.join(peers);
        self.dropouts = (index as u64) << 32;
    }

    /// Keeps the outputs of the named layers, and in a backward pass their gradients.
    pub fn watch(&mut self, names: &[&str]) {
        self.watched = Watch::Names(names.iter().map(|&n| n.to_owned()).collect());
    }

    /// Keeps the outputs of all layers.
    pub fn watch_all(&mut self) {
        self.watched = Watch::All;
    }

    /// Measures the layers and the other parts of the step from now on.
    pub fn profile(&mut self) -> Profiler {
        self.profiler.get_or_insert_with(Profiler::start).clone()
    }

    /// Returns the mode.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Returns a parameter as a variable.
    pub(crate) fn parameter(&mut self, p: &Parameter<T>) -> Var<T> {
        if !self.parameter_gradients {
            return Var::constant(p.value.clone());
        }
        if self.leaves.len() <= p.index {
            self.leaves.resize(p.index + 1, None);
        }
        match self.leaves[p.index] {
            Some(node) => Var::of_node(p.value.clone(), Some(node)),
            None => {
                let leaf = self.tape.leaf(p.value.clone());
                self.leaves[p.index] = leaf.id();
                leaf
            }
        }
    }

    /// Returns the gradient of a parameter; `None` if the output did not depend on it.
    pub fn gradient<'a>(
        &self,
        gradients: &'a Gradients<T>,
        p: &Parameter<T>,
    ) -> Option<&'a Tensor<T>> {
        gradients.of(self.leaf(p)?)
    }

    /// Returns the node of a parameter, if the run used it and needed its gradient.
    pub fn leaf(&self, p: &Parameter<T>) -> Option<NodeId> {
        *self.leaves.get(p.index)?
    }

    /// Called by every layer with its output: keeps it if the layer is watched.
    pub(crate) fn end_layer(&mut self, name: &str, output: &Var<T>) {
        if self.is_watched(name) {
            self.tape.retain_grad(output);
            self.seen.push((name.to_owned(), output.clone()));
        }
        self.end_part(name, output);
    }

    /// Tells the profiler that a part of the forward pass has ended.
    pub(crate) fn end_part(&self, name: &str, output: &Var<T>) {
        if let Some(profiler) = &self.profiler {
            profiler.end_forward(name, output.id());
        }
    }

    /// Tells the profiler that a part of the step begins that is not on the tape.
    pub(crate) fn begin_part(&self, name: &str) {
        if let Some(profiler) = &self.profiler {
            profiler.begin(name);
        }
    }

    /// Computes the gradients of the loss, and consumes the tape.
    pub fn backward(&mut self, loss: &Var<T>) -> Result<Gradients<T>> {
        let Some(profiler) = &self.profiler else { return self.tape.backward(loss) };
        let one = Tensor::full(&loss.shape(), T::ONE);
        self.tape.backward_with(loss, one, &mut |node, _, _| profiler.visit(node))
    }

    /// Returns whether the output of this layer is watched. Then it may not be fused away.
    pub(crate) fn is_watched(&self, name: &str) -> bool {
        match &self.watched {
            Watch::All => true,
            Watch::Names(names) => names.iter().any(|n| n == name),
        }
    }

    /// Returns whether the outputs of all layers watched by name are there.
    pub(crate) fn has_all_watched(&self) -> bool {
        match &self.watched {
            Watch::All => false,
            Watch::Names(names) => !names.is_empty() && names.len() == self.seen.len(),
        }
    }

    /// Returns the output of a watched layer.
    pub fn output(&self, name: &str) -> Option<&Var<T>> {
        self.seen.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// Returns the outputs of all watched layers in the order of the network.
    pub fn outputs(&self) -> &[(String, Var<T>)] {
        &self.seen
    }

    /// Returns the statistics that batch norms have computed from the batch, each with the index of
    /// its batch norm.
    pub fn statistics(&self) -> &[(usize, BatchStatistics<T>)] {
        &self.statistics
    }

    pub(crate) fn add_statistics(&mut self, batch_norm: usize, statistics: BatchStatistics<T>) {
        self.statistics.push((batch_norm, statistics));
    }

    /// Returns the random numbers of the next dropout layer; `None` in evaluation.
    pub(crate) fn dropout_rng(&mut self) -> Option<Rng> {
        let Mode::Train { seed, step } = self.mode else { return None };
        self.dropouts += 1;
        Some(Rng::new(seed, Purpose::Dropout, step, self.dropouts))
    }
}
