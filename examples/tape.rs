//! The record of a computation, and its gradients: y = a·b + a at a = 2, b = −3.
//!
//! `cargo run --no-default-features --example tape` prints the tape, then ∂y/∂a = b + 1 = −2.

use fer::prelude::*;

fn main() -> Result<()> {
    println!("dy/da = {}", gradient_of_a()?);
    Ok(())
}

/// Returns ∂y/∂a, and prints the tape.
pub fn gradient_of_a() -> Result<f32> {
    let mut tape = Tape::new();
    let a = tape.leaf(Tensor::scalar(2.0));
    let b = tape.leaf(Tensor::scalar(-3.0));
    let product = ops::mul(&mut tape, &a, &b)?;
    let y = ops::add(&mut tape, &product, &a)?;
    for (value, name) in [(&a, "a"), (&b, "b"), (&product, "a·b"), (&y, "y")] {
        tape.set_name(value, name);
    }
    println!("{}", tape.to_table());
    let gradients = tape.backward(&y)?;
    Ok(gradients.get(&a).map_or(0.0, Tensor::item))
}
