//! An op of one's own: softplus, y = ln(1 + eˣ), a ReLU without a kink.
//!
//! x = 0 gives ln 2 = 0.693…, x = −1000 gives 0, x = 1000 gives 1000. The formula as it stands gives ∞ there,
//! for e¹⁰⁰⁰ is too large for any float; max(x, 0) + ln(1 + e^−|x|) is the same number and never overflows.
//!
//! `cargo run --no-default-features --example own_op` prints values and slopes, then the error of the gradient.

use fer::prelude::*;

fn main() -> Result<()> {
    let mut tape = Tape::new();
    let x = tape.leaf(Tensor::from_slice(&[-1000.0, -1.0, 0.0, 1.0, 1000.0], &[5])?);
    let y = softplus(&mut tape, &x)?;
    let slopes = tape.backward_from(&y, Tensor::full(&[5], 1.0))?;
    println!("values {:.3?}", y.value().to_vec());
    println!("slopes {:.3?}", slopes.get(&x).map(Tensor::to_vec).unwrap_or_default());
    println!("largest error: {:.6} of what is allowed", largest_error()?);
    Ok(())
}

/// Computes y = ln(1 + eˣ). Gradient: x̄ = ȳ/(1 + e⁻ˣ). Saved: x.
pub fn softplus<T: Element>(tape: &mut Tape<T>, x: &Var<T>) -> Result<Var<T>> {
    let y = x.value().map(|x| x.max(T::ZERO) + (T::ONE + (-x.abs()).exp()).ln());
    Ok(tape.record(y, &[x], SoftplusBackward { x: x.value().clone() }))
}

struct SoftplusBackward<T: Element> {
    x: Tensor<T>,
}

impl<T: Element> Backward<T> for SoftplusBackward<T> {
    fn name(&self) -> &'static str {
        "softplus"
    }
    fn backward(&self, grad_output: &Tensor<T>, grads: &mut InputGrads<T>) -> Result<()> {
        grads.set(0, || {
            grad_output.zip("softplus", &self.x, |g, x| {
                let e = (-x.abs()).exp(); // never above 1
                if x >= T::ZERO { g / (T::ONE + e) } else { g * e / (T::ONE + e) }
            })
        })
    }
}

/// Returns the largest error of the gradient between −10 and 10, where 1 is what is allowed.
pub fn largest_error() -> Result<f64> {
    let x = Tensor::from_fn(&[21], |i| i as f64 - 10.0);
    Ok(gradcheck(&[x], 1e-5, 1e-7, |tape, inputs| softplus(tape, &inputs[0]))?.error)
}
