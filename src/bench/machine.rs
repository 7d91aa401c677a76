//! The machine and its limits.

use crate::bench::seconds;
use crate::render::format::counted;
use fer_kernels::arch::peak;
use fer_kernels::{Context, SimdLevel};
use serde::Serialize;

/// The machine and the settings of a measurement.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Name of the CPU, if known.
    pub cpu: String,
    /// Threads in use.
    pub threads: usize,
    /// SIMD path in use, as in `--simd`.
    pub simd: &'static str,
    /// Convolution algorithm, as in `--conv`.
    pub conv: &'static str,
}

impl Machine {
    /// Returns this machine with the settings of this process.
    pub fn here() -> Self {
        Self {
            cpu: cpu_name().unwrap_or_else(|| "unknown CPU".into()),
            threads: rayon::current_num_threads(),
            simd: Context::global().simd.name(),
            conv: Context::global().conv.name(),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { cpu, threads, simd, conv } = self;
        write!(f, "{cpu}, {}, {simd}, convolution {conv}", counted(*threads, "thread"))
    }
}

/// Returns the name of the CPU; `None` if the system does not tell it.
pub fn cpu_name() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("model name"))?;
    Some(line.split(':').nth(1)?.trim().to_owned())
}

/// Returns the peak resident memory of this process in MiB; `None` if the system does not tell it.
pub fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

/// The limits of a number of threads.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Limits {
    /// Threads.
    pub threads: usize,
    /// Arithmetic peak of multiply-adds from registers and L1, GFLOP/s.
    pub gflops: f64,
    /// Memory read, GB/s.
    pub read_gbs: f64,
    /// Memory copied, GB/s read and written.
    pub copy_gbs: f64,
}

/// Measures [`Limits`], a little at a time, in turns with the kernels.
pub struct LimitsMeter {
    pool: rayon::ThreadPool,
    simd: SimdLevel,
    memory: std::sync::Arc<Memory>,
    best: Limits,
}

/// Arrays larger than the caches, shared by the meters.
pub struct Memory {
    from: Vec<f32>,
    to: std::sync::Mutex<Vec<f32>>,
}

impl Memory {
    /// Allocates two arrays of 128 MiB.
    pub fn new() -> std::sync::Arc<Self> {
        const LEN: usize = 128 << 18;
        Self { from: vec![1.0; LEN], to: vec![1.0; LEN].into() }.into()
    }
}

/// Register tiles in one measurement of the peak: a few milliseconds of work.
const TILES: usize = 20_000;

/// Measurements without a pause. In the first one the system may still run two newly woken threads on
/// the same core.
const REPEATS: usize = 5;

fn giga_per_second(run: impl FnOnce() -> u64) -> f64 {
    let mut work = 0;
    let seconds = seconds(|| work = run());
    work as f64 / 1e9 / seconds
}

impl LimitsMeter {
    /// A meter for `threads` threads.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] if the threads cannot be started.
    pub fn new(
        threads: usize,
        simd: SimdLevel,
        memory: std::sync::Arc<Memory>,
    ) -> crate::Result<Self> {
        let best = Limits { threads, ..Limits::default() };
        Ok(Self { pool: pool(threads)?, simd, memory, best })
    }

    /// Measures once more.
    pub fn measure(&mut self) {
        let (simd, best) = (self.simd, &mut self.best);
        let to = &mut *self.memory.to.lock().unwrap_or_else(|e| e.into_inner());
        let from = &self.memory.from;
        let keep = |best: &mut f64, run: &mut dyn FnMut() -> u64| {
            (0..REPEATS).for_each(|_| *best = best.max(giga_per_second(&mut *run)));
        };
        self.pool.install(|| {
            keep(&mut best.gflops, &mut || peak::register_tiles(simd, TILES));
            keep(&mut best.read_gbs, &mut || peak::read(from));
            keep(&mut best.copy_gbs, &mut || peak::copy(from, to));
        });
    }

    /// Returns the best rates so far.
    pub fn best(&self) -> Limits {
        self.best
    }

    /// Runs `f` on the meter's threads.
    pub fn run<R: Send>(&self, f: impl FnOnce() -> R + Send) -> R {
        self.pool.install(f)
    }
}

/// Starts a pool of `threads` threads.
///
/// # Errors
/// [`crate::Error::Usage`] if the threads cannot be started.
pub fn pool(threads: usize) -> crate::Result<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|e| crate::Error::Usage(format!("{threads} threads: {e}")))
}

/// The arithmetic peak of so many threads in GFLOP/s on the SIMD path in use: the best of a few
/// short measurements.
///
/// # Errors
/// [`crate::Error::Usage`] if the threads cannot be started.
pub fn peak_gflops(threads: usize) -> crate::Result<f64> {
    let (pool, simd) = (pool(threads)?, Context::global().simd);
    let rate = |_| giga_per_second(|| peak::register_tiles(simd, TILES));
    Ok(pool.install(|| (0..2 * REPEATS).map(rate).fold(0.0, f64::max)))
}
