mod bf16;
mod prepared;
mod refusals;
mod statistics;

use crate::kernels::*;
use fer_kernels::conv2d::winograd::{self, TileSize};
use fer_kernels::conv2d::{self, Algorithm};
use fer_kernels::{Context, Conv2dGeometry, Precision, ladder, naive};

/// The operands of one convolution in NCHW.
struct Case {
    g: Conv2dGeometry,
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
    gy: Vec<f32>,
}

impl Case {
    fn integers(g: Conv2dGeometry, draw: &mut Draw) -> Self {
        let mut part = |len| draw.integers(len);
        let (x, w) = (part(g.input_len()), part(g.weight_len()));
        Self { x, w, bias: part(g.c_out), gy: part(g.output_len()), g }
    }
    fn floats(g: Conv2dGeometry, draw: &mut Draw) -> Self {
        let mut part = |len| draw.floats(len);
        let (x, w) = (part(g.input_len()), part(g.weight_len()));
        Self { x, w, bias: part(g.c_out), gy: part(g.output_len()), g }
    }
    /// Returns the absolute values of the operands.
    fn magnitudes(&self) -> Self {
        let part = |x: &[f32]| x.iter().map(|v| v.abs()).collect::<Vec<_>>();
        let (x, w) = (part(&self.x), part(&self.w));
        Self { g: self.g, x, w, bias: part(&self.bias), gy: part(&self.gy) }
    }
    fn input_shape(&self) -> [usize; 3] {
        [self.g.n, self.g.c_in, self.g.h_in * self.g.w_in]
    }
    fn output_shape(&self) -> [usize; 3] {
        [self.g.n, self.g.c_out, self.g.h_out * self.g.w_out]
    }
    /// Returns \[y, grad_input, grad_weight\] in NHWC by the naive kernels.
    fn naive(&self, bias: bool) -> [Vec<f32>; 3] {
        let mut y = vec![7.0; self.gy.len()];
        let mut gx = vec![7.0; self.x.len()];
        let mut gw = vec![7.0; self.w.len()];
        let bias = bias.then_some(&self.bias[..]);
        naive::conv2d::forward(&self.g, &self.x, &self.w, bias, &mut y);
        naive::conv2d::backward_input(&self.g, &self.gy, &self.w, &mut gx);
        naive::conv2d::backward_weight(&self.g, &self.x, &self.gy, &mut gw);
        [swap_axes(self.output_shape(), &y), swap_axes(self.input_shape(), &gx), gw]
    }
    /// Returns the same without bias in double precision.
    fn naive_f64(&self) -> [Vec<f64>; 3] {
        let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let (x, w, gy) = (wide(&self.x), wide(&self.w), wide(&self.gy));
        let (mut y, mut gx, mut gw) = (vec![0.0; gy.len()], vec![0.0; x.len()], vec![0.0; w.len()]);
        naive::conv2d::forward(&self.g, &x, &w, None, &mut y);
        naive::conv2d::backward_input(&self.g, &gy, &w, &mut gx);
        naive::conv2d::backward_weight(&self.g, &x, &gy, &mut gw);
        [swap_axes(self.output_shape(), &y), swap_axes(self.input_shape(), &gx), gw]
    }
    /// Returns the same by the fast kernels.
    fn fast(&self, ctx: Context, bias: bool) -> [Vec<f32>; 3] {
        let bias = bias.then_some(&self.bias[..]);
        self.by(
            |x, y| conv2d::forward(ctx, &self.g, x, &self.w, bias, y),
            |gy, gx| conv2d::backward_input(ctx, &self.g, gy, &self.w, gx),
            |x, gy, gw| conv2d::backward_weight(ctx, &self.g, x, gy, gw),
        )
    }
    /// Returns the same by Winograd with tiles of this size.
    fn winograd(&self, simd: SimdLevel, size: TileSize, bias: bool) -> [Vec<f32>; 3] {
        let bias = bias.then_some(&self.bias[..]);
        self.by(
            |x, y| winograd::forward((simd, Precision::F32), size, &self.g, x, &self.w, bias, y),
            |gy, gx| {
                winograd::backward_input((simd, Precision::F32), size, &self.g, gy, &self.w, gx)
            },
            |x, gy, gw| winograd::backward_weight((simd, Precision::F32), size, &self.g, x, gy, gw),
        )
    }
    fn by(
        &self,
        forward: impl Fn(&[f32], &mut [f32]),
        backward_input: impl Fn(&[f32], &mut [f32]),
        backward_weight: impl Fn(&[f32], &[f32], &mut [f32]),
    ) -> [Vec<f32>; 3] {
        let (x, gy) =
            (swap_axes(self.input_shape(), &self.x), swap_axes(self.output_shape(), &self.gy));
        let mut y = vec![7.0; gy.len()];
        let mut gx = vec![7.0; x.len()];
        let mut gw = vec![7.0; self.w.len()];
        forward(&x, &mut y);
        backward_input(&gy, &mut gx);
        backward_weight(&x, &gy, &mut gw);
        [y, gx, gw]
    }
    fn assert_equal(&self, want: &[Vec<f32>; 3], got: &[Vec<f32>; 3], by: &str) {
        for (k, pass) in PASSES.iter().enumerate() {
            assert!(want[k] == got[k], "{pass} by {by}, {:?}", self.g);
        }
    }
    /// Requires direct and im2col products to be exact.
    fn assert_exact(&self, simd: SimdLevel, bias: bool) {
        let want = self.naive(bias);
        for conv in [Algorithm::Direct, Algorithm::Im2col] {
            let got = self.fast(Context { simd, conv, ..Context::default() }, bias);
            self.assert_equal(&want, &got, &format!("{conv}, {simd}"));
        }
    }
    /// Returns the number of terms of a sum in each of the three passes.
    fn terms(&self) -> [usize; 3] {
        let (g, taps) = (&self.g, self.g.k_h * self.g.k_w);
        [g.c_in / g.groups * taps + 1, g.c_out * taps, g.n * g.h_out * g.w_out]
    }
}

