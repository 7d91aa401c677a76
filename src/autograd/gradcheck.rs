//! How we know that the gradients are right: by finite differences.
//!
//! For a function f and a random cotangent u, the gradient of ⟨u, f(x)⟩ is compared, element by
//! element, with the central difference
//!
//! ```text
//! (⟨u, f(x + h·eᵢ)⟩ − ⟨u, f(x − h·eᵢ)⟩) / 2h,        error O(h²)
//! ```
//!
//! in double precision. The cotangent is random because with all ones a transposed or permuted
//! gradient can look right.

use crate::Result;
use crate::autograd::BackwardRule;
use crate::autograd::{Tape, Var};
use crate::random::{Purpose, Rng};
use crate::tensor::Tensor;

/// Step of the central difference, relative to 1; near the cube root of f64's precision.
const STEP: f64 = 1e-5;

/// The largest disagreement found, in which input and element, and the two gradients there.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)] // told above
pub struct Disagreement {
    /// |analytic − numeric| / (atol + rtol · max(|analytic|, |numeric|)): passes at ≤ 1.
    pub worst: f64,
    pub input: usize,
    pub element: usize,
    pub analytic: f64,
    pub numeric: f64,
}

/// Compares backpropagation with central differences for every element of every input of `f`.
///
/// # Errors
/// Those of `f`.
pub fn gradcheck(
    inputs: &[Tensor<f64>],
    rtol: f64,
    atol: f64,
    f: impl Fn(&mut Tape<f64>, &[Var<f64>]) -> Result<Var<f64>>,
) -> Result<Disagreement> {
    let mut tape = Tape::new();
    let leaves: Vec<_> = inputs.iter().map(|x| tape.leaf(x.clone())).collect();
    let y = f(&mut tape, &leaves)?;
    let mut rng = Rng::new(7, Purpose::Test, 0, 0);
    let u = Tensor::from_fn(&y.shape(), |_| rng.normal());
    let gradients = tape.backward_from(&y, u.clone(), BackwardRule::Standard)?;

    // ⟨u, f(x)⟩ with element `i` of input `k` moved by `by`.
    let moved = |k: usize, i: usize, by: f64| -> Result<f64> {
        let mut tape = Tape::new();
        let mut values = inputs.to_vec();
        values[k].as_mut_slice()[i] += by;
        let vars: Vec<_> = values.into_iter().map(Var::constant).collect();
        let y = f(&mut tape, &vars)?;
        Ok(y.value().to_vec().iter().zip(u.as_slice()).map(|(y, u)| y * u).sum())
    };
    let mut found = Disagreement::default();
    for (k, leaf) in leaves.iter().enumerate() {
        let zeros = Tensor::zeros(&inputs[k].shape());
        let grad = gradients.get(leaf).unwrap_or(&zeros).to_layout(inputs[k].layout());
        for (i, &analytic) in grad.as_slice().iter().enumerate() {
            let numeric = (moved(k, i, STEP)? - moved(k, i, -STEP)?) / (2.0 * STEP);
            let scale = atol + rtol * analytic.abs().max(numeric.abs());
            let worst = (analytic - numeric).abs() / scale;
            if worst > found.worst || worst.is_nan() {
                found = Disagreement { worst, input: k, element: i, analytic, numeric };
            }
        }
    }
    Ok(found)
}
