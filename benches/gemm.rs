//! Matrix product: the im2col shapes of our networks and two squares.
//!
//! `cargo bench --bench gemm`; the rate "Gelem/s" is GFLOP/s.

mod common;

use common::{group, normal, pools};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fer_kernels::{GemmGeometry, Transpose, gemm};

/// m, n, k: filters × pixels × (channels · taps) of vgg's layers, and squares.
const SHAPES: [[usize; 3]; 7] = [
    [64, 18432, 576],
    [128, 4608, 1152],
    [256, 9216, 2304],
    [512, 2304, 4608],
    [64, 256, 18432],
    [512, 512, 512],
    [2048, 2048, 2048],
];

fn product(c: &mut Criterion) {
    let mut group = group(c, "gemm");
    for [m, n, k] in SHAPES {
        let (a, b, mut out) = (normal(m * k), normal(k * n), vec![0.0; m * n]);
        let g = GemmGeometry { m, n, k, trans_a: Transpose::No, trans_b: Transpose::No };
        group.throughput(Throughput::Elements(2 * (m * n * k) as u64));
        for (threads, pool) in pools() {
            let id = BenchmarkId::new(threads, format!("{m}x{n}x{k}"));
            group.bench_function(id, |bench| {
                bench.iter(|| pool.install(|| gemm::gemm(&g, &a, &b, &mut out, false)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, product);
criterion_main!(benches);
