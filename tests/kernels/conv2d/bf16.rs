//! The three passes of a training in bfloat16.

use super::*;
use fer_kernels::Precision::{Bf16, F32};

impl Case {
    /// Returns \[y, grad_input, grad_weight\] in NHWC by the naive kernels in bfloat16, in double
    /// precision.
    fn naive_bf16(&self) -> [Vec<f64>; 3] {
        let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let (g, x, w, gy) = (&self.g, wide(&self.x), wide(&self.w), wide(&self.gy));
        let (mut y, mut gx, mut gw) = (vec![0.0; gy.len()], vec![0.0; x.len()], vec![0.0; w.len()]);
        naive::precision::conv2d_forward(Bf16, g, &x, &w, None, &mut y);
        naive::precision::conv2d_backward_input(Bf16, g, &gy, &w, &mut gx);
        naive::precision::conv2d_backward_weight(Bf16, g, &x, &gy, &mut gw);
        [swap_axes(self.output_shape(), &y), swap_axes(self.input_shape(), &gx), gw]
    }

    /// Returns the same by Winograd with tiles of this size.
    fn winograd_bf16(&self, simd: SimdLevel, size: TileSize) -> [Vec<f32>; 3] {
        let how = (simd, Bf16);
        self.by(
            |x, y| winograd::forward(how, size, &self.g, x, &self.w, None, y),
            |gy, gx| winograd::backward_input(how, size, &self.g, gy, &self.w, gx),
            |x, gy, gw| winograd::backward_weight(how, size, &self.g, x, gy, gw),
        )
    }
}

/// Requires every element to be within `bound` of the naive result, in units of the largest Σ|x·w|.
fn assert_near(
    want: &[Vec<f64>; 3],
    sums: &[Vec<f64>; 3],
    got: &[Vec<f32>; 3],
    bound: f64,
    by: &str,
) {
    for k in 0..3 {
        let unit = sums[k].iter().copied().fold(0.0, f64::max);
        for (&want, &got) in want[k].iter().zip(&got[k]) {
            let error = (want - f64::from(got)).abs();
            assert!(error <= bound * unit, "{} by {by}: {error:e} of {unit:e}", PASSES[k]);
        }
    }
}

/// Small integers are bfloat16, and their sums are exact.
#[test]
fn direct_and_im2col_are_exact_on_integers() {
    at_each_level_in_bf16(|simd| {
        let draw = &mut Draw::new(30);
        for k in 0..200 {
            let g = match k {
                0 => three_by_three([1, 600, 6, 6], 64), // more pairs than KC
                1 => three_by_three([2, 256, 7, 9], 66),
                2 => three_by_three([9, 64, 6, 6], 150), // several blocks of tiles
                3 => three_by_three([1, 512, 3, 3], 32),
                4 => three_by_three([1, 32, 40, 50], 33),
                _ => random_geometry(draw),
            };
            let case = Case::integers(g, draw);
            let bias = draw.int(0, 1) == 1;
            let want = case.naive(bias);
            for conv in [Algorithm::Direct, Algorithm::Im2col] {
                let got = case.fast(Context { simd, conv, precision: Bf16 }, bias);
                case.assert_equal(&want, &got, &format!("{conv} in bf16, {simd}"));
            }
        }
    });
}

/// On small integers tiles of two transform to bfloat16 without rounding.
#[test]
fn winograd_with_tiles_of_two_is_exact_on_integers() {
    at_each_level_in_bf16(|simd| {
        let draw = &mut Draw::new(31);
        let large = three_by_three([3, 70, 6, 6], 80);
        for k in 0..50 {
            let mut g = if k == 0 { large } else { winograd_geometry(draw) };
            while g.c_in % 2 + g.c_out % 2 > 0 {
                g = winograd_geometry(draw);
            }
            let case = Case::integers(g, draw);
            let (want, got) = (case.naive(false), case.winograd_bf16(simd, TileSize::Two));
            case.assert_equal(&want, &got, &format!("winograd in bf16, {simd}"));
        }
    });
}

