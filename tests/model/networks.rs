//! Whole networks: gradients along random directions, adjoints, training.

use approx::assert_relative_eq;
use fer::autograd::{Tape, Var};
use fer::model::{LayerSpec, Network, NetworkSpec, architecture};
use fer::nn::{Mode, Pass};
use fer::ops::{self, Targets};
use fer::optim::{Optimizer, OptimizerConfig};
use fer::random::{Purpose, Rng};
use fer::tensor::Tensor;
use fer::train::batch::Batch;
use fer::train::step::StepAddress;
use fer::train::train_step;
use fer_kernels::Precision;

/// Returns an architecture for small images: the naive loops of f64 are slow.
pub fn small(arch: &str, side: usize) -> NetworkSpec {
    let mut spec = architecture(arch).unwrap();
    spec.input = [1, side, side];
    spec
}

fn normal(shape: &[usize], rng: &mut Rng) -> Tensor<f64> {
    Tensor::from_fn(shape, |_| rng.normal())
}

/// Loss of a network whose parameters and pixels are moved by `h` times a direction.
fn moved_loss(
    network: &Network<f64>,
    pixels: &Tensor<f64>,
    direction: &[Tensor<f64>],
    h: f64,
    targets: &Targets<f64>,
    mode: Mode,
) -> f64 {
    let mut moved = network.clone();
    for (p, d) in moved.parameters_mut().into_iter().zip(direction) {
        p.value = p.value.zip("test", d, |p, d| p + h * d).unwrap();
    }
    let pixels = pixels.zip("test", direction.last().unwrap(), |x, d| x + h * d).unwrap();
    let mut pass = Pass::new(mode, false);
    let logits = moved.forward(&mut pass, &Var::constant(pixels)).unwrap();
    let loss = ops::cross_entropy(&mut pass.tape, &logits, targets, &Default::default());
    loss.unwrap().value().item()
}

/// ⟨∇L, d⟩ = (L(θ + hd) − L(θ − hd))/2h for random directions through all parameters and pixels.
fn check_directions(spec: NetworkSpec, mode: Mode, directions: u64) {
    let [_, side, _] = spec.input;
    let network = Network::<f64>::new(spec, 3).unwrap();
    let mut rng = Rng::new(11, Purpose::Test, 0, 0);
    let pixels = Tensor::from_fn(&[3, 1, side, side], |_| rng.uniform());
    let targets = Targets::Labels(vec![0, 3, 6]);
    let mut pass = Pass::new(mode, true);
    let x = pass.tape.leaf(pixels.clone());
    let logits = network.forward(&mut pass, &x).unwrap();
    let loss = ops::cross_entropy(&mut pass.tape, &logits, &targets, &Default::default()).unwrap();
    let gradients = pass.tape.backward(&loss).unwrap();
    for number in 0..directions {
        let mut rng = Rng::new(12, Purpose::Test, 0, number);
        let shapes = network.parameters().into_iter().map(|p| p.value.shape());
        let mut direction: Vec<_> = shapes.map(|s| normal(&s, &mut rng)).collect();
        direction.push(normal(&pixels.shape(), &mut rng));
        let dot = |a: &Tensor<f64>, b: &Tensor<f64>| -> f64 {
            a.to_vec().iter().zip(b.to_vec()).map(|(a, b)| a * b).sum()
        };
        let mut analytic = dot(gradients.get(&x).unwrap(), direction.last().unwrap());
        for (p, d) in network.parameters().into_iter().zip(&direction) {
            analytic += dot(pass.gradient(&gradients, p).unwrap(), d);
        }
        // Small enough that almost no ReLU or maximum changes sides within the step.
        let h = 1e-8;
        let loss = |h| moved_loss(&network, &pixels, &direction, h, &targets, mode);
        let numeric = (loss(h) - loss(-h)) / (2.0 * h);
        assert_relative_eq!(analytic, numeric, max_relative = 2e-5, epsilon = 2e-6);
    }
}

