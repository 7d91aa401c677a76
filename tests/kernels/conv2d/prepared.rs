//! Prepared filters, as trained networks use them, against plain convolutions.

use crate::kernels::conv2d::*;
use fer_kernels::conv2d::{Epilogue, Pass, Prepared, plan_name};
use fer_kernels::gemm::PreparedMatrix;
use fer_kernels::{GemmGeometry, Transpose, gemm};

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
        plan_name(Context::default(), &g, Pass::Forward).starts_with("winograd")
            || g.n * g.h_out * g.w_out < 512
    );
    g
}

/// The convolution by the algorithm of prepared filters, which may differ from that of plain ones.
fn by_plan(
    prepared: &Prepared,
    ctx: Context,
    case: &Case,
    x: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let (g, mut y) = (&case.g, vec![7.0; case.gy.len()]);
    let size = match &prepared.plan_name(ctx, g)[..] {
        "winograd 2x2" => TileSize::Two,
        "winograd 3x3" => TileSize::Three,
        "winograd 4x4" => TileSize::Four,
        _ => {
            let ctx = Context { conv: Algorithm::Direct, ..ctx };
            conv2d::forward(ctx, g, x, &case.w, bias, &mut y);
            return y;
        }
    };
    winograd::forward((ctx.simd, Precision::F32), size, g, x, &case.w, bias, &mut y);
    y
}

/// For one image a smaller tile is faster, because the transformed filters must be read.
#[test]
fn few_pixels_get_smaller_tiles() {
    let name = |input: [usize; 4], c_out| {
        let g = three_by_three(input, c_out);
        Prepared::new(vec![0.0; g.weight_len()]).plan_name(Context::default(), &g)
    };
    assert_eq!(name([64, 128, 12, 12], 128), "winograd 4x4");
    assert_eq!(name([1, 128, 12, 12], 128), "winograd 3x3");
    assert_eq!(name([64, 512, 6, 6], 512), "winograd 3x3");
    assert_eq!(name([1, 512, 6, 6], 512), "winograd 2x2");
    assert_eq!(name([1, 512, 2, 2], 512), "direct");
    assert_eq!(name([1, 1, 48, 48], 64), "direct");
}

/// A fully connected layer has the bits of the product, alone and in a batch, on any threads.
#[test]
fn prepared_matrices_give_the_same_bits() {
    let draw = &mut Draw::new(12);
    for [k, n] in [[1, 1], [300, 7], [513, 64], [40, 65], [700, 200]] {
        let [w, bias, x] = [k * n, n, 5 * k].map(|len| draw.floats(len));
        let matrix = PreparedMatrix::new(w.clone(), [k, n]);
        at_each_level(|simd| {
            let (trans_a, trans_b) = (Transpose::No, Transpose::No);
            let g = GemmGeometry { m: 5, n, k, trans_a, trans_b };
            let mut want = vec![7.0; 5 * n];
            gemm::gemm(simd, &g, &x, &w, &mut want, false);
            want.chunks_mut(n).for_each(|y| y.iter_mut().zip(&bias).for_each(|(y, b)| *y += b));
            for (m, relu) in [(0, false), (1, false), (2, true), (3, false), (5, true)] {
                let mut got = vec![7.0; m * n];
                let run = || matrix.forward(simd, &x[..m * k], &bias, relu, &mut got);
                fer_kernels::on_team(run);
                let want = want.iter().map(|&y| if relu { y.max(0.0) } else { y });
                assert!(got.iter().copied().eq(want.take(m * n)), "{m}×{k}×{n}, {simd}");
            }
        });
    }
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
    geometries.extend((0..100).map(|_| random_geometry(draw)));
    geometries.extend((0..60).map(|_| pays_for_winograd(draw)));
    for g in geometries {
        let case = Case::floats(g, draw);
        let x = swap_axes(case.input_shape(), &case.x);
        // One `Prepared` for all levels that round alike; their panels differ in width.
        let prepared = [(); 2].map(|()| Prepared::new(case.w.clone()));
        at_each_level(|simd| {
            let prepared = &prepared[usize::from(simd.is_fused())];
            let ctx = Context { simd, ..Context::default() };
            for (bias, relu) in [(false, false), (true, false), (false, true), (true, true)] {
                let bias = bias.then_some(&case.bias[..]);
                let mut want = by_plan(prepared, ctx, &case, &x, bias);
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
