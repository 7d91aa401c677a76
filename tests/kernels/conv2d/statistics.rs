//! Mean and variance computed in the epilogue of a convolution: the bits of a separate pass over
//! the output, for any boundaries of tasks and blocks.

use crate::kernels::conv2d::*;
use fer_kernels::conv2d::{Pass, plan_name};
use fer_kernels::{ChannelView, norm::batch_norm};

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Direct, Algorithm::Winograd, Algorithm::Im2col];

/// Returns y, mean and variance as bits, so that NaN equals itself.
fn bits(case: &Case, run: impl Fn(&[f32], &mut [f32], [&mut [f32]; 2])) -> Vec<u32> {
    let x = swap_axes(case.input_shape(), &case.x);
    let mut y = vec![7.0; case.gy.len()];
    let (mut mean, mut var) = (vec![7.0; case.g.c_out], vec![7.0; case.g.c_out]);
    run(&x, &mut y, [&mut mean, &mut var]);
    [y, mean, var].concat().iter().map(|v| v.to_bits()).collect()
}

/// Computes the convolution, then the statistics of its output.
fn separate(case: &Case, ctx: Context, bias: Option<&[f32]>) -> Vec<u32> {
    let g = &case.g;
    let v = ChannelView { outer: g.n * g.h_out * g.w_out, channels: g.c_out, inner: 1 };
    bits(case, |x, y, [mean, var]| {
        conv2d::forward(ctx, g, x, &case.w, bias, y);
        batch_norm::statistics(ctx.simd, &v, y, mean, var);
    })
}

fn fused(case: &Case, ctx: Context, bias: Option<&[f32]>) -> Vec<u32> {
    bits(case, |x, y, statistics| {
        conv2d::forward_statistics(ctx, &case.g, x, &case.w, bias, y, statistics);
    })
}

fn geometries() -> Vec<Conv2dGeometry> {
    let conv = |input: [usize; 4], c_out, kernel: usize, stride, groups| {
        let weight = [c_out, input[1] / groups, kernel, kernel];
        let padding = [kernel / 2; 2];
        Conv2dGeometry::new(input, weight, stride, padding, [1, 1], groups).unwrap()
    };
    vec![
        three_by_three([3, 16, 48, 48], 33), // whole blocks in every task
        three_by_three([4, 16, 23, 19], 17),
        three_by_three([64, 20, 6, 6], 40),
        three_by_three([130, 16, 2, 2], 40),
        three_by_three([8, 1, 48, 48], 64),
        three_by_three([7, 1, 47, 31], 70),
        three_by_three([1, 1, 48, 48], 8), // a few channels, one image
        three_by_three([1, 16, 6, 6], 300), // less than a block
        conv([5, 3, 31, 29], 24, 5, [1, 1], 1),
        conv([9, 6, 39, 39], 40, 3, [2, 2], 2),
        three_by_three([2, 0, 20, 20], 5), // the bias alone
        three_by_three([0, 3, 5, 5], 5),
    ]
}

#[test]
fn statistics_in_the_epilogue_have_the_bits_of_a_separate_pass() {
    let plan = |g: &_| plan_name(Context::default(), g, Pass::Forward);
    let plans = geometries().iter().map(plan).collect::<Vec<_>>();
    let expected = ["winograd 4x4", "winograd 4x4", "winograd 3x3", "winograd 2x2", "direct"];
    assert_eq!(plans[..5], expected);
    let draw = &mut Draw::new(11);
    for g in geometries() {
        let case = Case::floats(g, draw);
        for bias in [None, Some(&case.bias[..])] {
            for conv in ALGORITHMS {
                at_each_level(|simd| {
                    let ctx = Context { simd, conv, ..Context::default() };
                    let want = separate(&case, ctx, bias);
                    for threads in [1, 2, 3, 8] {
                        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                        let got = pool.build().unwrap().install(|| fused(&case, ctx, bias));
                        assert!(want == got, "{conv}, {simd}, {threads} threads, {g:?}");
                    }
                });
            }
        }
    }
}

#[test]
fn statistics_in_the_epilogue_of_any_convolution() {
    at_each_level(|simd| {
        let draw = &mut Draw::new(12);
        for k in 0..600 {
            let g = if k % 2 == 0 { random_geometry(draw) } else { winograd_geometry(draw) };
            let case = Case::floats(g, draw);
            let bias = (draw.int(0, 1) == 1).then_some(&case.bias[..]);
            let ctx = Context { simd, conv: draw.pick(&ALGORITHMS), ..Context::default() };
            let [want, got] = [separate, fused].map(|f| f(&case, ctx, bias));
            assert!(want == got, "{ctx:?}, {g:?}");
        }
    });
}
