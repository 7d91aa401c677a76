//! The processes that train together.

use crate::Result;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// How the gradients of the processes are added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reduce {
    /// In the order of the micro-batches: the same bits for any number of processes.
    #[default]
    Ordered,
    /// In any order, by the library's all-reduce.
    Fast,
}

/// The processes that train together, numbered from 0. All of them must call the same functions in the
/// same order.
pub trait Ranks: Send + Sync + Debug {
    /// Returns the number of this process.
    fn rank(&self) -> usize;

    /// Returns the number of processes.
    fn size(&self) -> usize;

    /// Returns what every process passed, in their order, one after the other. `lengths` has the number
    /// of values of each.
    ///
    /// # Errors
    /// [`crate::Error::Failed`] if another process has ended.
    fn gather(&self, own: &[f32], lengths: &[usize]) -> Result<Vec<f32>>;

    /// Returns the bytes that every process passed, in their order.
    ///
    /// # Errors
    /// As [`Ranks::gather`].
    fn gather_bytes(&self, own: &[u8]) -> Result<Vec<Vec<u8>>>;

    /// Sends values to another process without waiting for it to take them. Several messages to the same
    /// process arrive in their order.
    ///
    /// # Errors
    /// As [`Ranks::gather`].
    fn send(&self, to: usize, tag: usize, values: &[f32]) -> Result<()>;

    /// Returns the next message of another process and its tag, if it has arrived.
    ///
    /// # Errors
    /// As [`Ranks::gather`].
    fn try_receive(&self, from: usize) -> Result<Option<(usize, Vec<f32>)>>;

    /// Returns the sum of one vector of each process, added in any order: faster, and with other bits for
    /// another number of processes.
    ///
    /// # Errors
    /// As [`Ranks::gather`].
    fn sum_fast(&self, own: Vec<f32>) -> Result<Vec<f32>>;
}

/// One process alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Ranks for Alone {
    fn rank(&self) -> usize {
        0
    }
    fn size(&self) -> usize {
        1
    }
    fn gather(&self, own: &[f32], _: &[usize]) -> Result<Vec<f32>> {
        Ok(own.to_vec())
    }
    fn gather_bytes(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        Ok(vec![own.to_vec()])
    }
    fn send(&self, to: usize, _: usize, _: &[f32]) -> Result<()> {
        Err(crate::Error::Failed(format!("there is no process {to}")))
    }
    fn try_receive(&self, _: usize) -> Result<Option<(usize, Vec<f32>)>> {
        Ok(None)
    }
    fn sum_fast(&self, own: Vec<f32>) -> Result<Vec<f32>> {
        Ok(own)
    }
}

/// Adds `part` to `sum`.
pub(crate) fn add(sum: &mut [f32], part: &[f32]) {
    sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
}