#[test]
fn residual_network_gradient_matches_differences_in_100_directions() {
    check_directions(small("fer-s", 8), Mode::Train { seed: 1, step: 2 }, 60);
    check_directions(small("fer-s", 8), Mode::Eval, 40);
}

#[test]
fn plain_network_gradient_matches_differences() {
    check_directions(small("tiny", 8), Mode::Train { seed: 5, step: 0 }, 20);
}

/// ⟨J·v, u⟩ = ⟨v, Jᵀ·u⟩ for a network of smooth functions.
#[test]
fn smooth_network_has_an_exact_adjoint() {
    let function = fer::nn::ActivationFunction::Tanh;
    let spec = NetworkSpec {
        layers: vec![
            LayerSpec::conv3x3(4),
            LayerSpec::batch_norm(),
            LayerSpec::Activation { function },
            LayerSpec::AveragePooling2d { size: 2 },
            LayerSpec::SqueezeExcite { reduction: 2 },
            LayerSpec::Flatten {},
            LayerSpec::Linear { units: 7 },
        ],
        ..small("tiny", 6)
    };
    let network = Network::<f64>::new(spec, 1).unwrap();
    let mut rng = Rng::new(1, Purpose::Test, 0, 1);
    let x0 = normal(&[2, 1, 6, 6], &mut rng);
    for _ in 0..10 {
        let (v, u) = (normal(&[2, 1, 6, 6], &mut rng), normal(&[2, 7], &mut rng));
        let mut pass = Pass::eval();
        let x = pass.tape.leaf(x0.clone());
        let y = network.forward(&mut pass, &x).unwrap();
        let back = pass.tape.backward_from(&y, u.clone()).unwrap();
        let vjp: f64 = dot(back.get(&x).unwrap(), &v);
        let at = |h: f64| {
            let x = x0.zip("test", &v, |x, v| x + h * v).unwrap();
            dot(&network.logits(x).unwrap(), &u)
        };
        // Richardson: the error of the central difference falls from h² to h⁴.
        let central = |h: f64| (at(h) - at(-h)) / (2.0 * h);
        let jvp = (4.0 * central(5e-4) - central(1e-3)) / 3.0;
        assert_relative_eq!(vjp, jvp, max_relative = 1e-7, epsilon = 1e-9);
    }
}

/// ⟨J·v, u⟩ = ⟨v, Jᵀ·u⟩ to 1e-10 for a linear network: there J·v is the difference of two outputs,
/// without a step size.
#[test]
fn linear_network_has_an_exact_adjoint() {
    let spec = NetworkSpec {
        layers: vec![
            LayerSpec::conv3x3(5),
            LayerSpec::batch_norm(),
            LayerSpec::Residual { layers: vec![LayerSpec::conv3x3(5), LayerSpec::batch_norm()] },
            LayerSpec::AveragePooling2d { size: 2 },
            LayerSpec::conv3x3(6),
            LayerSpec::GlobalAveragePooling2d {},
            LayerSpec::Linear { units: 7 },
        ],
        ..small("tiny", 10)
    };
    let network = Network::<f64>::new(spec, 1).unwrap();
    let mut rng = Rng::new(2, Purpose::Test, 0, 1);
    let zero = network.logits(Tensor::zeros(&[2, 1, 10, 10])).unwrap();
    for _ in 0..100 {
        let (v, u) = (normal(&[2, 1, 10, 10], &mut rng), normal(&[2, 7], &mut rng));
        let mut pass = Pass::eval();
        let x = pass.tape.leaf(v.clone());
        let y = network.forward(&mut pass, &x).unwrap();
        let jv = y.value().zip("test", &zero, |y, z| y - z).unwrap();
        let back = pass.tape.backward_from(&y, u.clone()).unwrap();
        let vjp = dot(back.get(&x).unwrap(), &v);
        assert_relative_eq!(vjp, dot(&jv, &u), max_relative = 1e-10, epsilon = 1e-10);
    }
}

fn dot(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    a.to_vec().iter().zip(b.to_vec()).map(|(a, b)| a * b).sum()
}

