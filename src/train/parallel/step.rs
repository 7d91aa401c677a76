//! One training step in micro-batches.

use crate::autograd::{NodeId, Peers, Var};
use crate::model::Network;
use crate::nn::{Parameter, Pass};
use crate::ops::{self, BatchStatistics, CrossEntropyOptions};
use crate::optim::{Optimizer, gradient_norm};
use crate::tensor::Tensor;
use crate::train::batch::Batch;
use crate::train::parallel::lockstep::{Lockstep, Part};
use crate::train::parallel::ordered_sum::{LOOK_EVERY, OrderedSum, OwnGradients};
use crate::train::parallel::ranks::{Alone, Ranks, Reduce};
use crate::train::step::{StepAddress, StepResult, count_correct};
use crate::{Error, Result};
use fer_kernels::Layout;
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Who computes which faces of a batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// Faces of each micro-batch, as places in the batch.
    pub micro: Vec<Range<usize>>,
    /// Number of micro-batches of each process, which come one process after the other.
    pub parts: Vec<usize>,
    /// First micro-batch of this process.
    pub first: usize,
}

impl Plan {
    /// Cuts `faces` faces into micro-batches of `size`, and these into one run for each process.
    ///
    /// # Errors
    /// [`Error::Usage`] if there are fewer micro-batches than processes.
    pub fn new(faces: usize, size: usize, ranks: &dyn Ranks) -> Result<Self> {
        let micro: Vec<Range<usize>> =
            (0..faces).step_by(size.max(1)).map(|at| at..(at + size).min(faces)).collect();
        let (count, n) = (micro.len(), ranks.size());
        if count < n {
            return Err(Error::Usage(format!(
                "{n} processes for {count} micro-batches of {size} faces: some would have nothing to do; use \
                 at most {count} processes, a smaller --micro-batch or a larger --batch-size"
            )));
        }
        let start = |rank: usize| rank * count / n;
        let parts = (0..n).map(|rank| start(rank + 1) - start(rank)).collect();
        Ok(Self { micro, parts, first: start(ranks.rank()) })
    }

    /// Returns the micro-batches of this process.
    pub fn own(&self, ranks: &dyn Ranks) -> &[Range<usize>] {
        &self.micro[self.first..self.first + self.parts[ranks.rank()]]
    }

    fn faces(&self) -> usize {
        self.micro.last().map_or(0, |last| last.end)
    }
}

/// What a step needs beside the network.
pub(crate) struct MicroStep<'a> {
    /// The processes.
    pub ranks: &'a Arc<dyn Ranks>,
    /// The cut of the batch.
    pub plan: &'a Plan,
    /// The own micro-batches, in order.
    pub own: Vec<Batch>,
    /// Options of the loss.
    pub loss: &'a CrossEntropyOptions,
    /// The place of the step in the training.
    pub at: StepAddress,
    /// How gradients are added.
    pub reduce: Reduce,
}

/// The result of one micro-batch, without its gradients.
struct PartResult {
    /// Mean loss times the number of faces.
    loss: f64,
    correct: usize,
    statistics: Vec<(usize, BatchStatistics<f32>)>,
}

