//! The sum of all gradients in the order of the micro-batches, while gradients are still computed.
//!
//! The backward pass reaches the last layer first. Once all micro-batches of a process have the gradient of
//! a parameter, its way begins:
//!
//! ```text
//! process 0     its micro-batches, added in their order
//!    ↓          pieces of 16 KiB
//! process 1     adds its own, one after the other
//!    ↓
//! the last      adds its own: the sum
//!    ↓
//! process 0, 1, …, the last but one: each passes the sum on
//! ```
//!
//! The additions of one number happen in the same order for any number of processes, so its bits are the
//! same. The pieces travel while the earlier layers are computed. (PyTorch's DistributedDataParallel
//! overlaps in this way too, but adds in an order that depends on the number of processes.)

use crate::tensor::Tensor;
use crate::train::parallel::Ranks;
use crate::train::parallel::ranks::add;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Values that travel at a time: few enough for MPI to send them without asking the receiver first.
pub(crate) const PIECE: usize = 1 << 12;
/// Pause between two looks for messages while the own gradients are computed.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(1);
/// Looks for messages without a pause in between, once all own gradients are there.
const EAGER_LOOKS: usize = 1_000;

/// The gradients of the micro-batches of one process, as they become known.
pub(crate) struct OwnGradients {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

struct Waiting {
    /// Of each parameter those of each micro-batch.
    found: Vec<Vec<Option<Tensor>>>,
    /// Parameters of which all are known and which nobody has taken.
    complete: Vec<usize>,
}

impl OwnGradients {
    /// Expects gradients of this many parameters from this many micro-batches.
    pub fn new(parameters: usize, micro_batches: usize) -> Self {
        let found = vec![vec![None; micro_batches]; parameters];
        let waiting = Mutex::new(Waiting { found, complete: Vec::new() });
        Self { waiting, changed: Condvar::new() }
    }

    /// Notes the gradient of a parameter, which micro-batch `place` has computed.
    pub fn put(&self, parameter: usize, place: usize, gradient: Tensor) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.found[parameter][place] = Some(gradient);
        if waiting.found[parameter].iter().all(Option::is_some) {
            waiting.complete.push(parameter);
            self.changed.notify_one();
        }
    }

    /// Takes the parameters that have become complete, with the gradients of the micro-batches in their
    /// order. Waits for a while if there are none.
    fn take(&self, pause: Duration) -> Vec<(usize, Vec<Tensor>)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.complete.is_empty() && !pause.is_zero() {
            let waited = self.changed.wait_timeout(waiting, pause);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let complete = std::mem::take(&mut waiting.complete);
        let mut gradients = |p: usize| waiting.found[p].drain(..).flatten().collect();
        complete.into_iter().map(|p| (p, gradients(p))).collect()
    }
}

/// One process's part in the sum.
pub(crate) struct OrderedSum<'a> {
    ranks: &'a dyn Ranks,
    own: &'a OwnGradients,
    /// Own gradients of a parameter, once they are complete.
    ready: Vec<Option<Vec<Tensor>>>,
    /// First piece of each parameter, and the number of all.
    first_piece: Vec<usize>,
    /// Pieces of the sum so far that came before the own gradients.
    early: BTreeMap<usize, Vec<f32>>,
    sums: Vec<Vec<f32>>,
    /// Pieces of the sum that are still to come.
    missing: usize,
}

/// Content of a piece: the sum so far, or the whole sum.
#[derive(Clone, Copy)]
enum Kind {
    SoFar,
    Whole,
}

impl<'a> OrderedSum<'a> {
    /// Begins a sum of parameters with so many values each.
    pub fn new(ranks: &'a dyn Ranks, own: &'a OwnGradients, sizes: &[usize]) -> Self {
        let mut first_piece = vec![0];
        for size in sizes {
            first_piece.push(first_piece[first_piece.len() - 1] + size.div_ceil(PIECE));
        }
        let missing = first_piece[sizes.len()];
        let sums = sizes.iter().map(|&size| vec![0.0; size]).collect();
        let ready = vec![None; sizes.len()];
        Self { ranks, own, ready, first_piece, early: BTreeMap::new(), sums, missing }
    }

    /// Does what can be done now: takes what has come, adds, and sends on. If no own gradients are there it
    /// waits for them, at most for `pause`.
    ///
    /// # Errors
    /// [`Error::Failed`] if another process has ended.
    pub fn advance(&mut self, pause: Duration) -> Result<()> {
        self.step(pause).map(drop)
    }

