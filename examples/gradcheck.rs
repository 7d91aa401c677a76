//! Is a gradient right? Move one number a little and look how far the result moves.
//!
//! `cargo run --no-default-features --example gradcheck` prints the largest error of ∂/∂x of
//! tanh(x·W): 0.00002 of what is allowed.

use fer::prelude::*;

fn main() -> Result<()> {
    let worst = worst_element()?;
    println!("largest error: {:.6} of what is allowed", worst.error);
    println!("there: {} by backpropagation, {} by differences", worst.analytic, worst.numeric);
    Ok(())
}

/// Returns the element at which backpropagation and differences differ most.
pub fn worst_element() -> Result<fer::autograd::gradcheck::WorstElement> {
    let x = Tensor::from_slice(&[0.5, -1.0, 2.0, 0.1, 0.3, -0.7], &[2, 3])?;
    let w = Tensor::from_slice(&[0.2, -0.4, 0.6, 0.8, -1.0, 1.2], &[3, 2])?;
    gradcheck(&[x, w], 1e-5, 1e-7, |tape, inputs| {
        let product = ops::matmul(tape, &inputs[0], &inputs[1])?;
        ops::tanh(tape, &product)
    })
}
