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

    /// Returns the sum of vectors of `len` values over all processes. The vectors of process 0 are added
    /// first, one after the other, then those of process 1, and so on: ((a₀ + a₁) + b₀) + b₁ + ….
    ///
    /// # Errors
    /// As [`Ranks::gather`].
    fn sum_in_order(&self, own: &[Vec<f32>], len: usize) -> Result<Vec<f32>>;

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
    fn sum_in_order(&self, own: &[Vec<f32>], len: usize) -> Result<Vec<f32>> {
        let mut sum = own.first().cloned().unwrap_or_else(|| vec![0.0; len]);
        own.iter().skip(1).for_each(|part| add(&mut sum, part));
        Ok(sum)
    }
    fn sum_fast(&self, own: Vec<f32>) -> Result<Vec<f32>> {
        Ok(own)
    }
}

/// Adds `part` to `sum`.
pub(crate) fn add(sum: &mut [f32], part: &[f32]) {
    sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
}
