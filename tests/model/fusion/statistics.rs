//! A convolution that computes the statistics of its output, and the batch norm that uses them.

use crate::model::fusion::{assert_close, network, pictures};
use fer::autograd::{Tape, Var, gradcheck};
use fer::nn::{Mode, Pass};
use fer::ops::{self, BatchStatistics, Conv2dOptions, Pool2dOptions};
use fer::random::{Purpose, Rng};
use fer::tensor::{Element, Tensor};
use fer_kernels::conv2d::{self, plan_name};
use fer_kernels::{Context, Conv2dGeometry};

const SAME: Conv2dOptions =
    Conv2dOptions { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };
const EPS: f64 = 1e-3;

/// Convolution, batch norm, ReLU and pooling of `window`×`window` pixels.
#[derive(Clone, Copy)]
struct Chain {
    /// Whether the convolution computes the statistics, or the batch norm.
    measured: bool,
    /// Whether batch norm, ReLU and pooling are one op.
    one: bool,
    window: usize,
}

impl Chain {
    /// `v`: x, weight, γ, β, perhaps the bias of the convolution.
    fn run<T: Element>(
        self,
        t: &mut Tape<T>,
        v: &[Var<T>],
    ) -> fer::Result<(Var<T>, BatchStatistics<T>)> {
        let (z, measured) = if self.measured {
            let (z, batch) = ops::conv2d_statistics(t, &v[0], &v[1], v.get(4), SAME)?;
            (z, Some(batch))
        } else {
            (ops::conv2d(t, &v[0], &v[1], v.get(4), SAME)?, None)
        };
        if self.one {
            return ops::batch_norm_relu_train(t, &z, &v[2], &v[3], EPS, self.window, measured);
        }
        let (z, batch) = ops::batch_norm_train(t, &z, &v[2], &v[3], EPS, measured)?;
        let y = ops::relu(t, &z)?;
        Ok((ops::max_pool2d(t, &y, Pool2dOptions::square(self.window))?, batch))
    }

    /// Returns the bits of y, of mean and variance, and of the gradient of every input.
    fn bits(self, inputs: &[Tensor<f32>]) -> Vec<Vec<u32>> {
        let mut t = Tape::new();
        let leaves: Vec<_> = inputs.iter().map(|x| t.leaf(x.clone())).collect();
        let (y, batch) = self.run(&mut t, &leaves).unwrap();
        let u = random(&y.shape(), 9);
        let gradients = t.backward_from(&y, u).unwrap();
        let mut all = vec![y.value(), &batch.mean, &batch.var];
        all.extend(leaves.iter().map(|x| gradients.get(x).unwrap()));
        all.iter().map(|x| x.to_vec().into_iter().map(f32::to_bits).collect()).collect()
    }
}

fn random<T: Element>(shape: &[usize], index: u64) -> Tensor<T> {
    let mut rng = Rng::new(23, Purpose::Test, 0, index);
    Tensor::from_fn(shape, |_| T::from_f64(rng.normal()))
}

/// x, weight, γ, β, perhaps a bias.
fn inputs<T: Element>(x: [usize; 4], c_out: usize, bias: bool) -> Vec<Tensor<T>> {
    let mut all = vec![random(&x, 0), random(&[c_out, x[1], 3, 3], 1)];
    all.extend((2..if bias { 5 } else { 4 }).map(|k| random(&[c_out], k)));
    all
}

