//! What the benches share: the layers of our networks, the settings, the rates and their limits.
//!
//! Every name ends in threads and SIMD path. Every rate is followed by its share of what those
//! threads reach at best on that path, measured just before.
#![allow(dead_code)] // each bench uses a part

mod rate;

pub use rate::Rate;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use fer::bench::machine::{LimitsMeter, Memory};
use fer::random::{Purpose, Rng};
use fer::render::format::counted;
use fer_kernels::arch::{self, Level};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Images in a batch.
pub const BATCH: usize = 64;

/// A group of benches whose rates are GFLOP/s and GB/s.
pub type Group<'a> = BenchmarkGroup<'a, Rate>;

/// The work of one call.
#[derive(Clone, Copy, Default)]
pub struct Work {
    /// Two per multiply-accumulate of the definition, whatever an algorithm executes; 0 = none.
    pub flop: u64,
    /// Every operand and result once; 0 = unknown.
    pub bytes: u64,
}

impl Work {
    /// So many multiply-accumulates on so many floats.
    pub fn new(macs: usize, floats: usize) -> Self {
        Self { flop: 2 * macs as u64, bytes: (size_of::<f32>() * floats) as u64 }
    }
}

/// Threads and SIMD path.
pub struct Setting {
    level: Level,
    meter: LimitsMeter,
    name: String,
}

impl Setting {
    fn new(threads: usize, level: Level) -> Self {
        static MEMORY: LazyLock<Arc<Memory>> = LazyLock::new(Memory::new);
        let meter = LimitsMeter::new(threads, MEMORY.clone()).expect("threads");
        Self { level, meter, name: format!("{}, {level}", counted(threads, "thread")) }
    }

    /// The widest path on one thread and on all, then the other paths on all.
    pub fn all() -> Vec<Self> {
        let threads = rayon::current_num_threads();
        let others = Level::ALL.into_iter().filter(|&l| l != arch::detected() && l.is_supported());
        let mut settings = Self::widest();
        settings.extend(others.map(|level| Self::new(threads, level)));
        settings
    }

    /// The widest path on one thread and on all.
    pub fn widest() -> Vec<Self> {
        let mut counts = vec![1, rayon::current_num_threads()];
        counts.dedup();
        counts.into_iter().map(|threads| Self::new(threads, arch::detected())).collect()
    }

    /// Adds a bench of `f` in this setting to the group.
    pub fn bench(
        &mut self,
        group: &mut Group,
        [function, layer]: [&str; 2],
        work: Work,
        mut f: impl FnMut() + Send,
    ) {
        arch::set_level(Some(self.level)).expect("a level of this CPU");
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
        arch::set_level(None).expect("the widest level");
    }
}

/// Normal numbers.
pub fn normal(len: usize) -> Vec<f32> {
    let mut rng = Rng::new(0, Purpose::Test, 0, len as u64);
    (0..len).map(|_| rng.normal() as f32).collect()
}

/// Criterion with our rates.
pub fn criterion() -> Criterion<Rate> {
    Criterion::default().with_measurement(Rate(WallTime))
}

/// A group that takes about a second a bench.
pub fn group<'a>(c: &'a mut Criterion<Rate>, name: &str) -> Group<'a> {
    let mut group = c.benchmark_group(name);
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(150));
    group.measurement_time(Duration::from_millis(600));
    group
}