const PASSES: [&str; 3] = ["forward", "backward_input", "backward_weight"];

/// Returns a convolution with any stride, padding, dilation, groups and size.
fn random_geometry(draw: &mut Draw) -> Conv2dGeometry {
    loop {
        let groups = draw.pick(&[1, 1, 1, 2, 3]);
        // No channels once in twenty.
        let channels = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33];
        let mut channel = || {
            let none = draw.int(0, 19) == 0;
            channels[draw.int(usize::from(!none), 14)]
        };
        let (c, o) = (channel(), channel());
        let kernel = [draw.int(1, 4), draw.int(1, 4)];
        let input = [draw.pick(&[0, 1, 1, 2, 3]), c * groups, draw.int(0, 9), draw.int(0, 14)];
        let stride = [draw.pick(&[1, 1, 2, 3, 5]), draw.pick(&[1, 1, 2, 3, 5])];
        let padding = [draw.int(0, 4), draw.int(0, 4)];
        let dilation = [draw.int(1, 2), draw.int(1, 2)];
        let weight = [o * groups, c, kernel[0], kernel[1]];
        if let Ok(g) = Conv2dGeometry::new(input, weight, stride, padding, dilation, groups)
            && g.macs() < 300_000
        {
            return g;
        }
    }
}

/// Returns a convolution for Winograd: 3×3, stride 1, padding up to 2.
fn winograd_geometry(draw: &mut Draw) -> Conv2dGeometry {
    loop {
        let input = [draw.int(1, 4), draw.int(1, 40), draw.int(1, 13), draw.int(1, 13)];
        let weight = [draw.int(1, 40), input[1], 3, 3];
        let padding = [draw.int(0, 2), draw.int(0, 2)];
        if let Ok(g) = Conv2dGeometry::new(input, weight, [1, 1], padding, [1, 1], 1) {
            return g;
        }
    }
}

