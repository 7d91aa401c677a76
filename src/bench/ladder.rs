//! One convolution from naive loops to the fastest kernel, on the roofline of the machine.

use crate::Result;
use crate::bench::machine::{Limits, LimitsMeter, Machine, Memory};
use crate::bench::{ConvLayer, normal, seconds};
use crate::render::Scene;
use crate::render::chart::{ChartOptions, Roof, Roofline, RooflinePoint, roofline};
use crate::render::format::counted;
use fer_kernels::Context;
use fer_kernels::ladder::{LADDER, Rung};
use serde::Serialize;
use std::fmt::Write as _;

/// Options of [`ladder`].
#[derive(Clone, Copy, Debug)]
pub struct LadderOptions {
    /// The convolution.
    pub layer: ConvLayer,
    /// Pictures per call; slow kernels take one.
    pub batch: usize,
    /// Rounds; each runs every kernel once, and measures the limits.
    pub rounds: usize,
}

/// Speed of a kernel.
#[derive(Clone, Debug, Serialize)]
pub struct RungSpeed {
    /// Short name.
    pub name: &'static str,
    /// Threads.
    pub threads: usize,
    /// Pictures per call.
    pub batch: usize,
    /// Time of the fastest call.
    pub seconds: f64,
    /// Multiply-accumulates of the definition, in GFLOP/s.
    pub gflops: f64,
    /// Executed multiply-accumulates, in GFLOP/s; Winograd executes fewer than the definition.
    pub executed_gflops: f64,
    /// Share of the arithmetic peak of these threads, by executed multiply-accumulates.
    pub share_of_peak: f64,
    /// Data moved between memory and caches, in GB/s.
    pub gbs: f64,
    /// Share of the speed at which these threads read memory.
    pub share_of_bandwidth: f64,
    /// Floating-point operations of the definition per byte.
    pub intensity: f64,
}

/// Speed of all kernels.
#[derive(Clone, Debug, Serialize)]
pub struct LadderSpeed {
    /// The machine and its settings.
    pub machine: Machine,
    /// The convolution.
    pub layer: String,
    /// Limits of one thread and, if there are more, of all threads.
    pub limits: Vec<Limits>,
    /// From the slowest kernel to the fastest.
    pub rungs: Vec<RungSpeed>,
}

/// A kernel with its best time so far.
struct BestTime {
    rung: Rung,
    batch: usize,
    best: f64,
}

/// Images, weights and a buffer for results.
struct Operands {
    x: Vec<f32>,
    w: Vec<f32>,
    y: Vec<f32>,
}

/// Kernels whose call takes longer than these seconds get one picture.
const SLOW: f64 = 0.02;

/// Measures every kernel and the limits of the machine in turns.
///
/// # Errors
/// [`crate::Error::Usage`] if the threads cannot be started.
pub fn ladder(options: LadderOptions) -> Result<LadderSpeed> {
    let machine = Machine::here();
    let memory = Memory::new();
    let simd = Context::global().simd;
    let mut meters = vec![LimitsMeter::new(1, simd, memory.clone())?];
    if machine.threads > 1 {
        meters.push(LimitsMeter::new(machine.threads, simd, memory)?);
    }
    let g = options.layer.geometry(options.batch.max(1));
    let (x, w) = (normal(g.input_len()), normal(g.weight_len()));
    let mut operands = Operands { x, w, y: vec![0.0; g.output_len()] };
    let last = meters.len() - 1;
    let of_threads = |rung: &Rung| if rung.threads { last } else { 0 };
    let rungs = LADDER.into_iter().filter(|rung| !rung.threads || machine.threads > 1);
    let mut times: Vec<BestTime> = rungs
        .map(|rung| {
            let call = call(&rung, 1, &meters[of_threads(&rung)], options.layer, &mut operands);
            let batch = if call < SLOW { g.n } else { 1 };
            BestTime { rung, batch, best: f64::INFINITY }
        })
        .collect();
    for _ in 0..options.rounds.max(1) {
        meters.iter_mut().for_each(LimitsMeter::measure);
        for kernel in &mut times {
            let meter = &meters[of_threads(&kernel.rung)];
            let time = call(&kernel.rung, kernel.batch, meter, options.layer, &mut operands);
            kernel.best = kernel.best.min(time);
        }
    }
    let speed = |c: &BestTime| speed(c, options.layer, meters[of_threads(&c.rung)].best());
    let rungs = times.iter().map(speed).collect();
    let limits = meters.iter().map(LimitsMeter::best).collect();
    Ok(LadderSpeed { machine, layer: options.layer.to_string(), limits, rungs })
}

