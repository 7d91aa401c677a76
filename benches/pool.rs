//! The halving max pool behind the blocks of our networks.
//!
//! `cargo bench --bench pool`; the rate is GB/s of memory read and written once.

mod common;

use common::{BATCH, group, normal, pools};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fer_kernels::{Pool2dGeometry, pool};

fn halving(c: &mut Criterion) {
    let mut group = group(c, "max_pool2d");
    for [channels, side] in [[64, 48], [128, 24], [256, 12], [512, 6]] {
        let g = Pool2dGeometry::new([BATCH, channels, side, side], [2, 2], [2, 2], [0, 0])
            .expect("a halving pool");
        let (mut x, mut y) = (normal(g.input_len()), normal(g.output_len()));
        let mut argmax = vec![0; y.len()];
        group.throughput(Throughput::Bytes(4 * (x.len() + 2 * y.len()) as u64));
        for (threads, pool_of_threads) in pools() {
            let layer = format!("{channels}@{side}");
            let id = BenchmarkId::new(format!("forward, {threads}"), &layer);
            group.bench_function(id, |b| {
                b.iter(|| {
                    pool_of_threads.install(|| pool::max_forward(&g, &x, &mut y, &mut argmax));
                });
            });
            let id = BenchmarkId::new(format!("backward, {threads}"), &layer);
            group.bench_function(id, |b| {
                b.iter(|| {
                    pool_of_threads.install(|| pool::max_backward_input(&g, &y, &argmax, &mut x));
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, halving);
criterion_main!(benches);