fn three_by_three(input: [usize; 4], c_out: usize) -> Conv2dGeometry {
    let weight = [c_out, input[1], 3, 3];
    Conv2dGeometry::new(input, weight, [1, 1], [1, 1], [1, 1], 1).unwrap()
}

#[test]
fn conv2d_matches_naive() {
    at_each_level(|simd| {
        let draw = &mut Draw::new(1);
        for _ in 0..2000 {
            let case = Case::integers(random_geometry(draw), draw);
            case.assert_exact(simd, draw.int(0, 1) == 1);
        }
    });
}

/// A stride larger than the image leaves one window, even the largest stride.
#[test]
fn conv2d_takes_any_stride() {
    at_each_level(|simd| {
        let draw = &mut Draw::new(10);
        for stride in [[usize::MAX, 1], [1, usize::MAX], [usize::MAX; 2]] {
            for padding in [[0, 0], [1, 2]] {
                let (input, weight) = ([2, 6, 5, 4], [4, 3, 3, 2]);
                let g = Conv2dGeometry::new(input, weight, stride, padding, [1, 1], 2).unwrap();
                Case::integers(g, draw).assert_exact(simd, true);
            }
        }
    });
}

/// F(2×2, 3×3) divides by 4 only, so on small integers it is exact, too.
#[test]
fn winograd_with_tiles_of_two_matches_naive() {
    at_each_level(|simd| {
        let draw = &mut Draw::new(2);
        // Several ranges of images, of input channels and of output channels.
        let large = three_by_three([3, 70, 6, 6], 80);
        for k in 0..300 {
            let g = if k == 0 { large } else { winograd_geometry(draw) };
            let case = Case::integers(g, draw);
            let (want, got) = (case.naive(true), case.winograd(simd, TileSize::Two, true));
            case.assert_equal(&want, &got, &format!("winograd, {simd}"));
        }
    });
}

/// The bound of [`fer_kernels::conv2d::winograd`]: 10⁻⁵ (3·10⁻⁶ for tiles of two) of the largest
/// Σ|x·w|, for numbers of both signs and, as after ReLU, of one sign.
#[test]
fn winograd_is_within_its_bound_of_double_precision() {
    at_each_level(|simd| {
        let draw = &mut Draw::new(8);
        for k in 0..120 {
            let g = match k {
                0 => three_by_three([1, 256, 12, 12], 32),
                1 => three_by_three([4, 16, 48, 48], 16),
                _ => winograd_geometry(draw),
            };
            let mut case = Case::floats(g, draw);
            if k % 2 == 1 {
                case = case.magnitudes();
            }
            let (want, sums) = (case.naive_f64(), case.magnitudes().naive_f64());
            for (size, bound) in
                [(TileSize::Two, 3e-6), (TileSize::Three, 1e-5), (TileSize::Four, 1e-5)]
            {
                let got = case.winograd(simd, size, false);
                for k in 0..3 {
                    let bound = bound * sums[k].iter().copied().fold(0.0, f64::max);
                    for (&want, &got) in want[k].iter().zip(&got[k]) {
                        let error = (want - f64::from(got)).abs();
                        assert!(error <= bound, "{} {size:?} {:?}: {error:e}", PASSES[k], case.g);
                    }
                }
            }
        }
    });
}

/// The layers of `tiny` and `vgg` with one or two images, and a depth above KC.
#[test]
fn conv2d_matches_naive_on_the_layers_of_our_networks() {
    let layers = [
        [2, 1, 48, 64],
        [1, 64, 48, 64],
        [1, 64, 24, 128],
        [1, 128, 12, 256],
        [2, 300, 6, 40],
        [1, 512, 6, 64],
    ];
    at_each_level(|simd| {
        let draw = &mut Draw::new(3);
        for [n, c, size, o] in layers {
            if simd != SimdLevel::widest() && c * size > 2000 {
                let _ = writeln!(std::io::stderr(), "skipped: layer {c}@{size} on {simd}");
                continue;
            }
            Case::integers(three_by_three([n, c, size, size], o), draw).assert_exact(simd, true);
        }
    });
}

