use crate::kernels::*;
use fer_kernels::reduce::{self, ReduceGeometry};

fn sum(r: &ReduceGeometry, x: &[f32]) -> Vec<f32> {
    let mut y = vec![9.0; r.outer * r.inner];
    reduce::sum(r, x, &mut y);
    y
}

/// Computes y\[o,i\] = Σ_r x\[o,r,i\] term by term in double precision.
fn naive_sum(r: &ReduceGeometry, x: &[f32]) -> Vec<f64> {
    let term = |o: usize, k: usize, i: usize| f64::from(x[(o * r.reduced + k) * r.inner + i]);
    let one = |o, i| (0..r.reduced).map(|k| term(o, k, i)).sum();
    (0..r.outer * r.inner).map(|at| one(at / r.inner, at % r.inner)).collect()
}

/// Sizes on both sides of a block and of a task.
#[test]
fn sum_is_exact_on_integers() {
    let draw = &mut Draw::new(1);
    for outer in [0, 1, 2, 5] {
        for reduced in [0, 1, 15, 16, 33, 5461, 5462, 16384, 16385, 40000] {
            for inner in [0, 1, 2, 3, 17] {
                let r = ReduceGeometry { outer, reduced, inner };
                let x = draw.integers(outer * reduced * inner);
                let got: Vec<f64> = sum(&r, &x).into_iter().map(f64::from).collect();
                assert!(got == naive_sum(&r, &x), "{r:?}");
            }
        }
    }
}

/// A single accumulator is off by 0.4 % here: each term is rounded to the last digit of a large
/// sum.
#[test]
fn long_sums_keep_their_small_terms() {
    const LONG: usize = 1 << 19;
    for [outer, inner] in [[1, 1], [2, 1], [1, 3], [2, 3]] {
        let r = ReduceGeometry { outer, reduced: LONG, inner };
        let want = f64::from(0.1f32) * LONG as f64;
        for y in sum(&r, &vec![0.1; outer * LONG * inner]) {
            let error = (f64::from(y) - want).abs() / want;
            assert!(error < 1e-4, "{r:?}: {y}, expected {want}: off by {error:.1e}");
        }
    }
}

#[test]
fn sum_gives_the_same_bits_for_any_threads() {
    let draw = &mut Draw::new(2);
    for r in [[1, 100_000, 1], [3, 50_000, 1], [3, 20_000, 5], [900, 70, 3]] {
        let r = ReduceGeometry { outer: r[0], reduced: r[1], inner: r[2] };
        let x = draw.floats(r.outer * r.reduced * r.inner);
        same_bits_for_any_threads("sum", || sum(&r, &x));
    }
}

/// ReduceGeometry on both sides of what is added up without blocks.
#[test]
fn a_run_has_the_same_bits_alone_and_among_others() {
    let draw = &mut Draw::new(3);
    for (reduced, inner) in [(2304, 32), (4096, 17), (4097, 17), (40_000, 3), (40_000, 1)] {
        let all = ReduceGeometry { outer: 3, reduced, inner };
        let x = draw.floats(all.outer * reduced * inner);
        let alone = x.chunks(reduced * inner).map(|x| sum(&ReduceGeometry { outer: 1, ..all }, x));
        assert!(sum(&all, &x) == alone.collect::<Vec<_>>().concat(), "{all:?}");
    }
}