/// A network overfits eight images of noise: the loss is near 0 and all answers are correct.
#[test]
fn a_network_overfits_eight_images() {
    Precision::ALL.into_iter().for_each(overfit_eight_images);
}

fn overfit_eight_images(precision: Precision) {
    let mut network = Network::<f32>::new(small("fer-s", 24), 0).unwrap();
    let config = OptimizerConfig { weight_decay: 0.0, ..Default::default() };
    let mut optimizer = Optimizer::new(config, &network.parameters());
    let mut rng = Rng::new(4, Purpose::Test, 0, 0);
    let x = Tensor::from_fn(&[8, 1, 24, 24], |_| rng.uniform() as f32);
    let batch = Batch::labelled(x, (0..8).map(|i| i % 7).collect());
    let mut last = None;
    for step in 0..60 {
        let at = StepAddress { seed: 0, step, lr: 0.03, precision };
        let loss = Default::default();
        let result = train_step(&mut network, &mut optimizer, batch.clone(), &loss, at);
        last = Some(result.unwrap());
    }
    let last = last.unwrap();
    assert!(last.correct == 8 && last.loss < 0.05, "{precision}: {last:?}");
}

/// The same training on 1, 2, 3 and 8 threads ends with the same bits.
#[test]
fn training_has_the_same_bits_for_any_number_of_threads() {
    let bits = Precision::ALL.map(same_bits_for_any_number_of_threads);
    assert_ne!(bits[0], bits[1], "bf16 has the bits of f32");
}

/// Returns the bits of the weights.
fn same_bits_for_any_number_of_threads(precision: Precision) -> Vec<(String, Vec<u32>)> {
    let train = || {
        let mut network = Network::<f32>::new(small("fer-s", 24), 7).unwrap();
        let mut optimizer = Optimizer::new(OptimizerConfig::default(), &network.parameters());
        let mut rng = Rng::new(4, Purpose::Test, 0, 0);
        for step in 0..3 {
            let x = Tensor::from_fn(&[20, 1, 24, 24], |_| rng.uniform() as f32);
            let batch = Batch::labelled(x, (0..20).map(|i| i % 7).collect());
            let at = StepAddress { seed: 3, step, lr: 0.05, precision };
            let loss = Default::default();
            train_step(&mut network, &mut optimizer, batch, &loss, at).unwrap();
        }
        let bits = |t: &Tensor| t.to_vec().into_iter().map(f32::to_bits).collect::<Vec<_>>();
        network.state().into_iter().map(|(name, t)| (name, bits(t))).collect::<Vec<_>>()
    };
    let on = |threads| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(train)
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert_eq!(one, on(threads), "{precision}, {threads} threads");
    }
    one
}

/// Watching a layer keeps its output and does not change the result.
#[test]
fn watched_layers_keep_their_outputs() {
    let network = Network::<f64>::new(small("fer-s", 16), 7).unwrap();
    let x = Tensor::from_fn(&[2, 1, 16, 16], |i| (i % 13) as f64 / 13.0);
    let plain = network.logits(x.clone()).unwrap();
    let mut pass = Pass::eval();
    pass.watch(&["activation_6", "conv2d_4"]);
    let pixels = pass.tape.leaf(x.clone());
    let logits = network.forward(&mut pass, &pixels).unwrap();
    assert_eq!(plain.to_vec(), logits.value().to_vec());
    assert_eq!(*pass.output("conv2d_4").unwrap().shape(), [2, 32, 8, 8]);
    let map = pass.output("activation_6").unwrap().clone();
    let u = Tensor::full(&logits.shape(), 1.0);
    let gradients = pass.tape.backward_from(&logits, u).unwrap();
    assert_eq!(gradients.get(&map).unwrap().shape(), map.shape());
    assert!(gradients.get(&pixels).is_some());
    let mut tape = Tape::<f64>::new();
    let stranger = tape.leaf(Tensor::zeros(&[1])); // at index 0, as are the pixels on their tape
    assert!(gradients.get(&stranger).is_none());
}
