//! Batch norm over a batch that is computed in parts: what the parts tell each other.
//!
//! ```text
//! forward    mean = Σₚ nₚ·meanₚ / n,  var = Σₚ nₚ·[varₚ + (meanₚ − mean)²] / n
//! backward   Σ ȳ and Σ ȳ·x̂ over the whole batch
//! ```
//!
//! with nₚ elements per channel in part p and n = Σₚ nₚ. The sums run over the parts in their order, in
//! f64, so the result does not depend on which thread or process computed a part.

use crate::Result;
use crate::autograd::{Peers, Tape};
use crate::ops::BatchStatistics;
use crate::tensor::{Element, Tensor};

/// Returns the statistics of the whole batch; `own` are those of this part.
///
/// # Errors
/// Those of [`Peers::gather`].
pub(crate) fn statistics<T: Element>(
    tape: &Tape<T>,
    own: BatchStatistics<T>,
) -> Result<BatchStatistics<T>> {
    let Some(peers) = tape.peers() else { return Ok(own) };
    let c = own.mean.elements();
    let all = peers.gather(&message(own.count, [&own.mean, &own.var]))?;
    let parts = || all.chunks_exact(1 + 2 * c);
    let n: f64 = parts().map(|part| part[0].to_f64()).sum();
    let mean = |i: usize| parts().map(|p| p[0].to_f64() * p[1 + i].to_f64()).sum::<f64>() / n;
    let var = |i: usize| {
        let mean = mean(i);
        let of = |p: &[T]| {
            let apart = p[1 + i].to_f64() - mean;
            p[0].to_f64() * (p[1 + c + i].to_f64() + apart * apart)
        };
        parts().map(of).sum::<f64>() / n
    };
    Ok(BatchStatistics {
        mean: Tensor::from_fn(&[c], |i| T::from_f64(mean(i))),
        var: Tensor::from_fn(&[c], |i| T::from_f64(var(i))),
        count: n as usize,
    })
}

/// Returns [grad_gamma, grad_beta] of the whole batch times `count`/n, with `count` elements per channel
/// in this part: the backward pass divides them by `count`. `own` are those of this part.
///
/// # Errors
/// Those of [`Peers::gather`].
pub(crate) fn sums<T: Element>(
    peers: Option<&dyn Peers<T>>,
    own: [&Tensor<T>; 2],
    count: usize,
) -> Result<[Tensor<T>; 2]> {
    let Some(peers) = peers else { return Ok(own.map(Tensor::clone)) };
    let c = own[0].elements();
    let all = peers.gather(&message(count, own))?;
    let parts = || all.chunks_exact(1 + 2 * c);
    let n: f64 = parts().map(|part| part[0].to_f64()).sum();
    let share = count as f64 / n;
    let sum = |i: usize| T::from_f64(share * parts().map(|part| part[i].to_f64()).sum::<f64>());
    Ok([1, 1 + c].map(|first| Tensor::from_fn(&[c], |i| sum(first + i))))
}

/// A count and two vectors, one after the other.
fn message<T: Element>(count: usize, vectors: [&Tensor<T>; 2]) -> Vec<T> {
    let mut out = vec![T::from_f64(count as f64)];
    vectors.iter().for_each(|v| out.extend_from_slice(v.as_slice()));
    out
}
