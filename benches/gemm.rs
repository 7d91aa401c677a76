//! Matrix product: the im2col shapes of our networks, two squares, and transposed operands.
//!
//! `cargo bench --bench gemm`. `benches/compare.py --only gemm` measures the same shapes beside the
//! crates gemm and faer (in `benches/peers`) and OpenBLAS.

mod common;

use common::{Rate, Setting, Work, criterion, group, normal};
use criterion::{Criterion, criterion_group, criterion_main};
use fer_kernels::{GemmGeometry, Transpose, gemm};

/// m, n, k: filters × pixels × (channels · taps) of the layers of vgg, and squares.
const SHAPES: [[usize; 3]; 7] = [
    [64, 18432, 576],
    [128, 4608, 1152],
    [256, 9216, 2304],
    [512, 2304, 4608],
    [64, 256, 18432],
    [512, 512, 512],
    [2048, 2048, 2048],
];

/// Of A and B.
const TRANSPOSED: [(&str, Transpose, Transpose); 3] = [
    ("A B", Transpose::No, Transpose::No),
    ("A' B", Transpose::Yes, Transpose::No),
    ("A B'", Transpose::No, Transpose::Yes),
];

fn product(c: &mut Criterion<Rate>) {
    let mut settings = Setting::all();
    let mut group = group(c, "gemm");
    for [m, n, k] in SHAPES {
        let (a, b, mut out) = (normal(m * k), normal(k * n), vec![0.0; m * n]);
        let (name, work) = (format!("{m}x{n}x{k}"), Work::new(m * n * k, m * k + k * n + m * n));
        for (place, setting) in settings.iter_mut().enumerate() {
            // Transposed operands only at the widest level: the others differ in the tile alone.
            for &(letters, trans_a, trans_b) in &TRANSPOSED[..if place < 2 { 3 } else { 1 }] {
                let g = GemmGeometry { m, n, k, trans_a, trans_b };
                let simd = setting.simd;
                let run = || gemm::gemm(simd, &g, &a, &b, &mut out, false);
                setting.bench(&mut group, [letters, &name], work, run);
            }
        }
    }
    group.finish();
}

criterion_group! { name = benches; config = criterion(); targets = product }
criterion_main!(benches);
