//! Two spirals that no straight line separates, and what the learning rate does.
//!
//! `cargo run --release --no-default-features --example spiral` prints the share of points on the right
//! side after 400 steps, for five learning rates.

use fer::prelude::*;
use fer::random::{Purpose, Rng};

fn main() -> Result<()> {
    for lr in [0.001, 0.01, 0.1, 1.0, 10.0] {
        println!("learning rate {lr:<6} right: {:.1} %", 100.0 * accuracy(lr, 400)?);
    }
    Ok(())
}

/// Returns 100 points of each spiral, `[200, 2]`, and their classes.
pub fn points() -> Result<(Tensor<f64>, Vec<usize>)> {
    let mut rng = Rng::new(3, Purpose::Test, 0, 0);
    let mut xy = Vec::new();
    for i in 0..200 {
        let t = (i / 2) as f64 / 100.0; // along the spiral
        let angle = 4.5 * t + std::f64::consts::PI * (i % 2) as f64;
        for coordinate in [angle.cos(), angle.sin()] {
            xy.push((0.2 + t) * coordinate + 0.03 * rng.normal());
        }
    }
    Ok((Tensor::from_slice(&xy, &[200, 2])?, (0..200).map(|i| i % 2).collect()))
}

/// Trains two hidden layers of 16 by Nesterov's momentum and returns the share of points that are right.
pub fn accuracy(lr: f64, steps: u64) -> Result<f64> {
    let (xy, classes) = points()?;
    let hidden = [LayerSpec::Linear { units: 16 }, LayerSpec::relu()];
    let layers = [&hidden[..], &hidden, &[LayerSpec::Linear { units: 2 }]].concat();
    let layers = [vec![LayerSpec::Flatten {}], layers].concat();
    let mut spec = NetworkSpec { layers, input: [2, 1, 1], ..architecture("tiny")? };
    spec.classes = vec!["one".into(), "two".into()];
    (spec.mean, spec.std) = (0.0, 1.0);
    let mut network = Network::<f64>::new(spec, 0)?;
    let mut optimizer = Optimizer::new(OptimizerConfig::default(), &network.parameters());
    let points = Var::constant(xy.reshape(&[200, 2, 1, 1])?);
    let targets = Targets::Labels(classes.clone());
    for step in 0..steps {
        let mut pass = Pass::train(0, step);
        let logits = network.forward(&mut pass, &points)?;
        let loss = ops::cross_entropy(&mut pass.tape, &logits, &targets, &Default::default())?;
        let gradients = pass.backward(&loss)?;
        optimizer.step(network.parameters_mut(), lr, |p| pass.gradient(&gradients, p));
    }
    let logits = network.logits(points.into_value())?.to_vec();
    let right = logits.chunks(2).zip(&classes).filter(|(z, c)| usize::from(z[1] > z[0]) == **c);
    Ok(right.count() as f64 / 200.0)
}
