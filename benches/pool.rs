//! The halving max pool behind the blocks of our networks.
//!
//! `cargo bench --bench pool`.

mod common;

use common::{BATCH, Rate, Setting, Work, criterion, group, normal};
use criterion::{Criterion, criterion_group, criterion_main};
use fer_kernels::{Pool2dGeometry, pool};

fn halving(c: &mut Criterion<Rate>) {
    let mut settings = Setting::widest();
    let mut group = group(c, "max_pool2d");
    for [channels, side] in [[64, 48], [128, 24], [256, 12], [512, 6]] {
        let g = Pool2dGeometry::new([BATCH, channels, side, side], [2, 2], [2, 2], [0, 0])
            .expect("a halving pool");
        let (mut x, mut y) = (normal(g.input_len()), normal(g.output_len()));
        let mut argmax = vec![0; y.len()];
        // An index is as large as a float.
        let (layer, work) = (format!("{channels}@{side}"), Work::new(0, x.len() + 2 * y.len()));
        for setting in &mut settings {
            let run = || pool::max_forward(&g, &x, &mut y, &mut argmax);
            setting.bench(&mut group, ["forward", &layer], work, run);
            let run = || pool::max_backward_input(&g, &y, &argmax, &mut x);
            setting.bench(&mut group, ["backward", &layer], work, run);
        }
    }
    group.finish();
}

criterion_group! { name = benches; config = criterion(); targets = halving }
criterion_main!(benches);