/// Measures the seconds of one call with `n` pictures.
fn call(rung: &Rung, n: usize, meter: &LimitsMeter, layer: ConvLayer, on: &mut Operands) -> f64 {
    let g = layer.geometry(n);
    let Operands { x, w, y } = on;
    let (x, y) = (&x[..g.input_len()], &mut y[..g.output_len()]);
    meter.run(|| seconds(|| (rung.run)(&g, x, w, y)))
}

fn speed(kernel: &BestTime, layer: ConvLayer, limits: Limits) -> RungSpeed {
    let (rung, g) = (&kernel.rung, layer.geometry(kernel.batch));
    let giga = |work: usize| work as f64 / 1e9 / kernel.best;
    let (executed_gflops, gbs) = (giga(2 * rung.macs(&g)), giga(rung.bytes(&g)));
    RungSpeed {
        name: rung.name,
        threads: limits.threads,
        batch: kernel.batch,
        seconds: kernel.best,
        gflops: giga(2 * g.macs()),
        executed_gflops,
        share_of_peak: executed_gflops / limits.gflops,
        gbs,
        share_of_bandwidth: gbs / limits.read_gbs,
        intensity: (2 * g.macs()) as f64 / rung.bytes(&g) as f64,
    }
}

impl LadderSpeed {
    /// Formats a table.
    pub fn to_text(&self) -> String {
        let mut out = format!("3×3 convolution {} on {}\n\n", self.layer, self.machine);
        for l in &self.limits {
            let _ = writeln!(
                out,
                "limits of {:<10} {:>5.0} GFLOP/s; memory read {:.0} GB/s, copied {:.0} GB/s",
                counted(l.threads, "thread") + ":",
                l.gflops,
                l.read_gbs,
                l.copy_gbs
            );
        }
        let _ = writeln!(
            out,
            "\n{:<24}{:>8}{:>9}{:>10}{:>10}{:>9}{:>8}{:>14}",
            "kernel", "threads", "GFLOP/s", "executed", "of peak", "GB/s", "of DRAM", "times naive"
        );
        let ground = self.rungs.first().map_or(1.0, |r| r.gflops);
        for r in &self.rungs {
            let _ = writeln!(
                out,
                "{:<24}{:>8}{:>9}{:>10}{:>8.1} %{:>9}{:>6.1} %{:>13.0}×",
                r.name,
                r.threads,
                rate(r.gflops),
                rate(r.executed_gflops),
                100.0 * r.share_of_peak,
                rate(r.gbs),
                100.0 * r.share_of_bandwidth,
                r.gflops / ground
            );
        }
        out + "\nGFLOP/s counts the multiply-accumulates of the definition. Winograd executes fewer; its \
               share of the\npeak counts the executed ones. GB/s counts operands and result once, and \
               the im2col matrix if it is stored.\n"
    }

    /// Draws the roofline chart.
    pub fn draw(&self, look: ChartOptions) -> Result<Scene> {
        let roof = |l: &Limits| Roof {
            name: counted(l.threads, "thread"),
            bandwidth: l.read_gbs,
            peak: l.gflops,
        };
        let point = |r: &RungSpeed| RooflinePoint {
            name: r.name.to_owned(),
            intensity: r.intensity,
            gflops: r.gflops,
            executed: (r.executed_gflops < r.gflops).then_some(r.executed_gflops),
        };
        let Machine { cpu, threads, simd, .. } = &self.machine;
        let chart = Roofline {
            title: format!("3×3 convolution {}: from the definition to Winograd", self.layer),
            subtitle: format!(
                "{cpu}, {}, {simd}. Solid dots count the multiply-accumulates of \
                 the definition, rings those that Winograd executes. Roofs are measured: \
                 arithmetic from registers, memory read from DRAM.",
                counted(*threads, "thread")
            ),
            roofs: self.limits.iter().map(roof).collect(),
            points: self.rungs.iter().map(point).collect(),
        };
        roofline(&chart, look)
    }
}

/// Formats a rate with about three digits.
fn rate(value: f64) -> String {
    if value < 9.95 { format!("{value:.2}") } else { format!("{value:.0}") }
}
