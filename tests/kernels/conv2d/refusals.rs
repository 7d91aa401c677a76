//! Panics on slices of the wrong length, and on geometries that Winograd does not support.

use crate::kernels::conv2d::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn conv2d_refuses_slices_of_another_length() {
    let g = three_by_three([1, 3, 5, 5], 4);
    let panics = |conv, [x, w, y]: [usize; 3]| {
        let ctx = Context { conv, ..Context::default() };
        let (x, w, y) = (vec![0.0; x], vec![0.0; w], vec![0.0; y]);
        let passes: [&dyn Fn(); 3] = [
            &|| conv2d::forward(ctx, &g, &x, &w, None, &mut y.clone()),
            &|| conv2d::backward_input(ctx, &g, &y, &w, &mut x.clone()),
            &|| conv2d::backward_weight(ctx, &g, &x, &y, &mut w.clone()),
        ];
        passes.map(|pass| catch_unwind(AssertUnwindSafe(pass)).is_err())
    };
    let lengths = [g.input_len(), g.weight_len(), g.output_len()];
    for algorithm in [Algorithm::Direct, Algorithm::Im2col, Algorithm::Winograd] {
        assert_eq!(panics(algorithm, lengths), [false; 3], "{algorithm}");
        for i in 0..3 {
            // Too long, so that only the check notices.
            let mut longer = lengths;
            longer[i] += 1;
            assert_eq!(panics(algorithm, longer), [true; 3], "{algorithm}, slice {i}");
        }
    }
}

#[test]
fn winograd_refuses_what_it_cannot_compute() {
    let ones = [1, 1];
    let conv = |kernel: [usize; 2], stride, dilation, groups| {
        let weight = [4, 4 / groups, kernel[0], kernel[1]];
        Conv2dGeometry::new([1, 4, 9, 9], weight, stride, ones, dilation, groups).unwrap()
    };
    let good = conv([3, 3], ones, ones, 1);
    let others = [
        conv([5, 3], ones, ones, 1),
        conv([3, 5], ones, ones, 1),
        conv([3, 3], [2, 1], ones, 1),
        conv([3, 3], [1, 2], ones, 1),
        conv([3, 3], ones, [2, 1], 1),
        conv([3, 3], ones, [1, 2], 1),
        conv([3, 3], ones, ones, 2),
    ];
    let panics = |g: Conv2dGeometry, [x, w, y, bias]: [usize; 4]| {
        let [x, w, y, bias] = [x, w, y, bias].map(|len| vec![0.0; len]);
        let (simd, size, bias) = (SimdLevel::widest(), TileSize::Two, Some(&bias[..]));
        let passes: [&dyn Fn(); 3] = [
            &|| winograd::forward((simd, Precision::F32), size, &g, &x, &w, bias, &mut y.clone()),
            &|| winograd::backward_input((simd, Precision::F32), size, &g, &y, &w, &mut x.clone()),
            &|| winograd::backward_weight((simd, Precision::F32), size, &g, &x, &y, &mut w.clone()),
        ];
        passes.map(|pass| catch_unwind(AssertUnwindSafe(pass)).is_err())
    };
    let lengths = |g: &Conv2dGeometry| [g.input_len(), g.weight_len(), g.output_len(), g.c_out];
    assert_eq!(panics(good, lengths(&good)), [false; 3]);
    for g in others {
        assert_eq!(panics(g, lengths(&g)), [true; 3], "{g:?}");
    }
    for (i, want) in [[true; 3], [true; 3], [true; 3], [true, false, false]].iter().enumerate() {
        // Too long, so that only the check notices.
        let mut longer = lengths(&good);
        longer[i] += 1;
        assert_eq!(panics(good, longer), *want, "slice {i}");
    }
}
