//! Batch norm over the activations of our networks' layers.
//!
//! `cargo bench --bench batch_norm`; the rate is GB/s of memory read and written once.

mod common;

use common::{BATCH, LAYERS, group, name, normal, pools};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fer_kernels::{ChannelView, batch_norm};

fn passes(c: &mut Criterion) {
    let mut group = group(c, "batch_norm");
    for [c_in, channels, side] in LAYERS {
        let v = ChannelView { outer: BATCH * side * side, channels, inner: 1 };
        let (x, g, mut out) = (normal(v.len()), normal(v.len()), vec![0.0; v.len()]);
        let (a, b) = (normal(channels), normal(channels));
        let (mut p, mut q) = (vec![0.0; channels], vec![0.0; channels]);
        let layer = name([c_in, channels, side]);
        for (threads, pool) in pools() {
            let bytes = |tensors: u64| Throughput::Bytes(4 * tensors * v.len() as u64);
            group.throughput(bytes(1));
            group.bench_function(BenchmarkId::new(format!("statistics, {threads}"), &layer), |b| {
                b.iter(|| pool.install(|| batch_norm::statistics(&v, &x, &mut p, &mut q)));
            });
            group.throughput(bytes(2));
            group.bench_function(BenchmarkId::new(format!("affine, {threads}"), &layer), |bench| {
                bench
                    .iter(|| pool.install(|| batch_norm::channel_affine(&v, &x, &a, &b, &mut out)));
            });
            group.bench_function(BenchmarkId::new(format!("reduce, {threads}"), &layer), |bench| {
                bench.iter(|| {
                    pool.install(|| {
                        batch_norm::backward_reduce(&v, &x, &g, &a, &b, &mut p, &mut q);
                    });
                });
            });
            group.throughput(bytes(3));
            let id = BenchmarkId::new(format!("backward_input, {threads}"), &layer);
            group.bench_function(id, |bench| {
                bench.iter(|| {
                    pool.install(|| {
                        batch_norm::backward_input(&v, &x, &g, &a, &b, &a, &a, &b, &mut out);
                    });
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, passes);
criterion_main!(benches);
