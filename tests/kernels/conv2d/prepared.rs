//! Prepared filters, as trained networks use them, against plain convolutions.

use crate::kernels::conv2d::*;
use fer_kernels::conv2d::{Epilogue, Pass, Prepared, plan_name};

/// Returns the maximum of each 2×2 pixels; the last row or column of an odd size is left out.
fn pooled(g: &Conv2dGeometry, y: &[f32]) -> Vec<f32> {
    let [h, w] = [g.h_out / 2, g.w_out / 2];
    let at =
        |n: usize, i: usize, j: usize, c: usize| y[((n * g.h_out + i) * g.w_out + j) * g.c_out + c];
    let pixel = |p: usize, c: usize| {
        let (n, i, j) = (p / w / h, p / w % h * 2, p % w * 2);
        let window =
            [at(n, i, j, c), at(n, i, j + 1, c), at(n, i + 1, j, c), at(n, i + 1, j + 1, c)];
        window.into_iter().reduce(f32::max).unwrap()
    };
    (0..g.n * h * w).flat_map(|p| (0..g.c_out).map(move |c| pixel(p, c))).collect()
}

/// Returns a convolution large enough that Winograd is chosen, with any parity of sides and any
/// padding.
fn pays_for_winograd(draw: &mut Draw) -> Conv2dGeometry {
    let input = [draw.int(6, 9), draw.int(16, 20), draw.int(9, 14), draw.int(9, 14)];
    let (c_out, padding) = (draw.int(16, 34), draw.int(0, 2));
    let weight = [c_out, input[1], 3, 3];
    let g = Conv2dGeometry::new(input, weight, [1, 1], [padding; 2], [1, 1], 1).unwrap();
    assert!(
        plan_name(Algorithm::Auto, &g, Pass::Forward).starts_with("winograd")
            || g.n * g.h_out * g.w_out < 512
    );
    g
}

/// The fused convolution, bias, ReLU and pooling have the bits of the separate steps, in every
/// call.
#[test]
fn prepared_filters_give_the_same_bits() {
    let draw = &mut Draw::new(10);
    let mut geometries = vec![
        three_by_three([130, 17, 2, 2], 40),
        three_by_three([20, 17, 6, 6], 40),
        three_by_three([1, 16, 24, 24], 33),
        Conv2dGeometry::new([5, 6, 9, 9], [40, 3, 3, 3], [2, 2], [1, 1], [1, 1], 2).unwrap(),
    ];
    let plans = geometries.iter().map(|g| plan_name(Algorithm::Auto, g, Pass::Forward));
    assert_eq!(
        plans.collect::<Vec<_>>(),
        ["winograd 2x2", "winograd 3x3", "winograd 4x4", "direct"]
    );
    geometries.extend((0..100).map(|_| random_geometry(draw)));
    geometries.extend((0..60).map(|_| pays_for_winograd(draw)));
    for g in geometries {
        let case = Case::floats(g, draw);
        let x = swap_axes(case.input_shape(), &case.x);
        // One `Prepared` for all levels that round alike; their panels differ in width.
        let prepared = [(); 2].map(|()| Prepared::new(case.w.clone()));
        at_each_level(|simd| {
            let prepared = &prepared[usize::from(simd.is_fused())];
            let ctx = Context { simd, conv: Algorithm::Auto };
            for (bias, relu) in [(false, false), (true, false), (false, true), (true, true)] {
                let bias = bias.then_some(&case.bias[..]);
                let mut want = vec![7.0; case.gy.len()];
                conv2d::forward(ctx, &g, &x, &case.w, bias, &mut want);
                if relu {
                    want.iter_mut().for_each(|y| *y = y.max(0.0));
                }
                let mut got = vec![7.0; want.len()];
                prepared.forward(ctx, &g, &x, Epilogue { bias, relu, pool: false }, &mut got);
                assert!(want == got, "bias {bias:?}, relu {relu}, {simd}, {g:?}");
                let want = pooled(&g, &want);
                let mut got = vec![7.0; want.len()];
                prepared.forward(ctx, &g, &x, Epilogue { bias, relu, pool: true }, &mut got);
                assert!(want == got, "pooled, bias {bias:?}, relu {relu}, {simd}, {g:?}");
            }
        });
    }
}
