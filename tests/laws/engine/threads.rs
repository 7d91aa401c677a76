//! The number of threads changes no bit of the result of a step.

use fer::autograd::{Tape, Var};
use fer::ops::{self, Conv2dOptions, Pool2dOptions, Targets};
use fer::random::{Purpose, Rng};
use fer::tensor::Tensor;

fn random(shape: &[usize], index: u64) -> Tensor<f32> {
    let mut rng = Rng::new(3, Purpose::Test, 0, index);
    let fan_in: usize = shape[1..].iter().product::<usize>().max(1);
    Tensor::from_fn(shape, |_| (rng.normal() / (fan_in as f64).sqrt()) as f32)
}

/// Runs one step of a small network on a batch that is split into many tasks. Returns the bits of
/// the loss, of the statistics, and of every gradient.
fn step() -> fer::Result<Vec<Vec<u32>>> {
    const BATCH: usize = 24;
    let mut t = Tape::<f32>::new();
    let leaf = |t: &mut Tape<f32>, shape: &[usize], k| t.leaf(random(shape, k));
    let x = leaf(&mut t, &[BATCH, 1, 33, 31], 0);
    let weights = [[16, 1, 3, 3], [24, 16, 3, 3], [24, 6, 3, 3]];
    let weights: Vec<Var> = (1..).zip(&weights).map(|(k, s)| leaf(&mut t, s, k)).collect();
    let (gamma, beta) = (leaf(&mut t, &[24], 4), leaf(&mut t, &[24], 5));
    let (fc, bias) = (leaf(&mut t, &[7, 24], 6), leaf(&mut t, &[7], 7));

    let same = Conv2dOptions { padding: [1, 1], ..Default::default() };
    let grouped = Conv2dOptions { groups: 4, stride: [2, 2], ..same };
    let y = ops::conv2d(&mut t, &x, &weights[0], None, same)?;
    let y = ops::relu(&mut t, &y)?;
    let (y, measured) = ops::conv2d_statistics(&mut t, &y, &weights[1], None, same)?;
    let measured = Some(measured);
    let (y, statistics) = ops::batch_norm_train(&mut t, &y, &gamma, &beta, 1e-5, measured)?;
    let y = ops::leaky_relu(&mut t, &y, 0.1)?;
    let y = ops::max_pool2d(&mut t, &y, Pool2dOptions::square(2))?;
    let y = ops::conv2d(&mut t, &y, &weights[2], None, grouped)?;
    let y = ops::avg_pool2d(&mut t, &y, Pool2dOptions::square(2))?;
    let y = ops::dropout(&mut t, &y, 0.3, Rng::new(0, Purpose::Dropout, 0, 0))?;
    let y = ops::global_avg_pool2d(&mut t, &y)?;
    let y = ops::linear(&mut t, &y, &fc, &bias)?;
    let labels = Targets::Labels((0..BATCH).map(|i| i % 7).collect());
    let loss = ops::cross_entropy(&mut t, &y, &labels, &Default::default())?;
    let gradients = t.backward(&loss)?;

    let bits = |x: &Tensor<f32>| x.to_vec().iter().map(|v| v.to_bits()).collect();
    let mut all: Vec<Vec<u32>> = [loss.value(), &statistics.mean, &statistics.var].map(bits).into();
    let leaves = [&x, &gamma, &beta, &fc, &bias].into_iter().chain(&weights);
    all.extend(leaves.map(|x| bits(gradients.get(x).unwrap())));
    Ok(all)
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(step).unwrap()
    };
    let one = with(1);
    assert!(one.iter().flatten().all(|&b| f32::from_bits(b).is_finite()));
    for threads in [2, 3, 8] {
        for (k, (got, want)) in with(threads).iter().zip(&one).enumerate() {
            assert!(got == want, "{threads} threads: result {k} differs from one thread's");
        }
    }
    assert!(step().unwrap() == one, "the global pool differs from one thread");
}
