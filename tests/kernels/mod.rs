//! Every fast kernel equals the naive one.
//!
//! On small integers all sums are exact in f32, so the results must be equal whatever the order
//! of the additions; on other numbers they stay within the rounding error of a sum. Each SIMD
//! level is forced in turn, and the bits must be the same for 1, 2, 3 and 8 threads.

mod batch_norm;
mod conv2d;
mod gemm;
mod pool;
mod reduce;
mod scale_add_relu;
mod softmax;

use fer::random::{Purpose, Rng};
use fer_kernels::arch::{self, Level};
use std::io::Write as _;
use std::sync::Mutex;

/// The forced level is a state of the process: one test at a time changes it.
static FORCING: Mutex<()> = Mutex::new(());

/// Runs `f` under each SIMD level of this CPU, and says which ones it lacks: not by `println!`, which
/// the test runner keeps to itself where a test passes.
pub fn at_each_level(f: impl Fn(Level)) {
    let _one = FORCING.lock().unwrap_or_else(|e| e.into_inner());
    for level in Level::ALL {
        match arch::set_level(Some(level)) {
            Ok(()) => f(level),
            Err(reason) => drop(writeln!(std::io::stderr(), "skipped: {reason}")),
        }
    }
    arch::set_level(None).unwrap();
}

/// Runs `f` in pools of 1, 2, 3 and 8 threads and compares all bits of what it returns.
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

/// Numbers for one test case.
struct Draw(Rng);

impl Draw {
    fn new(index: u64) -> Self {
        Self(Rng::new(7, Purpose::Test, 0, index))
    }
    /// One of lo..=hi.
    fn int(&mut self, lo: usize, hi: usize) -> usize {
        lo + self.0.below(hi - lo + 1)
    }
    /// An element of `from`.
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.int(0, from.len() - 1)]
    }
    /// Integers from −3 to 3.
    fn integers(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.int(0, 6) as f32 - 3.0).collect()
    }
    /// Numbers from −1 to 1.
    fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.0.uniform_in(-1.0, 1.0) as f32).collect()
    }
}

/// `[n, c, p]` to `[n, p, c]`; with c and p exchanged, the way back.
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

/// Σ aᵢ·bᵢ in double precision.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(&a, &b)| a as f64 * b as f64).sum()
}

/// |a − b| ≤ 2·eps·k everywhere: far above what rounding makes of a sum of k products of numbers up to
/// 1 of either sign.
fn assert_close(a: &[f32], b: &[f32], k: usize, what: &str) {
    let bound = 2.0 * f32::EPSILON * k as f32;
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!(
            (a - b).abs() <= bound,
            "{what}: element {i}: {a} and {b} differ by more than {bound}"
        );
    }
}
