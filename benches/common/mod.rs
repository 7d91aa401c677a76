//! Settings, rates and machine limits for all benches.
//!
//! Every name ends with the number of threads and the SIMD level. Every rate is followed by its
//! share of the peak of those threads at that level, measured just before.
#![allow(dead_code)] // each bench uses a part

mod rate;

pub use rate::Rate;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use fer::bench::machine::{LimitsMeter, Memory};
use fer::random::{Purpose, Rng};
use fer::render::format::counted;
use fer_kernels::conv2d::Algorithm;
use fer_kernels::{Context, SimdLevel};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Images in a batch.
pub const BATCH: usize = 64;

/// A group of benches whose rates are GFLOP/s and GB/s.
pub type Group<'a> = BenchmarkGroup<'a, Rate>;

/// The work of one call.
#[derive(Clone, Copy, Default)]
pub struct Work {
    /// Two per multiply-accumulate of the definition, for every algorithm; 0 = none.
    pub flop: u64,
    /// Every operand and result once; 0 = unknown.
    pub bytes: u64,
}

impl Work {
    /// Returns the work of so many multiply-accumulates and floats.
    pub fn new(macs: usize, floats: usize) -> Self {
        Self { flop: 2 * macs as u64, bytes: (size_of::<f32>() * floats) as u64 }
    }
}

/// A number of threads and a SIMD level.
pub struct Setting {
    /// The SIMD level.
    pub simd: SimdLevel,
    meter: LimitsMeter,
    name: String,
}

impl Setting {
    fn new(threads: usize, simd: SimdLevel) -> Self {
        static MEMORY: LazyLock<Arc<Memory>> = LazyLock::new(Memory::new);
        let meter = LimitsMeter::new(threads, simd, MEMORY.clone()).expect("threads");
        Self { simd, meter, name: format!("{}, {simd}", counted(threads, "thread")) }
    }

    /// Returns the widest level on one thread and on all, then the other levels on all.
    pub fn all() -> Vec<Self> {
        let threads = rayon::current_num_threads();
        let mut settings = Self::widest();
        settings.extend(SimdLevel::available().skip(1).map(|simd| Self::new(threads, simd)));
        settings
    }

    /// Returns the widest level on one thread and on all.
    pub fn widest() -> Vec<Self> {
        let mut counts = vec![1, rayon::current_num_threads()];
        counts.dedup();
        counts.into_iter().map(|threads| Self::new(threads, SimdLevel::widest())).collect()
    }

    /// Returns the context of this level with an algorithm for convolutions.
    pub fn context(&self, conv: Algorithm) -> Context {
        Context { simd: self.simd, conv, ..Context::default() }
    }

    /// Adds a bench of `f` in this setting to the group.
    pub fn bench(
        &mut self,
        group: &mut Group,
        [function, layer]: [&str; 2],
        work: Work,
        mut f: impl FnMut() + Send,
    ) {
        group.throughput(match work {
            Work { flop: 0, bytes } => Throughput::Bytes(bytes),
            Work { flop, bytes: 0 } => Throughput::Elements(flop),
            Work { flop, bytes } => Throughput::ElementsAndBytes { elements: flop, bytes },
        });
        let id = BenchmarkId::new(format!("{function}, {}", self.name), layer);
        let meter = &mut self.meter;
        group.bench_function(id, |b| {
            meter.measure();
            rate::compare_with(meter.best());
            meter.run(|| b.iter(&mut f));
        });
    }
}

/// Returns normally distributed numbers.
pub fn normal(len: usize) -> Vec<f32> {
    let mut rng = Rng::new(0, Purpose::Test, 0, len as u64);
    (0..len).map(|_| rng.normal() as f32).collect()
}

/// Returns criterion with our rates.
pub fn criterion() -> Criterion<Rate> {
    Criterion::default().with_measurement(Rate(WallTime))
}

/// Returns a group that takes about a second per bench.
pub fn group<'a>(c: &'a mut Criterion<Rate>, name: &str) -> Group<'a> {
    let mut group = c.benchmark_group(name);
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(150));
    group.measurement_time(Duration::from_millis(600));
    group
}
