//! Every fast kernel against the naive one.
//!
//! On small integers all sums are exact in f32, so the results must be equal in any order of
//! additions. On other numbers they stay within the rounding error of a sum. Tests run at each SIMD
//! level of the CPU, and the bits must be the same for 1, 2, 3 and 8 threads and for all levels with
//! fused multiply-add.

mod batch_norm;
mod bf16;
mod conv2d;
mod gemm;
mod pool;
mod reduce;
mod scale_add_relu;

use fer::random::{Purpose, Rng};
use fer_kernels::SimdLevel;
use std::io::Write as _;

/// Calls `f` with each SIMD level of this CPU but `amx`, which in f32 is `avx512`.
fn at_each_level(f: impl Fn(SimdLevel)) {
    at_levels(&SimdLevel::NAMES[1..], f);
}

/// Calls `f` with each SIMD level of this CPU, for products in bfloat16.
fn at_each_level_in_bf16(f: impl Fn(SimdLevel)) {
    at_levels(&SimdLevel::NAMES, f);
}

/// Calls `f` with the levels, and reports those that this CPU lacks: not by `println!`, whose output the
/// test runner hides where a test passes.
fn at_levels(names: &[&str], f: impl Fn(SimdLevel)) {
    for name in names {
        match name.parse() {
            Ok(simd) => f(simd),
            Err(reason) => drop(writeln!(std::io::stderr(), "skipped: {reason}")),
        }
    }
}

/// Requires the same bits from `f` for any number of threads, and at every SIMD level that rounds as
/// the widest does.
fn same_bits_for_any_threads_and_level(what: &str, f: impl Fn(SimdLevel) -> Vec<f32> + Sync) {
    same_bits_at_levels(what, SimdLevel::is_fused, f);
}

/// Requires the same of `f` in bfloat16, where tile registers add in another order.
fn same_bits_in_bf16(what: &str, f: impl Fn(SimdLevel) -> Vec<f32> + Sync) {
    same_bits_at_levels(what, |simd| (simd.is_fused(), simd.has_tiles()), f);
}

/// Requires the same bits from `f` for any number of threads, and at all levels of one `kind`.
fn same_bits_at_levels<K: PartialEq>(
    what: &str,
    kind: impl Fn(SimdLevel) -> K,
    f: impl Fn(SimdLevel) -> Vec<f32> + Sync,
) {
    let mut first: Vec<(K, Vec<f32>)> = Vec::new();
    for simd in SimdLevel::available() {
        same_bits_for_any_threads(what, || f(simd));
        let bits = f(simd);
        match first.iter().find(|(k, _)| *k == kind(simd)) {
            Some((_, first)) => assert!(*first == bits, "{what}: {simd} gives other bits"),
            None => first.push((kind(simd), bits)),
        }
    }
}

/// Requires the same bits from `f` in pools of 1, 2, 3 and 8 threads.
fn same_bits_for_any_threads(what: &str, f: impl Fn() -> Vec<f32> + Sync) {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(&f).iter().map(|v| v.to_bits()).collect::<Vec<_>>()
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert!(one == run(threads), "{what}: {threads} threads change the result");
    }
}

/// Random numbers for a test.
struct Draw(Rng);

impl Draw {
    fn new(index: u64) -> Self {
        Self(Rng::new(7, Purpose::Test, 0, index))
    }
    /// Returns one of lo..=hi.
    fn int(&mut self, lo: usize, hi: usize) -> usize {
        lo + self.0.below(hi - lo + 1)
    }
    /// Returns an element of `from`.
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.int(0, from.len() - 1)]
    }
    /// Returns integers from −3 to 3.
    fn integers(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.int(0, 6) as f32 - 3.0).collect()
    }
    /// Returns numbers from −1 to 1.
    fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.0.uniform_in(-1.0, 1.0) as f32).collect()
    }
}

/// Copies `[n, c, p]` to `[n, p, c]`; with c and p exchanged it is the inverse.
fn swap_axes<T: Copy + Default>([n, c, p]: [usize; 3], x: &[T]) -> Vec<T> {
    let mut y = vec![T::default(); x.len()];
    for n in 0..n {
        for c_ in 0..c {
            for p_ in 0..p {
                y[(n * p + p_) * c + c_] = x[(n * c + c_) * p + p_];
            }
        }
    }
    y
}

/// Requires |a − b| ≤ 2·eps·k everywhere: far above the rounding error of a sum of k products of
/// numbers from −1 to 1.
fn assert_close(a: &[f32], b: &[f32], k: usize, what: &str) {
    let bound = 2.0 * f32::EPSILON * k as f32;
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!(
            (a - b).abs() <= bound,
            "{what}: element {i}: {a} and {b} differ by more than {bound}"
        );
    }
}