impl MicroStep<'_> {
    /// Runs the step and updates the network.
    ///
    /// # Errors
    /// [`Error::Shape`] if images or targets do not fit, [`Error::Failed`] if another process ended.
    pub fn run(
        mut self,
        network: &mut Network<f32>,
        optimizer: &mut Optimizer<f32>,
    ) -> Result<StepResult> {
        let sizes: Vec<usize> = network.parameters().iter().map(|p| p.value.elements()).collect();
        let own = OwnGradients::new(sizes.len(), self.own.len());
        let ranks = self.ranks.clone();
        let mut sum =
            (self.reduce == Reduce::Ordered).then(|| OrderedSum::new(&*ranks, &own, &sizes));
        let done = self.compute(network, &own, &mut |pause| match &mut sum {
            Some(sum) => sum.advance(pause),
            None => {
                thread::sleep(pause);
                Ok(())
            }
        })?;
        let (loss, correct) = self.totals(&done)?;
        let sums = match sum {
            Some(sum) => sum.finish()?,
            None => self.sum_fast(&own, &sizes)?,
        };
        let gradients = tensors(network, &sums)?;
        let grad_norm = gradient_norm(gradients.iter());
        let applied = loss.is_finite() && grad_norm.is_finite();
        if applied {
            if let Some(part) = done.first() {
                network.update_running_statistics(&part.statistics);
            }
            optimizer.step(network.parameters_mut(), self.at.lr, |p| gradients.get(p.index));
        }
        Ok(StepResult { loss, correct, grad_norm, applied })
    }

    /// Computes the own micro-batches, each on a thread: they meet at every batch norm. Until all have
    /// ended it calls `meanwhile`, with the time that this may wait.
    fn compute(
        &mut self,
        network: &Network<f32>,
        gradients: &OwnGradients,
        meanwhile: &mut dyn FnMut(Duration) -> Result<()>,
    ) -> Result<Vec<PartResult>> {
        let lockstep = Lockstep::new(self.ranks.clone(), self.plan.parts.clone());
        let own = std::mem::take(&mut self.own);
        let this = &*self;
        let parts = own.into_iter().enumerate();
        thread::scope(|scope| {
            let threads: Vec<_> = parts
                .map(|(place, batch)| {
                    let part = Arc::new(Part::new(&lockstep, place));
                    let work = move || this.part(network, &part, (place, gradients), batch);
                    thread::Builder::new().spawn_scoped(scope, work)
                })
                .collect();
            if threads.iter().any(std::result::Result::is_err) {
                Part::new(&lockstep, 0).fail();
            }
            // The micro-batches need the pool. If this thread is one of the pool's, it works for them.
            let in_pool = rayon::current_thread_index().is_some();
            let pause = if in_pool { Duration::ZERO } else { LOOK_EVERY };
            let mut told = Ok(());
            while told.is_ok() && threads.iter().flatten().any(|thread| !thread.is_finished()) {
                told = meanwhile(pause);
                if matches!(rayon::yield_now(), Some(rayon::Yield::Idle)) {
                    thread::yield_now();
                }
            }
            if told.is_err() {
                Part::new(&lockstep, 0).fail();
            }
            let crashed = || Error::Failed("a thread of the step ended early".into());
            let results: Vec<Result<PartResult>> = threads
                .into_iter()
                .map(|thread| match thread {
                    Ok(thread) => thread.join().unwrap_or_else(|_| Err(crashed())),
                    Err(e) => Err(Error::Failed(format!("no thread for a micro-batch: {e}"))),
                })
                .collect();
            told?;
            results.into_iter().collect()
        })
    }

    fn part(
        &self,
        network: &Network<f32>,
        part: &Arc<Part>,
        own: (usize, &OwnGradients),
        batch: Batch,
    ) -> Result<PartResult> {
        /// Releases the others if this thread panics.
        struct Guard<'a>(&'a Part, bool);
        impl Drop for Guard<'_> {
            fn drop(&mut self) {
                if !self.1 {
                    self.0.fail();
                }
            }
        }
        let mut guard = Guard(part, false);
        let result = self.forward_backward(network, part.clone(), own, batch);
        guard.1 = result.is_ok();
        result
    }

    fn forward_backward(
        &self,
        network: &Network<f32>,
        peers: Arc<dyn Peers<f32>>,
        (place, own): (usize, &OwnGradients),
        batch: Batch,
    ) -> Result<PartResult> {
        let Batch { pixels, targets, labels } = batch;
        let faces = labels.len();
        let mut pass = Pass::train(self.at.seed, self.at.step);
        pass.tape.set_precision(self.at.precision);
        pass.join(peers, self.plan.first + place);
        let logits = network.forward(&mut pass, &Var::constant(pixels))?;
        let loss = ops::cross_entropy(&mut pass.tape, &logits, &targets, self.loss)?;
        let correct = count_correct(logits.value(), &labels);
        // The share of this part in the mean loss of the batch is in the gradient from the start, because
        // batch norm adds gradients of all parts.
        let share = faces as f32 / self.plan.faces() as f32;
        let seed = Tensor::full(&loss.shape(), share);
        let mut open: Vec<&Parameter<f32>> = network.parameters();
        let leaves: Vec<Option<NodeId>> = open.iter().map(|p| pass.leaf(p)).collect();
        pass.tape.backward_with(&loss, seed, &mut |node, _, gradient| {
            if let Some(at) = open.iter().rposition(|p| leaves[p.index] == Some(node)) {
                own.put(open.remove(at).index, place, gradient.to_layout(Layout::Nchw));
            }
        })?;
        // The loss does not depend on these.
        open.iter().for_each(|p| own.put(p.index, place, Tensor::zeros(&p.value.shape())));
        Ok(PartResult {
            loss: f64::from(loss.value().item()) * faces as f64,
            correct,
            statistics: pass.statistics().to_vec(),
        })
    }

    /// Returns the sums of the gradients, added by the library.
    fn sum_fast(&self, own: &OwnGradients, sizes: &[usize]) -> Result<Vec<Vec<f32>>> {
        let own = OrderedSum::new(&Alone, own, sizes).finish()?.concat();
        let sum = self.ranks.sum_fast(own)?;
        let mut rest = &sum[..];
        let take = |&size: &usize| {
            let (values, after) = rest.split_at(size.min(rest.len()));
            rest = after;
            values.to_vec()
        };
        Ok(sizes.iter().map(take).collect())
    }

    /// Returns the mean loss and the number of correct answers of the whole batch.
    fn totals(&self, own: &[PartResult]) -> Result<(f64, usize)> {
        let mut message = Vec::new();
        for part in own {
            message.extend(part.loss.to_le_bytes());
            message.extend((part.correct as u64).to_le_bytes());
        }
        let all = self.ranks.gather_bytes(&message)?.concat();
        let number = |bytes: &[u8]| bytes.try_into().unwrap_or_default();
        let (mut loss, mut correct) = (0.0, 0);
        for part in all.chunks_exact(16) {
            loss += f64::from_le_bytes(number(&part[..8]));
            correct += u64::from_le_bytes(number(&part[8..])) as usize;
        }
        Ok((loss / self.plan.faces() as f64, correct))
    }
}

/// Returns the gradients as tensors.
fn tensors(network: &Network<f32>, sums: &[Vec<f32>]) -> Result<Vec<Tensor>> {
    let parameters = network.parameters().into_iter().zip(sums);
    parameters.map(|(p, sum)| Tensor::from_slice(sum, &p.value.shape())).collect()
}