/// Direct products and im2col round the operands as the naive kernels do. The bounds are those of
/// [`fer_kernels::conv2d::winograd`], for numbers of both signs and of one sign.
#[test]
fn every_algorithm_is_within_its_bound() {
    let draw = &mut Draw::new(32);
    for k in 0..60 {
        let g = match k {
            0 => three_by_three([1, 256, 12, 12], 32),
            1 => three_by_three([4, 16, 48, 48], 16),
            _ if k % 3 == 0 => random_geometry(draw),
            _ => winograd_geometry(draw),
        };
        let mut case = Case::floats(g, draw);
        if k % 2 == 1 {
            case = case.magnitudes();
        }
        let (want, sums) = (case.naive_bf16(), case.magnitudes().naive_f64());
        for conv in Algorithm::ALL {
            let ctx = Context { conv, precision: Bf16, ..Context::default() };
            let names = conv2d::Pass::ALL.map(|pass| conv2d::plan_name(ctx, &g, pass));
            let exact = names.iter().all(|name| !name.starts_with("winograd"));
            let bound = if exact { 1e-5 } else { 0.02 };
            let by = format!("{conv} ({names:?}), {g:?}");
            assert_near(&want, &sums, &case.fast(ctx, false), bound, &by);
        }
        if winograd_applies(&g) && g.c_in % 2 + g.c_out % 2 == 0 {
            for size in [TileSize::Two, TileSize::Three, TileSize::Four] {
                let got = case.winograd_bf16(SimdLevel::widest(), size);
                assert_near(&want, &sums, &got, 0.02, &format!("{size:?}, {g:?}"));
            }
        }
    }
}

/// Returns whether Winograd applies.
fn winograd_applies(g: &Conv2dGeometry) -> bool {
    conv2d::plan(Algorithm::Winograd, g, conv2d::Pass::Forward) == Algorithm::Winograd
}

#[test]
fn bits_are_the_same_for_any_threads_and_level() {
    let draw = &mut Draw::new(33);
    for g in [
        three_by_three([3, 40, 11, 13], 70),
        three_by_three([20, 18, 6, 6], 80),
        three_by_three([1, 3, 20, 20], 32),
        three_by_three([9, 64, 12, 12], 96),
        Conv2dGeometry::new([5, 8, 9, 9], [40, 4, 3, 3], [2, 2], [1, 1], [1, 1], 2).unwrap(),
    ] {
        let case = Case::floats(g, draw);
        for conv in [Algorithm::Direct, Algorithm::Winograd, Algorithm::Im2col] {
            same_bits_in_bf16(&format!("{conv} in bf16, {g:?}"), |simd| {
                case.fast(Context { simd, conv, precision: Bf16 }, true).concat()
            });
        }
    }
}

/// The statistics of a batch norm are those of y.
#[test]
fn statistics_are_those_of_the_output() {
    let draw = &mut Draw::new(34);
    let g = three_by_three([4, 16, 24, 24], 20);
    let case = Case::floats(g, draw);
    let x = swap_axes(case.input_shape(), &case.x);
    let bits = |precision| {
        let ctx = Context::default().in_precision(precision);
        let (mut y, mut mean, mut var) = (vec![0.0; g.output_len()], vec![0.0; 20], vec![0.0; 20]);
        let statistics = [&mut mean[..], &mut var[..]];
        conv2d::forward_statistics(ctx, &g, &x, &case.w, None, &mut y, statistics);
        let mut plain = vec![0.0; g.output_len()];
        conv2d::forward(ctx, &g, &x, &case.w, None, &mut plain);
        assert!(y == plain);
        let view = fer_kernels::ChannelView { outer: 4 * 24 * 24, channels: 20, inner: 1 };
        let (mut m, mut v) = (vec![0.0; 20], vec![0.0; 20]);
        fer_kernels::norm::batch_norm::statistics(ctx.simd, &view, &y, &mut m, &mut v);
        assert!([&mean, &var] == [&m, &v]);
        y
    };
    assert!(bits(Bf16) != bits(F32));
}
