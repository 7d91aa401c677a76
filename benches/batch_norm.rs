//! Batch norm: its four passes over memory on the layers of our networks, and the first of them
//! fused into the convolution before it.
//!
//! `cargo bench --bench batch_norm`.

mod common;

use common::{BATCH, Rate, Setting, Work, criterion, group, normal};
use criterion::{Criterion, criterion_group, criterion_main};
use fer::bench::ConvLayer;
use fer_kernels::conv2d::{self, Algorithm};
use fer_kernels::{ChannelView, norm::batch_norm};

fn passes(c: &mut Criterion<Rate>) {
    let mut settings = Setting::widest();
    let mut group = group(c, "batch_norm");
    for layer in ConvLayer::OF_VGG {
        let channels = layer.c_out;
        let v = ChannelView { outer: BATCH * layer.side * layer.side, channels, inner: 1 };
        let (x, g, mut out) = (normal(v.len()), normal(v.len()), vec![0.0; v.len()]);
        let (a, b) = (normal(channels), normal(channels));
        let (mut p, mut q) = (vec![0.0; channels], vec![0.0; channels]);
        let layer = layer.to_string();
        let tensors = |count: usize| Work::new(0, count * v.len());
        for setting in &mut settings {
            let simd = setting.simd;
            let run = || batch_norm::statistics(simd, &v, &x, &mut p, &mut q);
            setting.bench(&mut group, ["statistics", &layer], tensors(1), run);
            let run = || batch_norm::channel_affine(&v, &x, &a, &b, &mut out);
            setting.bench(&mut group, ["affine", &layer], tensors(2), run);
            let run = || batch_norm::backward_reduce(&v, &x, &g, &a, &b, &mut p, &mut q);
            setting.bench(&mut group, ["reduce", &layer], tensors(2), run);
            let run = || batch_norm::backward_input(&v, &x, &g, &a, &b, &a, &a, &b, &mut out);
            setting.bench(&mut group, ["backward_input", &layer], tensors(3), run);
        }
    }
    group.finish();
}

/// Benches a convolution and the statistics of its output, separately and fused.
fn with_convolution(c: &mut Criterion<Rate>) {
    let mut settings = Setting::widest();
    let mut group = group(c, "conv2d and statistics");
    for layer in ConvLayer::OF_VGG {
        let (g, name) = (layer.geometry(BATCH), layer.to_string());
        let v = ChannelView { outer: BATCH * layer.side * layer.side, channels: g.c_out, inner: 1 };
        let (x, w, mut y) = (normal(g.input_len()), normal(g.weight_len()), vec![0.0; v.len()]);
        let (mut mean, mut var) = (vec![0.0; g.c_out], vec![0.0; g.c_out]);
        let work = Work::new(g.macs(), g.input_len() + g.weight_len() + g.output_len());
        for setting in &mut settings {
            let ctx = setting.context(Algorithm::Auto);
            let run = || {
                conv2d::forward(ctx, &g, &x, &w, None, &mut y);
                batch_norm::statistics(ctx.simd, &v, &y, &mut mean, &mut var);
            };
            setting.bench(&mut group, ["separate", &name], work, run);
            let run = || {
                conv2d::forward_statistics(ctx, &g, &x, &w, None, &mut y, [&mut mean, &mut var]);
            };
            setting.bench(&mut group, ["fused", &name], work, run);
        }
    }
    group.finish();
}

criterion_group! { name = benches; config = criterion(); targets = passes, with_convolution }
criterion_main!(benches);
