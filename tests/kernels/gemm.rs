use crate::kernels::*;
use fer_kernels::{GemmGeometry, Transpose, gemm, naive};

const TRANSPOSES: [Transpose; 2] = [Transpose::No, Transpose::Yes];

/// Requires one product to equal the naive one, on integers.
fn check(simd: SimdLevel, g: GemmGeometry, accumulate: bool, draw: &mut Draw) {
    let (a, b) = (draw.integers(g.m * g.k), draw.integers(g.k * g.n));
    let start = draw.integers(g.m * g.n);
    let (mut want, mut got) = (start.clone(), start);
    naive::gemm::gemm(&g, &a, &b, &mut want, accumulate);
    gemm::gemm(simd, &g, &a, &b, &mut got, accumulate);
    assert_eq!(want, got, "{g:?}, accumulate {accumulate}, {simd}");
}

#[test]
fn gemm_matches_naive() {
    // 0, 1, and one below, at and above: the lanes, the tiles (6, 12 × 16, 32) and KC = 256.
    let sizes = [0, 1, 2, 5, 6, 7, 11, 12, 13, 15, 16, 17, 31, 32, 33, 65];
    let depths = [0, 1, 3, 8, 17, 64, 255, 256, 257, 300];
    at_each_level(|simd| {
        let draw = &mut Draw::new(1);
        for m in sizes {
            for n in sizes {
                let (k, trans_a, trans_b) =
                    (draw.pick(&depths), draw.pick(&TRANSPOSES), draw.pick(&TRANSPOSES));
                check(simd, GemmGeometry { m, n, k, trans_a, trans_b }, draw.int(0, 1) == 1, draw);
            }
        }
    });
}

#[test]
fn gemm_matches_naive_on_several_tasks_and_blocks() {
    at_each_level(|simd| {
        let draw = &mut Draw::new(2);
        for [m, n, k] in [[128, 576, 288], [64, 256, 700], [3100, 5, 9], [3, 4200, 13]] {
            for trans_a in TRANSPOSES {
                for trans_b in TRANSPOSES {
                    let accumulate = draw.int(0, 1) == 1;
                    check(simd, GemmGeometry { m, n, k, trans_a, trans_b }, accumulate, draw);
                }
            }
        }
    });
}

/// k and m so large that A is packed in several blocks: loops 5 and 4 run twice.
#[test]
fn gemm_matches_naive_on_several_packed_blocks() {
    let draw = &mut Draw::new(5);
    for trans in TRANSPOSES {
        let g = GemmGeometry { m: 1030, n: 33, k: 2400, trans_a: trans, trans_b: trans };
        let (a, b) = (draw.integers(g.m * g.k), draw.integers(g.k * g.n));
        let start = draw.integers(g.m * g.n);
        for accumulate in [false, true] {
            let mut want = start.clone();
            naive::gemm::gemm(&g, &a, &b, &mut want, accumulate);
            at_each_level(|simd| {
                let mut got = start.clone();
                gemm::gemm(simd, &g, &a, &b, &mut got, accumulate);
                assert!(want == got, "{g:?}, accumulate {accumulate}, {simd}");
            });
        }
    }
}

/// The result for an image does not depend on the others in its batch, although one or two rows are
/// multiplied by another function, and many rows have shorter packed blocks than few.
#[test]
fn rows_have_the_same_bits_alone_and_among_others() {
    let draw = &mut Draw::new(6);
    for trans_b in TRANSPOSES {
        let all = GemmGeometry { m: 1030, n: 50, k: 2400, trans_a: Transpose::No, trans_b };
        let (a, b) = (draw.floats(all.m * all.k), draw.floats(all.k * all.n));
        let product = |simd, m: usize| {
            let mut c = vec![0.0; m * all.n];
            gemm::gemm(simd, &GemmGeometry { m, ..all }, &a[..m * all.k], &b, &mut c, false);
            c
        };
        at_each_level(|simd| {
            let among_others = product(simd, all.m);
            for m in [1, 2, 3, 13] {
                let alone = product(simd, m);
                assert!(alone == among_others[..m * all.n], "{m} rows, {trans_b:?}, {simd}");
            }
        });
    }
}

#[test]
fn gemm_is_within_the_rounding_bound() {
    let draw = &mut Draw::new(3);
    for [m, n, k] in [[30, 40, 50], [65, 33, 1000], [1, 7, 4608]] {
        let g = GemmGeometry { m, n, k, trans_a: Transpose::No, trans_b: Transpose::Yes };
        let (a, b) = (draw.floats(m * k), draw.floats(k * n));
        let (mut want, mut got) = (vec![0.0; m * n], vec![0.0; m * n]);
        naive::gemm::gemm(&g, &a, &b, &mut want, false);
        gemm::gemm(SimdLevel::widest(), &g, &a, &b, &mut got, false);
        assert_close(&want, &got, k, "gemm");
    }
}

#[test]
fn gemm_gives_the_same_bits_for_any_threads_and_level() {
    let g =
        GemmGeometry { m: 250, n: 333, k: 600, trans_a: Transpose::Yes, trans_b: Transpose::No };
    let draw = &mut Draw::new(4);
    let (a, b) = (draw.floats(g.m * g.k), draw.floats(g.k * g.n));
    same_bits_for_any_threads_and_level("gemm", |simd| {
        let mut c = vec![0.0; g.m * g.n];
        gemm::gemm(simd, &g, &a, &b, &mut c, false);
        c
    });
}