#[test]
fn conv2d_is_within_the_rounding_bound() {
    let draw = &mut Draw::new(4);
    for _ in 0..40 {
        let case = Case::floats(random_geometry(draw), draw);
        let want = case.naive(true);
        for conv in [Algorithm::Direct, Algorithm::Im2col] {
            let got = case.fast(Context { conv, ..Context::default() }, true);
            for k in 0..3 {
                assert_close(&want[k], &got[k], case.terms()[k], &format!("{:?}", case.g));
            }
        }
    }
}

#[test]
fn conv2d_gives_the_same_bits_for_any_threads_and_level() {
    let draw = &mut Draw::new(5);
    for g in [
        three_by_three([3, 40, 11, 13], 70),
        three_by_three([20, 17, 6, 6], 80),
        three_by_three([1, 3, 20, 20], 32),
        Conv2dGeometry::new([5, 6, 9, 9], [40, 3, 3, 3], [2, 2], [1, 1], [1, 1], 2).unwrap(),
    ] {
        let case = Case::floats(g, draw);
        for conv in [Algorithm::Direct, Algorithm::Winograd, Algorithm::Im2col] {
            same_bits_for_any_threads_and_level(&format!("{conv}, {g:?}"), |simd| {
                case.fast(Context { simd, conv, ..Context::default() }, true).concat()
            });
        }
    }
}

/// Every rung of the ladder computes the same convolution.
#[test]
fn ladder_matches_naive() {
    let draw = &mut Draw::new(9);
    for _ in 0..30 {
        let mut g = random_geometry(draw);
        while g.groups > 1 {
            g = random_geometry(draw);
        }
        let case = Case::integers(g, draw);
        let x = swap_axes(case.input_shape(), &case.x);
        let [want, ..] = case.naive(false);
        for rung in ladder::LADDER {
            let mut y = vec![7.0; want.len()];
            (rung.run)(&g, &x, &case.w, &mut y);
            for (a, b) in want.iter().zip(&y) {
                // Winograd's tiles of four round.
                assert!((a - b).abs() < 0.01, "{}: {a} and {b}, {g:?}", rung.name);
            }
        }
    }
}

#[test]
fn winograd_counts_the_products_of_its_tiles() {
    for (side, size, tiles_times_products) in [
        (48, TileSize::Four, 144 * 36),
        (18, TileSize::Three, 36 * 25), // as many as 25 tiles of 36, with the smaller error
        (6, TileSize::Three, 4 * 25),
        (5, TileSize::Three, 4 * 25),
        (4, TileSize::Four, 36),
        (2, TileSize::Two, 16),
        (1, TileSize::Two, 16),
    ] {
        let g = three_by_three([2, 3, side, side], 5);
        assert_eq!(winograd::tile_size(&g), size, "{side}");
        assert_eq!(winograd::macs(size, &g), 2 * 3 * 5 * tiles_times_products, "{side}");
        let [.., rung] = &ladder::LADDER;
        assert_eq!(rung.macs(&g), winograd::macs(size, &g));
        assert_eq!(ladder::LADDER[0].macs(&g), g.macs());
    }
    let g = three_by_three([1, 2, 4, 4], 3);
    let [naive, im2col] = [0, 1].map(|i| ladder::LADDER[i].bytes(&g));
    assert_eq!(naive, 4 * (2 * 16 + 3 * 2 * 9 + 3 * 16));
    assert_eq!(im2col - naive, 2 * 4 * 16 * 9 * 2); // the matrix is written and read
}
