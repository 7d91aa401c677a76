use super::*;
use fer_kernels::{ChannelView, batch_norm, naive};

/// Relative to the largest element of `want`.
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

/// x far from zero in some channels: a formula E\[x²\] − E\[x\]² would lose the variance there.
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
        batch_norm::statistics(&v, &x, &mut mean, &mut var);
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
fn batch_norm_gives_the_same_bits_for_any_threads() {
    let v = ChannelView { outer: 3000, channels: 33, inner: 1 };
    let draw = &mut Draw::new(3);
    let (x, g) = (draw.floats(v.len()), draw.floats(v.len()));
    same_bits_for_any_threads("batch norm", || {
        let mut out = vec![0.0; 4 * v.channels];
        let (stats, sums) = out.split_at_mut(2 * v.channels);
        let (mean, var) = stats.split_at_mut(v.channels);
        let (gamma, beta) = sums.split_at_mut(v.channels);
        batch_norm::statistics(&v, &x, mean, var);
        batch_norm::backward_reduce(&v, &x, &g, mean, var, gamma, beta);
        out
    });
}
