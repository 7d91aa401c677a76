//! A training step asks the system for no memory once the first steps have been made.
//!
//! A binary of its own, because it counts every allocation of its process.

use fer::model::{Inference, Network, architecture};
use fer::ops::CrossEntropyOptions;
use fer::optim::{Optimizer, OptimizerConfig};
use fer::tensor::Tensor;
use fer::train::batch::Batch;
use fer::train::step::StepAddress;
use fer::train::train_step;
use fer_kernels::Precision;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Blocks and bytes that `f` asks for.
fn allocated(f: impl FnOnce()) -> (u64, u64) {
    let before = dhat::HeapStats::get();
    f();
    let after = dhat::HeapStats::get();
    (after.total_blocks - before.total_blocks, after.total_bytes - before.total_bytes)
}

/// Steps before counting: two threads must have met everywhere, each needing its own buffer.
const WARM_UP: u64 = 6;
/// Steps counted.
const STEPS: u64 = 5;

/// The middle step by bytes: in one of them threads may still meet where they never did.
fn middle(mut all: Vec<(u64, u64)>) -> (u64, u64) {
    all.sort_by_key(|&(_, bytes)| bytes);
    all[all.len() / 2]
}

fn step_of(network: &mut Network<f32>, optimizer: &mut Optimizer<f32>, pixels: &Tensor, step: u64) {
    let labels = (0..pixels.shape()[0]).map(|i| i % 7).collect();
    let batch = Batch::labelled(pixels.clone(), labels);
    let at = StepAddress { seed: 0, step, lr: 0.01, precision: Precision::F32 };
    let loss = CrossEntropyOptions::default();
    train_step(network, optimizer, batch, &loss, at).unwrap();
}

#[test]
fn a_step_allocates_little_after_the_first() {
    let _profiler = dhat::Profiler::builder().testing().build();
    for (name, side) in [("fer-s", 48), ("tiny", 48), ("vgg", 48)] {
        let mut network = Network::new(architecture(name).unwrap(), 0).unwrap();
        let mut optimizer = Optimizer::new(OptimizerConfig::default(), &network.parameters());
        let pixels = Tensor::from_fn(&[16, 1, side, side], |i| (i % 17) as f32 / 17.0);
        for step in 0..WARM_UP {
            step_of(&mut network, &mut optimizer, &pixels, step);
        }
        let all: Vec<_> = (0..STEPS)
            .map(|k| allocated(|| step_of(&mut network, &mut optimizer, &pixels, WARM_UP + k)))
            .collect();
        println!("{name}: blocks and bytes of training steps {all:?}");
        let (blocks, bytes) = middle(all);
        assert!(blocks <= 20 && bytes < 4096, "{name}: {blocks} blocks, {bytes} bytes");

        let inference = Inference::new(&network);
        (0..3).for_each(|_| drop(inference.logits(&pixels).unwrap()));
        let (blocks, bytes) = allocated(|| drop(inference.logits(&pixels).unwrap()));
        println!("{name}: {blocks} blocks, {bytes} bytes in an inference");
        assert!(blocks <= 60 && bytes < 64 * 1024, "{name}: {blocks} blocks, {bytes} bytes");
    }
}
