//! Convolution: the layers of our networks, three passes, every algorithm at every SIMD level.
//!
//! `cargo bench --bench conv2d`, or a part of it by a regular expression over the names, such as
//! `cargo bench --bench conv2d -- 'Forward/winograd'`.

mod common;

use common::{BATCH, Rate, Setting, Work, criterion, group, normal};
use criterion::{Criterion, criterion_group, criterion_main};
use fer::bench::ConvLayer;
use fer_kernels::conv2d::{self, Algorithm, Pass};
use fer_kernels::{Context, Conv2dGeometry, naive};

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Im2col, Algorithm::Direct, Algorithm::Winograd];

/// Largest layer on which the naive kernel runs, with one image: larger ones take seconds.
const NAIVE_MACS: usize = 50_000_000;

struct Tensors {
    x: Vec<f32>,
    w: Vec<f32>,
    y: Vec<f32>,
}

impl Tensors {
    fn new(g: &Conv2dGeometry) -> Self {
        Self { x: normal(g.input_len()), w: normal(g.weight_len()), y: normal(g.output_len()) }
    }
    fn run(&mut self, ctx: Context, g: &Conv2dGeometry, pass: Pass) {
        let Self { x, w, y } = self;
        match pass {
            Pass::Forward => conv2d::forward(ctx, g, x, w, None, y),
            Pass::BackwardInput => conv2d::backward_input(ctx, g, y, w, x),
            Pass::BackwardWeight => conv2d::backward_weight(ctx, g, x, y, w),
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

fn work(g: &Conv2dGeometry) -> Work {
    Work::new(g.macs(), g.input_len() + g.weight_len() + g.output_len())
}

fn conv2d(c: &mut Criterion<Rate>) {
    let mut settings = Setting::all();
    for pass in Pass::ALL {
        let mut group = group(c, &format!("conv2d {pass:?}"));
        for layer in ConvLayer::OF_VGG {
            let (g, name) = (layer.geometry(1), layer.to_string());
            if g.macs() < NAIVE_MACS {
                let mut one = Tensors::new(&g);
                let run = || one.run_naive(&g, pass);
                settings[0].bench(&mut group, ["naive", &name], work(&g), run);
            }
            let g = layer.geometry(BATCH);
            let mut batch = Tensors::new(&g);
            for setting in &mut settings {
                for algorithm in ALGORITHMS {
                    let ctx = setting.context(algorithm);
                    let run = || batch.run(ctx, &g, pass);
                    setting.bench(&mut group, [algorithm.name(), &name], work(&g), run);
                }
            }
        }
        group.finish();
    }
}

criterion_group! { name = benches; config = criterion(); targets = conv2d }
criterion_main!(benches);
