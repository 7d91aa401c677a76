//! Products in bfloat16 against the naive ones.

use crate::kernels::*;
use fer_kernels::conv2d::{Algorithm, Epilogue, Prepared};
use fer_kernels::gemm::{self, PreparedMatrix};
use fer_kernels::{Context, Conv2dGeometry, GemmGeometry, Precision, Transpose, naive, on_team};

/// Returns the largest element of |a|·|b| by `product`, the unit of the bounds.
fn largest(product: impl Fn(&[f64], &[f64], &mut [f64]), a: &[f32], b: &[f32], len: usize) -> f64 {
    let magnitudes = |x: &[f32]| x.iter().map(|x| f64::from(x.abs())).collect::<Vec<_>>();
    let mut sums = vec![0.0; len];
    product(&magnitudes(a), &magnitudes(b), &mut sums);
    sums.into_iter().fold(0.0, f64::max)
}

fn doubles(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// Returns the prepared convolution of x in NHWC, its result in NCHW.
fn prepared(g: &Conv2dGeometry, [x, w, bias]: [&[f32]; 3], ctx: Context) -> Vec<f32> {
    let prepared = Prepared::with_precision(w.to_vec(), Precision::Bf16);
    let (mut y, epilogue) =
        (vec![7.0; g.output_len()], Epilogue { bias: Some(bias), ..Epilogue::default() });
    on_team(|| prepared.forward(ctx, g, x, epilogue, &mut y));
    let pixels = g.h_out * g.w_out;
    swap_axes([g.n, pixels, g.c_out], &y)
}

/// Algorithms that round the operands are within the error of a sum in f32, Winograd, which rounds
/// the transformed operands, within 0.02·S.
#[test]
fn convolutions_in_bf16_are_near_the_naive_ones() {
    let draw = &mut Draw::new(20);
    let ones = [1, 1];
    let layer = |input: [usize; 4], c_out, k, groups| {
        let weight = [c_out, input[1] / groups, k, k];
        Conv2dGeometry::new(input, weight, ones, [k / 2; 2], ones, groups).unwrap()
    };
    for g in [
        layer([1, 1, 9, 9], 16, 3, 1),
        layer([1, 16, 24, 24], 33, 3, 1),
        layer([1, 17, 12, 12], 20, 3, 1),
        layer([2, 64, 6, 6], 40, 3, 1),
        layer([1, 600, 6, 6], 32, 3, 1),
        layer([3, 20, 7, 5], 9, 1, 1),
        layer([1, 8, 6, 6], 8, 5, 2),
    ] {
        let [x, w, bias] = [g.input_len(), g.weight_len(), g.c_out].map(|len| draw.floats(len));
        let nchw = swap_axes([g.n, g.h_in * g.w_in, g.c_in], &x);
        let mut want = vec![0.0; g.output_len()];
        let [x64, w64, bias64] = [&nchw, &w, &bias].map(|x| doubles(x));
        naive::precision::conv2d_forward(Precision::Bf16, &g, &x64, &w64, Some(&bias64), &mut want);
        let product = |x: &[f64], w: &[f64], y: &mut [f64]| {
            naive::conv2d::forward(&g, x, w, None, y);
        };
        let unit = largest(product, &nchw, &w, want.len());
        for conv in [Algorithm::Auto, Algorithm::Direct, Algorithm::Im2col, Algorithm::Winograd] {
            let run =
                |simd| prepared(&g, [&x, &w, &bias], Context { simd, conv, ..Context::default() });
            let name =
                Prepared::new(w.clone()).plan_name(Context { conv, ..Context::default() }, &g);
            let bound = if name.starts_with("winograd") { 0.02 } else { 1e-5 };
            for (got, want) in run(SimdLevel::widest()).iter().zip(&want) {
                let error = (f64::from(*got) - want).abs() / unit;
                assert!(error <= bound, "{name}: {error:.1e} of {g:?}");
            }
            same_bits_in_bf16(&name, run);
        }
    }
}

/// The three products of a fully connected layer in a training: y = x·Wᵀ, ȳ·W and ȳᵀ·x.
#[test]
fn products_of_matrices_in_bf16_are_near_the_naive_ones() {
    let draw = &mut Draw::new(22);
    let (no, yes) = (Transpose::No, Transpose::Yes);
    for [m, n, k] in [[1, 1, 1], [2, 7, 300], [33, 65, 40], [64, 7, 513], [70, 130, 20]] {
        let [a, b, before] = [m * k, k * n, m * n].map(|len| draw.floats(len));
        for (trans_a, trans_b) in [(no, yes), (no, no), (yes, no)] {
            let g = GemmGeometry { m, n, k, trans_a, trans_b };
            for accumulate in [false, true] {
                let mut want = doubles(&before);
                let (a64, b64) = (doubles(&a), doubles(&b));
                naive::precision::gemm(Precision::Bf16, &g, &a64, &b64, &mut want, accumulate);
                let run = |simd| {
                    let (mut c, how) = (before.clone(), (simd, Precision::Bf16));
                    on_team(|| gemm::gemm_in(how, &g, &a, &b, &mut c, accumulate));
                    c
                };
                for (got, want) in run(SimdLevel::widest()).iter().zip(&want) {
                    let error = (f64::from(*got) - want).abs();
                    assert!(error <= 1e-6 * (k + 1) as f64, "{g:?}: {error:.1e}");
                }
                same_bits_in_bf16("matrix product", run);
            }
        }
    }
}

#[test]
fn fully_connected_layers_in_bf16_are_near_the_naive_product() {
    let draw = &mut Draw::new(21);
    let (trans_a, trans_b) = (Transpose::No, Transpose::No);
    for [k, n] in [[1, 1], [300, 7], [513, 64], [40, 65], [700, 130]] {
        let [w, bias, x] = [k * n, n, 5 * k].map(|len| draw.floats(len));
        let matrix = PreparedMatrix::with_precision(w.clone(), [k, n], Precision::Bf16);
        for m in [1, 2, 5] {
            let g = GemmGeometry { m, n, k, trans_a, trans_b };
            let x = &x[..m * k];
            let mut want = vec![0.0; m * n];
            let (a, b) = (doubles(x), doubles(&w));
            naive::precision::gemm(Precision::Bf16, &g, &a, &b, &mut want, false);
            let product =
                |a: &[f64], b: &[f64], c: &mut [f64]| naive::gemm::gemm(&g, a, b, c, false);
            let unit = largest(product, x, &w, m * n);
            let run = |simd| {
                let mut y = vec![7.0; m * n];
                on_team(|| matrix.forward(simd, x, &bias, false, &mut y));
                y
            };
            for (i, (got, want)) in run(SimdLevel::widest()).iter().zip(&want).enumerate() {
                let error = (f64::from(*got) - want - f64::from(bias[i % n])).abs();
                assert!(error <= 1e-5 * (unit + 1.0), "{m}×{k}×{n}: {error:.1e}");
            }
            same_bits_in_bf16("linear", run);
        }
    }
}
