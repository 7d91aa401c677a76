//! What the benches share: the layers of our networks, pools of threads, names.
#![allow(dead_code)] // each bench uses a part

use criterion::{BenchmarkGroup, Criterion, measurement::WallTime};
use fer::random::{Purpose, Rng};
use fer_kernels::{Conv2dGeometry, arch};
use std::time::Duration;

/// The 3×3 layers of `tiny` and `vgg`: c_in, c_out, side of the image.
pub const LAYERS: [[usize; 3]; 8] = [
    [1, 64, 48],
    [64, 64, 48],
    [64, 128, 24],
    [128, 128, 24],
    [128, 256, 12],
    [256, 256, 12],
    [256, 512, 6],
    [512, 512, 6],
];

/// Images in a batch.
pub const BATCH: usize = 64;

/// The geometry of a layer for `n` images.
pub fn layer([c_in, c_out, side]: [usize; 3], n: usize) -> Conv2dGeometry {
    Conv2dGeometry::new([n, c_in, side, side], [c_out, c_in, 3, 3], [1, 1], [1, 1], [1, 1], 1)
        .expect("a 3×3 layer with padding 1")
}

/// Name of a layer in the results.
pub fn name([c_in, c_out, side]: [usize; 3]) -> String {
    format!("{c_in}-{c_out}@{side}")
}

/// Normal numbers.
pub fn normal(len: usize) -> Vec<f32> {
    let mut rng = Rng::new(0, Purpose::Test, 0, len as u64);
    (0..len).map(|_| rng.normal() as f32).collect()
}

/// Pools to measure in: one thread, and all of them.
pub fn pools() -> Vec<(String, rayon::ThreadPool)> {
    let all = rayon::current_num_threads();
    let counts = if all > 1 { vec![1, all] } else { vec![1] };
    let pool = |n: usize| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads");
    counts.into_iter().map(|n| (format!("{n} thread(s) {}", arch::level()), pool(n))).collect()
}

/// A group that takes about a second a point.
pub fn group<'a>(c: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = c.benchmark_group(name);
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    group
}
