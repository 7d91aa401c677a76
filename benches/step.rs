//! Whole training steps as in `fer train`: forward, loss, backward, update, at the widest SIMD
//! level.
//!
//! `cargo bench --bench step`. `fer bench layers` shows the time of each layer;
//! `fer bench train --simd` measures another level.

mod common;

use common::{BATCH, Rate, Setting, Work, criterion, group};
use criterion::{Criterion, criterion_group, criterion_main};
use fer::bench::steps::Training;
use fer::model::summary;
use fer_kernels::Precision;

fn steps(c: &mut Criterion<Rate>) {
    let mut settings = Setting::widest();
    let mut group = group(c, "training step");
    for arch in ["tiny", "vgg"] {
        let mut training = Training::new(arch, BATCH, Precision::F32).expect("a built-in network");
        // Forward, and the gradients of inputs and of weights.
        let macs = 3 * BATCH * summary(&training.network).expect("a summary").macs;
        for setting in &mut settings {
            let run = || assert!(training.step(|_| {}).expect("a step").applied);
            setting.bench(&mut group, [arch, &format!("batch {BATCH}")], Work::new(macs, 0), run);
        }
    }
    group.finish();
}

criterion_group! { name = benches; config = criterion(); targets = steps }
criterion_main!(benches);