#[test]
fn a_measuring_convolution_changes_no_bit() {
    let cases = [
        ([3, 16, 48, 48], 16, 2, "winograd 4x4"), // tasks of whole blocks of pixels
        ([4, 16, 23, 19], 17, 1, "winograd 4x4"), // blocks across tasks
        ([20, 16, 6, 6], 33, 2, "winograd 3x3"),
        ([130, 16, 2, 2], 17, 2, "winograd 2x2"),
        ([1, 1, 48, 48], 32, 2, "direct"), // one channel, one picture
        ([5, 3, 17, 18], 9, 1, "direct"),
        ([1, 16, 6, 6], 16, 2, "direct"), // less than one block
    ];
    let pools = [1, 2].map(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap());
    for (x, c_out, window, algorithm) in cases {
        let g = Conv2dGeometry::new(x, [c_out, x[1], 3, 3], [1; 2], [1; 2], [1; 2], 1).unwrap();
        assert_eq!(plan_name(Context::default(), &g, conv2d::Pass::Forward), algorithm, "{x:?}");
        for bias in [false, true] {
            let inputs = inputs(x, c_out, bias);
            let want =
                [true, false].map(|one| Chain { measured: false, one, window }.bits(&inputs));
            assert!(want[0][..3] == want[1][..3], "{x:?}: in one op and in several");
            for pool in &pools {
                for (one, want) in [true, false].into_iter().zip(&want) {
                    let chain = Chain { measured: true, one, window };
                    let got = pool.install(|| chain.bits(&inputs));
                    for (k, (want, got)) in want.iter().zip(&got).enumerate() {
                        assert!(want == got, "{x:?}, bias {bias}: result {k}");
                    }
                }
            }
        }
    }
}

/// Gradients through mean and variance. (That of the bias is 0: the batch norm subtracts the mean.)
#[test]
fn gradient_of_the_whole_chain_matches_finite_difference() {
    let cases = [([2, 1, 4, 5], 2, 1), ([2, 2, 4, 4], 3, 2), ([1, 3, 3, 3], 2, 1)];
    for (x, c_out, window) in cases {
        for bias in [false, true] {
            let inputs = inputs::<f64>(x, c_out, bias);
            let chain = Chain { measured: true, one: true, window };
            let found = gradcheck(&inputs, 1e-5, 1e-7, |t, v| Ok(chain.run(t, v)?.0))
                .unwrap_or_else(|e| panic!("{x:?}: {e}"));
            assert!(found.error <= 1.0, "{x:?}, bias {bias}: {found:?}");
        }
    }
}

#[test]
fn a_measuring_convolution_changes_nothing_in_f64() {
    let inputs = inputs::<f64>([3, 2, 7, 6], 4, true);
    let run = |measured| {
        let mut t = Tape::new();
        let leaves: Vec<_> = inputs.iter().map(|x| t.leaf(x.clone())).collect();
        let (y, batch) = Chain { measured, one: true, window: 2 }.run(&mut t, &leaves).unwrap();
        [y.value(), &batch.mean, &batch.var].map(Tensor::to_vec)
    };
    assert_eq!(run(true), run(false));
}

/// The running statistics of a network in training are those of the outputs of its convolutions.
#[test]
fn a_network_tracks_the_statistics_of_its_convolutions() {
    for name in ["tiny", "fer-s"] {
        let network = network::<f32>(name, 24);
        let mut pass = Pass::new(Mode::Train { seed: 3, step: 4 }, true);
        pass.watch_all();
        network.forward(&mut pass, &Var::constant(pictures(5, 24))).unwrap();
        let outputs: Vec<_> = pass.outputs().iter().collect();
        let mut found = 0;
        for pair in outputs.windows(2).filter(|p| p[1].0.starts_with("batch_norm")) {
            let x = Var::constant(pair[0].1.value().clone());
            let c = Var::constant(Tensor::zeros(&x.shape()[1..2]));
            let (_, want) = ops::batch_norm_train(&mut Tape::new(), &x, &c, &c, EPS, None).unwrap();
            let (_, got) = &pass.statistics()[found];
            for (want, got) in [(&want.mean, &got.mean), (&want.var, &got.var)] {
                assert_close(&want.to_vec(), &got.to_vec(), 0.0, &pair[0].0);
            }
            assert_eq!(want.count, got.count);
            found += 1;
        }
        assert!(found > 3 && found == pass.statistics().len(), "{name}: {found}");
    }
}
