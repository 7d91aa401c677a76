//! `fer`'s matrix product beside those of the crates `gemm` and `faer`, in turns.
//!
//! One line of JSON, GFLOP/s of each, for each request read from standard input:
//! `M N K TRANSPOSED THREADS`, TRANSPOSED one of `nn`, `nt`, `tn`, `tt` (A, B).

use fer_kernels::{GemmGeometry, Transpose};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::BTreeMap;
use std::io::BufRead;
use std::time::Instant;

/// Products of each library in one request; the median counts.
const TURNS: usize = 5;

/// A matrix product as it is asked for.
struct Product {
    m: usize,
    n: usize,
    k: usize,
    trans_a: bool,
    trans_b: bool,
    threads: usize,
}

impl Product {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [m, n, k, trans, threads] = words[..] else { return None };
        let (m, n, k) = (m.parse().ok()?, n.parse().ok()?, k.parse().ok()?);
        let trans_a = trans.starts_with('t');
        Some(Self {
            m,
            n,
            k,
            trans_a,
            trans_b: trans.ends_with('t'),
            threads: threads.parse().ok()?,
        })
    }

    /// (row stride, column stride) of op(A) and op(B) as they are stored.
    fn strides(&self) -> [(isize, isize); 2] {
        let strides = |transposed: bool, rows: usize, cols: usize| match transposed {
            true => (1, rows as isize),
            false => (cols as isize, 1),
        };
        [strides(self.trans_a, self.m, self.k), strides(self.trans_b, self.k, self.n)]
    }
}

fn fer(p: &Product, a: &[f32], b: &[f32], c: &mut [f32]) {
    let trans = |t: bool| if t { Transpose::Yes } else { Transpose::No };
    let (trans_a, trans_b) = (trans(p.trans_a), trans(p.trans_b));
    let g = GemmGeometry { m: p.m, n: p.n, k: p.k, trans_a, trans_b };
    fer_kernels::gemm::gemm(&g, a, b, c, false);
}

fn gemm(p: &Product, a: &[f32], b: &[f32], c: &mut [f32]) {
    assert!(a.len() == p.m * p.k && b.len() == p.k * p.n && c.len() == p.m * p.n);
    let [(a_row, a_col), (b_row, b_col)] = p.strides();
    let (m, n, k) = (p.m, p.n, p.k);
    // SAFETY: by the assertion and `strides`, every element addressed lies in its slice, and `c`
    // is borrowed uniquely.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            n as isize,
            false,
            a.as_ptr(),
            a_col,
            a_row,
            b.as_ptr(),
            b_col,
            b_row,
            0.0,
            1.0,
            false,
            false,
            false,
            match p.threads {
                1 => gemm::Parallelism::None,
                threads => gemm::Parallelism::Rayon(threads),
            },
        );
    }
}

fn faer(p: &Product, a: &[f32], b: &[f32], c: &mut [f32]) {
    use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
    let matrix = |data, rows, cols, transposed| match transposed {
        true => MatRef::from_row_major_slice(data, cols, rows).transpose(),
        false => MatRef::from_row_major_slice(data, rows, cols),
    };
    let (lhs, rhs) = (matrix(a, p.m, p.k, p.trans_a), matrix(b, p.k, p.n, p.trans_b));
    let par = if p.threads == 1 { Par::Seq } else { Par::rayon(p.threads) };
    matmul(MatMut::from_row_major_slice_mut(c, p.m, p.n), Accum::Replace, lhs, rhs, 1.0, par);
}

type Library = fn(&Product, &[f32], &[f32], &mut [f32]);
const LIBRARIES: [(&str, Library); 3] = [("fer", fer), ("gemm", gemm), ("faer", faer)];

/// GFLOP/s of each library.
fn measure(p: &Product, pool: &ThreadPool) -> BTreeMap<&'static str, f64> {
    let numbers = |len: usize| (0..len).map(|i| (i % 17) as f32 - 8.0).collect::<Vec<_>>();
    let (a, b, mut c) = (numbers(p.m * p.k), numbers(p.k * p.n), vec![0.0; p.m * p.n]);
    let flop = 2.0 * (p.m * p.n * p.k) as f64;
    // Small products are repeated, so that a turn lasts some milliseconds.
    let repeats = (1e9 / flop).ceil() as usize;
    let mut times = LIBRARIES.map(|_| Vec::new());
    let mut expected = None;
    for turn in 0..=TURNS {
        for ((name, library), times) in LIBRARIES.iter().zip(&mut times) {
            let begun = Instant::now();
            pool.install(|| (0..repeats).for_each(|_| library(p, &a, &b, &mut c)));
            let seconds = begun.elapsed().as_secs_f64() / repeats as f64;
            if turn > 0 {
                times.push(seconds);
                continue;
            }
            let sum: f64 = c.iter().map(|&v| f64::from(v)).sum();
            let first = *expected.get_or_insert(sum);
            assert!((sum - first).abs() <= 1e-3 * first.abs().max(1e3), "{name} disagrees");
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    LIBRARIES.iter().zip(&mut times).map(|(l, t)| (l.0, flop / median(t) / 1e9)).collect()
}

fn main() {
    let mut pools: BTreeMap<usize, ThreadPool> = BTreeMap::new();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let Some(product) = Product::parse(&line) else {
            eprintln!("expected M N K nn|nt|tn|tt THREADS, found {line:?}");
            std::process::exit(2);
        };
        let pool = pools.entry(product.threads).or_insert_with(|| {
            ThreadPoolBuilder::new().num_threads(product.threads).build().expect("threads")
        });
        println!("{}", serde_json::json!(measure(&product, pool)));
    }
}
