use crate::kernels::*;
use fer_kernels::norm::{batch_norm, batch_norm_relu};
use fer_kernels::{ChannelView, Normalisation, Pool2dGeometry, naive};

/// Requires differences of at most `tolerance` times the largest element of `want`.
fn assert_near(want: &[f32], got: &[f32], tolerance: f32, what: &str) {
    let scale = want.iter().fold(1e-30f32, |m, v| m.max(v.abs()));
    for (i, (a, b)) in want.iter().zip(got).enumerate() {
        assert!((a - b).abs() <= tolerance * scale, "{what}: element {i}: {a} and {b}");
    }
}

fn views() -> Vec<ChannelView> {
    let mut views = vec![];
    for outer in [1, 2, 3, 4, 5, 255, 256, 257, 1030] {
        for channels in [1, 3, 7, 8, 9, 64, 65] {
            views.push(ChannelView { outer, channels, inner: 1 });
        }
    }
    views.push(ChannelView { outer: 3, channels: 5, inner: 7 });
    views
}

/// Returns x far from zero in some channels, where a formula E\[x²\] − E\[x\]² would lose the
/// variance.
fn inputs(v: &ChannelView, draw: &mut Draw) -> Vec<f32> {
    let mut x = draw.floats(v.len());
    for (i, x) in x.iter_mut().enumerate() {
        *x += [0.0, 3.0, 1000.0][i / v.inner % v.channels % 3];
    }
    x
}

#[test]
fn batch_norm_matches_naive() {
    let draw = &mut Draw::new(1);
    for v in views() {
        let what = format!("{v:?}");
        let c = v.channels;
        let (x, g) = (inputs(&v, draw), draw.floats(v.len()));
        let wide: Vec<f64> = x.iter().map(|&x| x.into()).collect();
        let (mut mean64, mut var64) = (vec![0.0; c], vec![0.0; c]);
        naive::batch_norm::statistics(&v, &wide, &mut mean64, &mut var64);
        let (mut mean, mut var) = (vec![0.0; c], vec![0.0; c]);
        batch_norm::statistics(SimdLevel::widest(), &v, &x, &mut mean, &mut var);
        for i in 0..c {
            assert!((mean[i] as f64 - mean64[i]).abs() <= 1e-6 * (1.0 + mean64[i].abs()), "{what}");
            let error = (var[i] as f64 - var64[i]).abs();
            // x itself carries 1000·eps in the far channels.
            assert!(error <= 3e-4 * var64[i] + 1e-6, "{what}: {} and {}", var[i], var64[i]);
        }
        let inv_std: Vec<f32> = var.iter().map(|v| 1.0 / (v + 1e-3).sqrt()).collect();
        let gamma = draw.floats(c);
        let (mut gg, mut gb) = (vec![0.0; c], vec![0.0; c]);
        let (mut fast_gg, mut fast_gb) = (gg.clone(), gb.clone());
        naive::batch_norm::backward_reduce(&v, &x, &g, &mean, &inv_std, &mut gg, &mut gb);
        batch_norm::backward_reduce(&v, &x, &g, &mean, &inv_std, &mut fast_gg, &mut fast_gb);
        assert_near(&gg, &fast_gg, 2e-5, &what);
        assert_near(&gb, &fast_gb, 2e-5, &what);
        let (mut gx, mut fast_gx) = (vec![0.0; v.len()], vec![0.0; v.len()]);
        naive::batch_norm::backward_input(&v, &x, &g, &mean, &inv_std, &gamma, &gg, &gb, &mut gx);
        batch_norm::backward_input(&v, &x, &g, &mean, &inv_std, &gamma, &gg, &gb, &mut fast_gx);
        assert_near(&gx, &fast_gx, 2e-6, &what);
        naive::batch_norm::channel_affine(&v, &x, &gamma, &mean, &mut gx);
        batch_norm::channel_affine(&v, &x, &gamma, &mean, &mut fast_gx);
        assert_eq!(gx, fast_gx, "{what}");
    }
}

/// A NaN or an infinity in x, or squares beyond the largest f32, give a variance that is not
/// finite, and do not change the other channels.
#[test]
fn statistics_hide_no_nan() {
    at_each_level(|simd| {
        let v = ChannelView { outer: 300, channels: 33, inner: 1 };
        for bad in [f32::NAN, f32::INFINITY, -2e20] {
            for row in [0, 1, 299] {
                let mut x = Draw::new(6).floats(v.len());
                x[row * v.channels + 5] = bad;
                let (mut mean, mut var) = (vec![0.0; v.channels], vec![0.0; v.channels]);
                batch_norm::statistics(simd, &v, &x, &mut mean, &mut var);
                for (c, &var) in var.iter().enumerate() {
                    let what = format!("{bad} in row {row}, channel {c}, {simd}: {var}");
                    assert!(var.is_finite() == (c != 5), "{what}");
                }
            }
        }
    });
}

#[test]
fn batch_norm_gradients_are_exact_on_integers() {
    let draw = &mut Draw::new(2);
    for v in views() {
        let c = v.channels;
        let (x, g) = (draw.integers(v.len()), draw.integers(v.len()));
        let (mean, inv_std) = (draw.integers(c), vec![0.5; c]);
        let (mut gg, mut gb) = (vec![0.0; c], vec![0.0; c]);
        let (mut fast_gg, mut fast_gb) = (gg.clone(), gb.clone());
        naive::batch_norm::backward_reduce(&v, &x, &g, &mean, &inv_std, &mut gg, &mut gb);
        batch_norm::backward_reduce(&v, &x, &g, &mean, &inv_std, &mut fast_gg, &mut fast_gb);
        assert_eq!((gg, gb), (fast_gg, fast_gb), "{v:?}");
    }
}

