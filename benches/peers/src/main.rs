//! `fer`'s matrix product beside those of the crates `gemm` and `faer`, in turns.
//!
//! One line of JSON, GFLOP/s of each, for each request read from standard input:
//! `M N K TRANSPOSED THREADS`, TRANSPOSED one of `nn`, `nt`, `tn`, `tt` (A, B).

use fer_kernels::{GemmGeometry, SimdLevel, Transpose};
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
}

/// A product that is ready to run. It gives the sum of the result if asked, else 0.
type Ready<'a> = Box<dyn FnMut(bool) -> f64 + Send + 'a>;
type Library = for<'a> fn(&'a Product, &'a [f32], &'a [f32]) -> Ready<'a>;
const LIBRARIES: [(&str, Library); 3] = [("fer", fer), ("gemm", gemm), ("faer", faer)];

fn sum(c: &[f32]) -> f64 {
    c.iter().map(|&v| f64::from(v)).sum()
}

fn fer<'a>(p: &'a Product, a: &'a [f32], b: &'a [f32]) -> Ready<'a> {
    let trans = |t: bool| if t { Transpose::Yes } else { Transpose::No };
    let (trans_a, trans_b) = (trans(p.trans_a), trans(p.trans_b));
    let g = GemmGeometry { m: p.m, n: p.n, k: p.k, trans_a, trans_b };
    let mut c = vec![0.0; p.m * p.n];
    Box::new(move |asked| {
        fer_kernels::gemm::gemm(SimdLevel::widest(), &g, a, b, &mut c, false);
        if asked { sum(&c) } else { 0.0 }
    })
}

/// The gemm crate has no safe interface; candle's tensors are one. Each call makes a new result.
fn gemm<'a>(p: &'a Product, a: &'a [f32], b: &'a [f32]) -> Ready<'a> {
    use candle_core::{Device, Tensor};
    let matrix = |data: &[f32], rows: usize, cols: usize, transposed: bool| match transposed {
        true => Tensor::from_slice(data, (cols, rows), &Device::Cpu).and_then(|x| x.t()),
        false => Tensor::from_slice(data, (rows, cols), &Device::Cpu),
    };
    let a = matrix(a, p.m, p.k, p.trans_a).expect("sizes");
    let b = matrix(b, p.k, p.n, p.trans_b).expect("sizes");
    Box::new(move |asked| {
        let c = a.matmul(&b).expect("sizes");
        if !asked {
            return 0.0;
        }
        sum(&c.flatten_all().and_then(|c| c.to_vec1::<f32>()).expect("numbers"))
    })
}

fn faer<'a>(p: &'a Product, a: &'a [f32], b: &'a [f32]) -> Ready<'a> {
    use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
    let par = if p.threads == 1 { Par::Seq } else { Par::rayon(p.threads) };
    let mut c = vec![0.0; p.m * p.n];
    Box::new(move |asked| {
        let matrix = |data, rows, cols, transposed| match transposed {
            true => MatRef::from_row_major_slice(data, cols, rows).transpose(),
            false => MatRef::from_row_major_slice(data, rows, cols),
        };
        let (lhs, rhs) = (matrix(a, p.m, p.k, p.trans_a), matrix(b, p.k, p.n, p.trans_b));
        let to = MatMut::from_row_major_slice_mut(&mut c, p.m, p.n);
        matmul(to, Accum::Replace, lhs, rhs, 1.0, par);
        if asked { sum(&c) } else { 0.0 }
    })
}

/// GFLOP/s of each library.
fn measure(p: &Product, pool: &ThreadPool) -> BTreeMap<&'static str, f64> {
    let numbers = |len: usize| (0..len).map(|i| (i % 17) as f32 - 8.0).collect::<Vec<_>>();
    let (a, b) = (numbers(p.m * p.k), numbers(p.k * p.n));
    let flop = 2.0 * (p.m * p.n * p.k) as f64;
    // Small products are repeated, so that a turn lasts some 20 ms.
    let repeats = (6e9 / flop).ceil() as usize;
    let mut ready = LIBRARIES.map(|(_, library)| library(p, &a, &b));
    let mut times = LIBRARIES.map(|_| Vec::new());
    let sums = ready.each_mut().map(|product| pool.install(|| product(true)));
    for (found, (name, _)) in sums.iter().zip(LIBRARIES) {
        let apart = (found - sums[0]).abs();
        assert!(apart <= 1e-3 * sums[0].abs().max(1e3), "{name} disagrees");
    }
    for _ in 0..TURNS {
        for (product, times) in ready.iter_mut().zip(&mut times) {
            let begun = Instant::now();
            pool.install(|| {
                for _ in 0..repeats {
                    product(false);
                }
            });
            times.push(begun.elapsed().as_secs_f64() / repeats as f64);
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
