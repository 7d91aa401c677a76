//! Convolution: the layers of our networks, three passes, every algorithm, one thread and all.
//!
//! `cargo bench --bench conv2d`; the rate "Gelem/s" is GFLOP/s (two per multiply-accumulate of the
//! definition, whatever the algorithm executes).

mod common;

use common::{BATCH, LAYERS, group, layer, name, normal, pools};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fer_kernels::conv2d::{Algorithm, Pass, backward_input_by, backward_weight_by, forward_by};
use fer_kernels::{Conv2dGeometry, naive};

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Im2col, Algorithm::Direct, Algorithm::Winograd];

struct Tensors {
    x: Vec<f32>,
    w: Vec<f32>,
    y: Vec<f32>,
}

impl Tensors {
    fn new(g: &Conv2dGeometry) -> Self {
        Self { x: normal(g.input_len()), w: normal(g.weight_len()), y: normal(g.output_len()) }
    }
    fn run(&mut self, algorithm: Algorithm, g: &Conv2dGeometry, pass: Pass) {
        let Self { x, w, y } = self;
        match pass {
            Pass::Forward => forward_by(algorithm, g, x, w, None, y),
            Pass::BackwardInput => backward_input_by(algorithm, g, y, w, x),
            Pass::BackwardWeight => backward_weight_by(algorithm, g, x, y, w),
        }
    }
    fn run_naive(&mut self, g: &Conv2dGeometry, pass: Pass) {
        let Self { x, w, y } = self;
        match pass {
            Pass::Forward => naive::conv2d::forward(g, x, w, None, y),
            Pass::BackwardInput => naive::conv2d::backward_input(g, y, w, x),
            Pass::BackwardWeight => naive::conv2d::backward_weight(g, x, y, w),
        }
    }
}

fn conv2d(c: &mut Criterion) {
    for pass in Pass::ALL {
        let mut group = group(c, &format!("conv2d {pass:?}"));
        for shape in LAYERS {
            // The definition takes seconds for a batch: one image shows its rate.
            let g = layer(shape, 1);
            let mut one = Tensors::new(&g);
            group.throughput(Throughput::Elements(2 * g.macs() as u64));
            group.bench_function(BenchmarkId::new("naive", name(shape)), |b| {
                b.iter(|| one.run_naive(&g, pass));
            });
            let g = layer(shape, BATCH);
            let mut batch = Tensors::new(&g);
            group.throughput(Throughput::Elements(2 * g.macs() as u64));
            for (threads, pool) in pools() {
                for algorithm in ALGORITHMS {
                    let id = BenchmarkId::new(format!("{algorithm}, {threads}"), name(shape));
                    group.bench_function(id, |b| {
                        b.iter(|| pool.install(|| batch.run(algorithm, &g, pass)));
                    });
                }
            }
        }
        group.finish();
    }
}

criterion_group!(benches, conv2d);
criterion_main!(benches);
