//! Networks compute the same whether their layers run one by one or fused.

mod statistics;

use fer::explain::attribution::gradient::guided_backprop::block_negative_gradients;
use fer::model::{Inference, LayerSpec, Network, NetworkSpec, architecture};
use fer::nn::{ActivationFunction, Mode, Pass};
use fer::random::{Purpose, Rng};
use fer::tensor::{Element, Tensor};

/// Returns a built-in network for small images.
fn network<T: Element>(name: &str, side: usize) -> Network<T> {
    let spec = NetworkSpec { input: [1, side, side], ..architecture(name).unwrap() };
    let mut network = Network::new(spec, 5).unwrap();
    randomise(&mut network);
    network
}

/// Sets batch norms and biases to random values, some γ negative.
fn randomise<T: Element>(network: &mut Network<T>) {
    let mut rng = Rng::new(1, Purpose::Test, 0, 0);
    for (name, tensor) in network.state_mut() {
        let range = match name.rsplit('.').next() {
            Some("gamma") => (-0.5, 1.5),
            Some("beta" | "running_mean" | "bias") => (-0.5, 0.5),
            Some("running_var") => (0.5, 2.0),
            _ => continue,
        };
        let draw = |v: &mut T| *v = T::from_f64(rng.uniform_in(range.0, range.1));
        tensor.as_mut_slice().iter_mut().for_each(draw);
    }
}

fn pictures<T: Element>(n: usize, side: usize) -> Tensor<T> {
    let mut rng = Rng::new(2, Purpose::Test, 0, 0);
    Tensor::from_fn(&[n, 1, side, side], |_| T::from_f64(rng.uniform()))
}

/// Returns the logits and the gradients of pixels and parameters; with `apart`, layers are not
/// fused.
fn run<T: Element>(network: &Network<T>, mode: Mode, guided: bool, apart: bool) -> Vec<Vec<T>> {
    let mut pass = Pass::new(mode, true);
    if apart {
        pass.watch_all();
    }
    let pixels = pass.tape.leaf(pictures(3, network.spec.input[1]));
    let logits = network.forward(&mut pass, &pixels).unwrap();
    let u = Tensor::from_fn(&logits.shape(), |i| T::from_f64((i % 5) as f64 - 1.5));
    let names: Vec<_> = pass.tape.nodes().map(|(_, name, ..)| name).collect();
    assert_eq!(names.contains(&"batch_norm_relu"), !apart, "{names:?}");
    assert_eq!(names.contains(&"conv2d_statistics"), mode != Mode::Eval, "{names:?}");
    let gradients = match guided {
        true => pass.tape.backward_with(&logits, u, &mut block_negative_gradients),
        false => pass.tape.backward_from(&logits, u),
    };
    let gradients = gradients.unwrap();
    let mut all = vec![logits.value().to_vec(), gradients.get(&pixels).unwrap().to_vec()];
    let parameters = network.parameters();
    all.extend(parameters.iter().map(|p| pass.gradient(&gradients, p).unwrap().to_vec()));
    all.extend(pass.statistics().iter().map(|(_, s)| s.var.to_vec()));
    all
}

fn assert_close<T: Element>(want: &[T], got: &[T], tolerance: f64, what: &str) {
    assert_eq!(want.len(), got.len(), "{what}");
    let largest = want.iter().fold(1e-30, |m: f64, v| m.max(v.to_f64().abs()));
    for (i, (a, b)) in want.iter().zip(got).enumerate() {
        let (a, b) = (a.to_f64(), b.to_f64());
        assert!((a - b).abs() <= tolerance * largest, "{what}: element {i}: {a} and {b}");
    }
}

fn fused_equals_layer_by_layer<T: Element>(tolerance: f64) {
    for (name, side) in [("fer-s", 16), ("tiny", 16), ("tiny", 17)] {
        let network = network::<T>(name, side);
        for mode in [Mode::Train { seed: 3, step: 4 }, Mode::Eval] {
            for guided in [false, true] {
                let [apart, fused] = [true, false].map(|apart| run(&network, mode, guided, apart));
                assert_eq!(apart[0], fused[0], "{name}: logits, to the last bit");
                for (k, (a, b)) in apart.iter().zip(&fused).enumerate() {
                    assert_close(
                        a,
                        b,
                        tolerance,
                        &format!("{name} {side} {mode:?} guided {guided}: {k}"),
                    );
                }
            }
        }
    }
}

#[test]
fn fused_passes_equal_layer_by_layer_in_f32() {
    fused_equals_layer_by_layer::<f32>(1e-5);
}

