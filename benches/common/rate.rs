//! GFLOP/s and GB/s in criterion's output, with their share of the machine's limits.

use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use fer::bench::machine::Limits;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Limits for the current bench. A static, because criterion gives its formatter no argument.
static LIMITS: Mutex<Option<Limits>> = Mutex::new(None);

/// Sets the limits with which the rates of the next benches are compared.
pub fn compare_with(limits: Limits) {
    *LIMITS.lock().unwrap_or_else(|e| e.into_inner()) = Some(limits);
}

/// Wall time with floating-point operations and bytes as throughput.
pub struct Rate(pub WallTime);

impl Measurement for Rate {
    type Intermediate = Instant;
    type Value = Duration;
    fn start(&self) -> Instant {
        self.0.start()
    }
    fn end(&self, begun: Instant) -> Duration {
        self.0.end(begun)
    }
    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        self.0.add(a, b)
    }
    fn zero(&self) -> Duration {
        self.0.zero()
    }
    fn to_f64(&self, value: &Duration) -> f64 {
        self.0.to_f64(value)
    }
    fn formatter(&self) -> &dyn ValueFormatter {
        self
    }
}

/// Returns the count, its unit, its limit and the limit's name. A count divided by nanoseconds is
/// giga per second.
fn counted(throughput: &Throughput) -> (u64, &'static str, f64, &'static str) {
    let limits = *LIMITS.lock().unwrap_or_else(|e| e.into_inner());
    let limits = limits.unwrap_or_default();
    match *throughput {
        Throughput::Bits(bytes) | Throughput::Bytes(bytes) | Throughput::BytesDecimal(bytes) => {
            (bytes, "GB/s", limits.read_gbs, "DRAM")
        }
        Throughput::Elements(flop) | Throughput::ElementsAndBytes { elements: flop, .. } => {
            (flop, "GFLOP/s", limits.gflops, "peak")
        }
    }
}

impl ValueFormatter for Rate {
    fn format_throughput(&self, throughput: &Throughput, value: f64) -> String {
        let (work, unit, limit, name) = counted(throughput);
        let rate = work as f64 / value;
        format!("{rate:.1} {unit} ({:.0} % of {name})", 100.0 * rate / limit)
    }
    fn scale_throughputs(
        &self,
        _: f64,
        throughput: &Throughput,
        values: &mut [f64],
    ) -> &'static str {
        let (work, unit, ..) = counted(throughput);
        values.iter_mut().for_each(|value| *value = work as f64 / *value);
        unit
    }
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        self.0.formatter().scale_values(typical, values)
    }
    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str {
        self.0.formatter().scale_for_machines(values)
    }
}