#[test]
fn batch_norm_gives_the_same_bits_for_any_threads_and_level() {
    let v = ChannelView { outer: 3000, channels: 33, inner: 1 };
    let draw = &mut Draw::new(3);
    let (x, g) = (draw.floats(v.len()), draw.floats(v.len()));
    same_bits_for_any_threads_and_level("batch norm", |simd| {
        let mut out = vec![0.0; 4 * v.channels];
        let (stats, sums) = out.split_at_mut(2 * v.channels);
        let (mean, var) = stats.split_at_mut(v.channels);
        let (gamma, beta) = sums.split_at_mut(v.channels);
        batch_norm::statistics(simd, &v, &x, mean, var);
        batch_norm::backward_reduce(&v, &x, &g, mean, var, gamma, beta);
        out
    });
}

fn pooled_geometries() -> Vec<Pool2dGeometry> {
    let mut all = vec![];
    for c in [1, 7, 8, 16, 17, 31, 32, 33, 64, 70] {
        for [h, w] in [[1, 1], [2, 2], [3, 5], [6, 6], [7, 40]] {
            for window in [1, 2] {
                if h >= window {
                    let pool = Pool2dGeometry::new([3, c, h, w], [window; 2], [window; 2], [0; 2]);
                    all.push(pool.unwrap());
                }
            }
        }
    }
    all
}

#[test]
fn batch_norm_relu_is_exact_on_integers() {
    at_each_level(batch_norm_relu_against_naive);
}

fn batch_norm_relu_against_naive(simd: SimdLevel) {
    let draw = &mut Draw::new(4);
    for g in pooled_geometries() {
        let (input, output) = ([g.n, g.c, g.h_in * g.w_in], [g.n, g.c, g.h_out * g.w_out]);
        let (x, gy) = (draw.integers(g.input_len()), draw.integers(g.output_len()));
        let (mean, gamma, beta) = (draw.integers(g.c), draw.integers(g.c), draw.integers(g.c));
        let inv_std = vec![0.5; g.c];
        let norm = Normalisation { mean: &mean, inv_std: &inv_std, gamma: &gamma, beta: &beta };
        let mut y = vec![0.0; g.output_len()];
        naive::batch_norm_relu::forward(&g, &norm, &x, &mut y);
        let (mut gg, mut gb) = (vec![0.0; g.c], vec![0.0; g.c]);
        naive::batch_norm_relu::backward_reduce(&g, &norm, &x, &gy, &mut gg, &mut gb);
        let (fast_x, fast_gy) = (swap_axes(input, &x), swap_axes(output, &gy));
        let mut fast_y = vec![9.0; g.output_len()];
        let (mut fast_gg, mut fast_gb) = (vec![9.0; g.c], vec![9.0; g.c]);
        batch_norm_relu::forward(simd, &g, &norm, &fast_x, &mut fast_y);
        assert_eq!(swap_axes(output, &y), fast_y, "{g:?}");
        batch_norm_relu::backward_reduce(
            simd, &g, &norm, &fast_x, &fast_gy, &mut fast_gg, &mut fast_gb,
        );
        assert_eq!((&gg, &gb), (&fast_gg, &fast_gb), "{g:?}");
        for sums in [None, Some([&gg[..], &gb[..]])] {
            let (mut gx, mut fast_gx) = (x.clone(), fast_x.clone());
            naive::batch_norm_relu::backward_input(&g, &norm, &mut gx, &gy, sums);
            batch_norm_relu::backward_input(simd, &g, &norm, &mut fast_gx, &fast_gy, sums);
            assert_near(&swap_axes(input, &gx), &fast_gx, 1e-6, &format!("{g:?}"));
        }
    }
}

#[test]
fn batch_norm_relu_propagates_nan() {
    at_each_level(nan_is_propagated);
}

fn nan_is_propagated(simd: SimdLevel) {
    let g = Pool2dGeometry::new([1, 16, 2, 2], [2; 2], [2; 2], [0; 2]).unwrap();
    let (zero, one) = (vec![0.0; 16], vec![1.0; 16]);
    let norm = Normalisation { mean: &zero, inv_std: &one, gamma: &one, beta: &zero };
    for place in 0..4 {
        let mut x = vec![5.0; 64];
        x[place * 16 + 3] = f32::NAN;
        let mut y = vec![0.0; 16];
        batch_norm_relu::forward(simd, &g, &norm, &x, &mut y);
        assert!(y[3].is_nan() && y[4] == 5.0, "{y:?}");
    }
}

#[test]
fn batch_norm_relu_gives_the_same_bits_for_any_threads_and_level() {
    let draw = &mut Draw::new(5);
    for window in [1, 2] {
        let g = Pool2dGeometry::new([5, 40, 23, 21], [window; 2], [window; 2], [0; 2]).unwrap();
        let (x, gy) = (draw.floats(g.input_len()), draw.floats(g.output_len()));
        let [mean, inv_std, gamma, beta] = [(); 4].map(|()| draw.floats(g.c));
        let norm = Normalisation { mean: &mean, inv_std: &inv_std, gamma: &gamma, beta: &beta };
        let run = |simd| {
            let (mut y, mut gx) = (vec![0.0; g.output_len()], x.clone());
            let (mut gg, mut gb) = (vec![0.0; g.c], vec![0.0; g.c]);
            batch_norm_relu::forward(simd, &g, &norm, &x, &mut y);
            batch_norm_relu::backward_reduce(simd, &g, &norm, &x, &gy, &mut gg, &mut gb);
            batch_norm_relu::backward_input(simd, &g, &norm, &mut gx, &gy, Some([&gg, &gb]));
            [y, gg, gb, gx].concat()
        };
        same_bits_for_any_threads_and_level(&format!("batch_norm_relu, window {window}"), run);
    }
}