#[test]
fn fused_passes_equal_layer_by_layer_in_f64() {
    fused_equals_layer_by_layer::<f64>(1e-13);
}

#[test]
fn folded_networks_give_the_logits_of_the_network() {
    // A batch norm commutes with max pooling only if no γ is negative.
    for (name, turns) in
        [("fer-s", true), ("fer-m", true), ("fer-m", false), ("tiny", true), ("vgg", true)]
    {
        let mut network = network::<f32>(name, 48);
        let gammas = network.state_mut().into_iter().filter(|(n, _)| n.ends_with(".gamma"));
        for (_, gamma) in gammas.filter(|_| !turns) {
            gamma.as_mut_slice().iter_mut().for_each(|v| *v = v.abs());
        }
        let inference = Inference::new(&network);
        for n in [1, 5] {
            let want = network.logits(pictures(n, 48)).unwrap();
            let got = inference.logits(&pictures(n, 48)).unwrap();
            assert_close(&want.to_vec(), &got.to_vec(), 1e-5, name);
        }
    }
}

/// Convolutions and blocks with every kind of next layer.
#[test]
fn folding_stops_where_a_layer_does_not_commute() {
    let conv = |filters, stride, bias| LayerSpec::Conv2d {
        filters,
        kernel: 3,
        stride,
        padding: Some(1),
        dilation: 1,
        groups: 1,
        bias,
    };
    let (bn, relu) = (LayerSpec::batch_norm, LayerSpec::relu);
    let pool = || LayerSpec::MaxPooling2d { size: 2 };
    let tanh = LayerSpec::Activation { function: ActivationFunction::Tanh };
    let residual = |layers| LayerSpec::Residual { layers };
    let layers = vec![
        conv(16, 1, true),
        relu(),
        bn(),
        conv(20, 1, true),
        pool(),
        bn(),
        tanh,
        conv(20, 1, true),
        relu(),
        pool(),
        bn(),
        conv(17, 2, false),
        bn(),
        residual(vec![conv(17, 1, false)]),
        residual(vec![conv(17, 1, true), bn()]),
        relu(),
        conv(9, 1, true),
        LayerSpec::GlobalAveragePooling2d {},
        LayerSpec::Linear { units: 7 },
    ];
    let spec = NetworkSpec { layers, ..architecture("fer-s").unwrap() };
    let mut network = Network::<f32>::new(spec, 3).unwrap();
    randomise(&mut network);
    let want = network.logits(pictures(2, 48)).unwrap();
    let got = Inference::new(&network).logits(&pictures(2, 48)).unwrap();
    assert_close(&want.to_vec(), &got.to_vec(), 1e-5, "odd");
}

#[test]
fn a_folded_network_takes_batches_of_any_size() {
    let network = network::<f32>("fer-s", 48);
    let inference = Inference::new(&network);
    let many = inference.logits(&pictures(64, 48)).unwrap().to_vec();
    let again = inference.logits(&pictures(64, 48)).unwrap().to_vec();
    assert_eq!(many, again);
    let one = network.logits(pictures(1, 48)).unwrap().to_vec();
    assert_close(&one, &inference.logits(&pictures(1, 48)).unwrap().to_vec(), 1e-5, "one");
}

#[test]
fn a_folded_network_gives_the_same_bits_on_any_threads() {
    for name in ["fer-s", "tiny"] {
        let inference = Inference::new(&network::<f32>(name, 48));
        for n in [1, 3] {
            let logits = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let x = pictures(n, 48);
                pool.install(|| [0; 3].map(|_| inference.logits(&x).unwrap().to_vec()))
            };
            let one = logits(1);
            assert!(one[1..].iter().all(|y| *y == one[0]));
            assert!(logits(2) == one && logits(5) == one, "{name}, {n}");
        }
    }
}

/// Rounding to bfloat16 moves the logits a little, and no more.
#[test]
fn a_network_in_bf16_gives_nearly_the_logits_of_f32() {
    for name in ["fer-m", "tiny"] {
        let mut network = network::<f32>(name, 48);
        let exact = Inference::new(&network).logits(&pictures(3, 48)).unwrap().to_vec();
        network.precision = fer_kernels::Precision::Bf16;
        let rounded = Inference::new(&network).logits(&pictures(3, 48)).unwrap().to_vec();
        let largest = exact.iter().fold(0.0_f32, |a, v| a.max(v.abs()));
        let error = exact.iter().zip(&rounded).fold(0.0_f32, |a, (x, y)| a.max((x - y).abs()));
        assert!(error > 0.0 && error < 0.1 * largest, "{name}: {error} of {largest}");
    }
}
