//! Two spirals that no straight line separates, and what the learning rate does.
//!
//! `cargo run --release --no-default-features --example spiral` prints the share of points on the right
//! side after 400 steps, for five learning rates. With a file name behind `--` it also draws the answers of
//! the third as SVG.

use fer::prelude::*;
use fer::random::{Purpose, Rng};

fn main() -> Result<()> {
    for lr in [0.001, 0.01, 0.1, 1.0, 10.0] {
        let network = train(lr, 400)?;
        println!("learning rate {lr:<6} right: {:.1} %", 100.0 * accuracy(&network)?);
        if let (true, Some(file)) = (lr == 0.1, std::env::args().nth(1)) {
            std::fs::write(&file, picture(&network)?).map_err(Error::io(&file))?;
        }
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

/// Trains two hidden layers of 16 by Nesterov's momentum.
pub fn train(lr: f64, steps: u64) -> Result<Network<f64>> {
    let (xy, classes) = points()?;
    let hidden = [LayerSpec::Linear { units: 16 }, LayerSpec::relu()];
    let layers =
        [&[LayerSpec::Flatten {}], &hidden[..], &hidden, &[LayerSpec::Linear { units: 2 }]];
    let classes_of = ["one", "two"].map(String::from).to_vec();
    let spec = NetworkSpec {
        input: [2, 1, 1],
        classes: classes_of,
        mean: 0.0,
        std: 1.0,
        layers: layers.concat(),
        ..architecture("tiny")?
    };
    let mut network = Network::new(spec, 0)?;
    let mut optimizer = Optimizer::new(OptimizerConfig::default(), &network.parameters());
    let points = Var::constant(xy.reshape(&[200, 2, 1, 1])?);
    let targets = Targets::Labels(classes);
    for step in 0..steps {
        let mut pass = Pass::train(0, step);
        let logits = network.forward(&mut pass, &points)?;
        let loss = ops::cross_entropy(&mut pass.tape, &logits, &targets, &Default::default())?;
        let gradients = pass.backward(&loss)?;
        optimizer.step(network.parameters_mut(), lr, |p| pass.gradient(&gradients, p));
    }
    Ok(network)
}

/// Returns for each point `[n, 2]` whether it belongs to the second spiral.
fn answers(network: &Network<f64>, xy: &Tensor<f64>) -> Result<Vec<bool>> {
    let logits = network.logits(xy.reshape(&[xy.shape()[0], 2, 1, 1])?)?;
    Ok(logits.to_vec().chunks(2).map(|z| z[1] > z[0]).collect())
}

/// Returns the share of points that are right.
pub fn accuracy(network: &Network<f64>) -> Result<f64> {
    let (xy, classes) = points()?;
    let right =
        answers(network, &xy)?.into_iter().zip(classes).filter(|(a, c)| usize::from(*a) == *c);
    Ok(right.count() as f64 / 200.0)
}

/// Draws the points on a field of 60×60 answers.
fn picture(network: &Network<f64>) -> Result<String> {
    const SIDE: usize = 60;
    let at = |k: usize| (k as f64 + 0.5) / SIDE as f64 * 2.8 - 1.4;
    let field = Tensor::from_fn(&[SIDE * SIDE, 2], |i| {
        if i % 2 == 0 { at(i / 2 % SIDE) } else { at(i / 2 / SIDE) }
    });
    let mut svg =
        String::from("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 60 60\">\n");
    for (y, row) in answers(network, &field)?.chunks(SIDE).enumerate() {
        let mut x = 0;
        for same in row.chunk_by(|a, b| a == b) {
            let (color, width) = (["#b7d5ec", "#f6c9ae"][usize::from(same[0])], same.len());
            svg += &format!("<path fill=\"{color}\" d=\"M{x} {y}h{width}v1.02h-{width}z\"/>\n");
            x += width;
        }
    }
    let (xy, classes) = points()?;
    for (p, class) in xy.to_vec().chunks(2).zip(classes) {
        let color = ["#0065a8", "#cf5400"][class];
        let [x, y] = [p[0], p[1]].map(|v| (v + 1.4) / 2.8 * SIDE as f64);
        svg += &format!("<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\".55\" fill=\"{color}\"/>\n");
    }
    Ok(svg + "</svg>\n")
}
