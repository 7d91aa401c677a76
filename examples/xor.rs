//! The smallest network that needs a hidden layer: exclusive or, with ops and nothing else.
//!
//! `cargo run --no-default-features --example xor` prints the four answers, then the loss.

use fer::prelude::*;
use fer::random::{Purpose, Rng};

fn main() -> Result<()> {
    println!("loss: {:.4}", final_loss()?);
    Ok(())
}

/// Trains four hidden numbers for 500 steps and returns the mean squared error.
pub fn final_loss() -> Result<f64> {
    let x = Var::constant(Tensor::from_slice(&[0., 0., 0., 1., 1., 0., 1., 1.], &[4, 2])?);
    let target = Var::constant(Tensor::from_slice(&[0.0, 1.0, 1.0, 0.0], &[4, 1])?);
    let mut rng = Rng::new(1, Purpose::Init, 0, 0);
    let mut random = |shape: &[usize]| Tensor::<f64>::from_fn(shape, |_| rng.normal());
    let mut parameters = [random(&[2, 4]), random(&[4]), random(&[4, 1]), random(&[1])];

    let mut loss = f64::NAN;
    for step in 0..500 {
        let mut tape = Tape::new();
        let leaves = parameters.clone().map(|p| tape.leaf(p));
        let [w1, b1, w2, b2] = &leaves;
        let hidden = ops::matmul(&mut tape, &x, w1)?;
        let hidden = ops::add(&mut tape, &hidden, b1)?; // [4, 4] + [4]: broadcast
        let hidden = ops::tanh(&mut tape, &hidden)?;
        let y = ops::matmul(&mut tape, &hidden, w2)?;
        let y = ops::add(&mut tape, &y, b2)?;
        let error = ops::sub(&mut tape, &y, &target)?;
        let squares = ops::mul(&mut tape, &error, &error)?;
        let mean = ops::mean(&mut tape, &squares, &[0, 1])?;
        let gradients = tape.backward(&mean)?;
        for (parameter, leaf) in parameters.iter_mut().zip(&leaves) {
            let Some(gradient) = gradients.get(leaf) else { continue };
            *parameter = parameter.zip("step", gradient, |p, g| p - 0.3 * g)?;
        }
        loss = mean.value().item();
        if step == 499 {
            println!("0 xor 0, 0 xor 1, 1 xor 0, 1 xor 1: {:.2?}", y.value().to_vec());
        }
    }
    Ok(loss)
}