    /// Waits for the rest and returns the sums, in the order of the parameters. All own gradients must be
    /// there.
    ///
    /// # Errors
    /// As [`OrderedSum::advance`].
    pub fn finish(mut self) -> Result<Vec<Vec<f32>>> {
        let mut idle = 0;
        while self.missing > 0 {
            idle = if self.step(Duration::ZERO)? { 0 } else { idle + 1 };
            match idle {
                0 => {}
                1..EAGER_LOOKS => thread::yield_now(),
                _ => thread::sleep(Duration::from_micros(50)),
            }
        }
        Ok(self.sums)
    }

    /// Returns whether anything was there to be done.
    fn step(&mut self, pause: Duration) -> Result<bool> {
        let mut did = false;
        for (parameter, gradients) in self.own.take(pause) {
            did = true;
            self.begin(parameter, gradients)?;
        }
        if self.ready.iter().all(Option::is_none) {
            return Ok(false); // still in the forward pass: what has come can wait
        }
        let (rank, size) = (self.ranks.rank(), self.ranks.size());
        while self.missing > 0
            && size > 1
            && let Some((tag, values)) = self.ranks.try_receive((rank + size - 1) % size)?
        {
            did = true;
            match tag % 2 {
                0 => self.so_far(tag / 2, values)?,
                _ => self.whole(tag / 2, values)?,
            }
        }
        Ok(did)
    }

    /// Starts a parameter on its way, in the first process; in the others, adds to what came early.
    fn begin(&mut self, parameter: usize, gradients: Vec<Tensor>) -> Result<()> {
        let pieces = self.first_piece[parameter]..self.first_piece[parameter + 1];
        self.ready[parameter] = Some(gradients);
        for piece in pieces {
            match self.ranks.rank() {
                0 => self.add_own(piece, None)?,
                _ => match self.early.remove(&piece) {
                    Some(values) => self.add_own(piece, Some(values))?,
                    None => continue,
                },
            }
        }
        Ok(())
    }

    /// Takes the sum so far.
    fn so_far(&mut self, piece: usize, values: Vec<f32>) -> Result<()> {
        match self.ready[self.parameter(piece)?] {
            Some(_) => self.add_own(piece, Some(values)),
            None => {
                self.early.insert(piece, values);
                Ok(())
            }
        }
    }

    /// Adds the own gradients to the sum so far, and sends it on.
    fn add_own(&mut self, piece: usize, so_far: Option<Vec<f32>>) -> Result<()> {
        let parameter = self.parameter(piece)?;
        let at = (piece - self.first_piece[parameter]) * PIECE;
        let end = (at + PIECE).min(self.sums[parameter].len());
        let mut own = self.ready[parameter].iter().flatten();
        let mut sum = match so_far {
            Some(values) if values.len() == end - at => values,
            Some(values) => return Err(wrong_piece(piece, values.len())),
            None => own.next().map_or_else(Vec::new, |first| first.as_slice()[at..end].to_vec()),
        };
        own.for_each(|gradient| add(&mut sum, &gradient.as_slice()[at..end]));
        match self.ranks.rank() + 1 == self.ranks.size() {
            true => self.whole(piece, sum),
            false => self.send(Kind::SoFar, piece, &sum),
        }
    }

    /// Takes a piece of the whole sum, and passes it on until all processes have it.
    fn whole(&mut self, piece: usize, values: Vec<f32>) -> Result<()> {
        let parameter = self.parameter(piece)?;
        let at = (piece - self.first_piece[parameter]) * PIECE;
        let place = self.sums[parameter].get_mut(at..at + values.len());
        place.ok_or_else(|| wrong_piece(piece, values.len()))?.copy_from_slice(&values);
        self.missing -= 1;
        let (rank, size) = (self.ranks.rank(), self.ranks.size());
        let is_end_of_way = rank + 2 == size || size == 1;
        if is_end_of_way { Ok(()) } else { self.send(Kind::Whole, piece, &values) }
    }

    fn send(&self, kind: Kind, piece: usize, values: &[f32]) -> Result<()> {
        let next = (self.ranks.rank() + 1) % self.ranks.size();
        self.ranks.send(next, 2 * piece + kind as usize, values)
    }

    fn parameter(&self, piece: usize) -> Result<usize> {
        let after = self.first_piece.partition_point(|&first| first <= piece);
        match after <= self.sums.len() {
            true => Ok(after - 1),
            false => Err(wrong_piece(piece, 0)),
        }
    }
}

fn wrong_piece(piece: usize, values: usize) -> Error {
    Error::Failed(format!(
        "another process sent piece {piece} of the gradients with {values} values"
    ))
}
