//! A test of gradients by finite differences.
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
//!
//! # Why this h
//!
//! f(x) = x³ at x = 1 has the derivative 3. The central difference is ((1 + h)³ − (1 − h)³)/2h = 3 + h²: a smaller
//! h is better on paper. But each f(x ± h) is rounded, by about 1e-16, and the difference of the two is divided
//! by 2h: an error of about 1e-16/h. The sum h² + 1e-16/h is least near h = ∛1e-16 ≈ 5e-6. That leaves ten right digits;
//! in single precision it would leave four, which is why gradients are checked in `f64`.

use crate::Result;
use crate::autograd::{Tape, Var};
use crate::random::{Purpose, Rng};
use crate::tensor::Tensor;
use std::fmt;

/// Step h of the central difference: about the cube root of f64's precision, where its truncation
/// error and its rounding error are of one size.
const STEP: f64 = 1e-5;

/// The element at which the two gradients differ most.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorstElement {
    /// |analytic − numeric| / (atol + rtol · max(|analytic|, |numeric|)): the check passes at ≤ 1.
    pub error: f64,
    /// Which input of the function.
    pub input: usize,
    /// Which element of that input.
    pub element: usize,
    /// Its value.
    pub x: f64,
    /// The gradient by backpropagation.
    pub analytic: f64,
    /// The gradient by central difference.
    pub numeric: f64,
    /// analytic/numeric, if it is the same at every element to a hundredth.
    pub ratio_everywhere: Option<f64>,
    /// Whether both gradients are 0 at every element: then the check has shown nothing.
    pub all_zero: bool,
}

/// `input 0, element 3, x = 0.5: -0.62 by backpropagation, 0.62 by differences, ratio -1.00 everywhere: a
/// sign?`
impl fmt::Display for WorstElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.all_zero {
            return f.write_str("all gradients are 0: at these inputs the check shows nothing");
        }
        let Self { input, element, x, analytic, numeric, .. } = self;
        write!(f, "input {input}, element {element}, x = {x}: {analytic} by backpropagation, ")?;
        write!(f, "{numeric} by differences, ratio {:.2}", analytic / numeric)?;
        let near = |r: f64, to: f64| (r - to).abs() < 0.01;
        match self.ratio_everywhere {
            _ if analytic.is_nan() => {
                f.write_str(": does an intermediate overflow, as eˣ at x = 1000?")
            }
            Some(r) if near(r, -1.0) => f.write_str(" everywhere: a sign?"),
            Some(r) if near(r, 0.0) => f.write_str(" everywhere: is the gradient set at all?"),
            Some(r) if near(r, 2.0) || near(r, 0.5) => f.write_str(" everywhere: a factor of 2?"),
            Some(r) if near(r, 1.0) => f.write_str(" everywhere: a small factor?"),
            Some(_) => f.write_str(" everywhere: a factor that is missing?"),
            None => f.write_str(", not everywhere the same: in which case is it right?"),
        }
    }
}

/// Compares backpropagation with central differences for every element of every input of `f`, and
/// returns the element at which they differ most.
///
/// # Errors
/// Those of `f`.
pub fn gradcheck(
    inputs: &[Tensor<f64>],
    rtol: f64,
    atol: f64,
    f: impl Fn(&mut Tape<f64>, &[Var<f64>]) -> Result<Var<f64>>,
) -> Result<WorstElement> {
    let mut tape = Tape::new();
    let leaves: Vec<_> = inputs.iter().map(|x| tape.leaf(x.clone())).collect();
    let y = f(&mut tape, &leaves)?;
    let mut rng = Rng::new(7, Purpose::Test, 0, 0);
    let u = Tensor::from_fn(&y.shape(), |_| rng.normal());
    let gradients = tape.backward_from(&y, u.clone())?;

    // ⟨u, f(x)⟩ with element `i` of input `k` moved by `by`.
    let moved = |k: usize, i: usize, by: f64| -> Result<f64> {
        let mut tape = Tape::new();
        let mut values = inputs.to_vec();
        values[k].as_mut_slice()[i] += by;
        let vars: Vec<_> = values.into_iter().map(Var::constant).collect();
        let y = f(&mut tape, &vars)?;
        Ok(y.value().to_vec().iter().zip(u.as_slice()).map(|(y, u)| y * u).sum())
    };
    let mut found = WorstElement { all_zero: true, ..WorstElement::default() };
    let mut ratios = [f64::INFINITY, f64::NEG_INFINITY];
    for (k, leaf) in leaves.iter().enumerate() {
        let zeros = Tensor::zeros(&inputs[k].shape());
        let grad = gradients.get(leaf).unwrap_or(&zeros).to_layout(inputs[k].layout());
        for (i, &analytic) in grad.as_slice().iter().enumerate() {
            let numeric = (moved(k, i, STEP)? - moved(k, i, -STEP)?) / (2.0 * STEP);
            let scale = atol + rtol * analytic.abs().max(numeric.abs());
            let error = (analytic - numeric).abs() / scale;
            found.all_zero &= analytic == 0.0 && numeric.abs() <= atol;
            if numeric.abs() > atol {
                let ratio = analytic / numeric;
                ratios = [ratios[0].min(ratio), ratios[1].max(ratio)];
            }
            if error > found.error || error.is_nan() {
                let x = inputs[k].as_slice()[i];
                let (input, element) = (k, i);
                found = WorstElement { error, input, element, x, analytic, numeric, ..found };
            }
        }
    }
    let spread = ratios[1] - ratios[0];
    found.ratio_everywhere = (spread.abs() <= 0.01).then_some(ratios[0]);
    Ok(found)
}
