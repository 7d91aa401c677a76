//! One convolution from its definition to the fastest kernel, under the machine's roofs.

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

/// What to measure.
#[derive(Clone, Copy, Debug)]
pub struct LadderOptions {
    /// The convolution.
    pub layer: ConvLayer,
    /// Pictures a call; slow rungs take one.
    pub batch: usize,
    /// Turns: each runs every rung once, and the limits.
    pub rounds: usize,
}

/// A measured rung.
#[derive(Clone, Debug, Serialize)]
pub struct RungSpeed {
    /// Short name.
    pub name: &'static str,
    /// Threads.
    pub threads: usize,
    /// Pictures a call.
    pub batch: usize,
    /// Fastest call.
    pub seconds: f64,
    /// Products of the definition a second.
    pub gflops: f64,
    /// Products executed a second; Winograd executes fewer than the definition.
    pub executed_gflops: f64,
    /// Executed against the arithmetic peak of these threads.
    pub share_of_peak: f64,
    /// What must move between memory and caches, a second.
    pub gbs: f64,
    /// That against the speed at which these threads read memory.
    pub share_of_bandwidth: f64,
    /// Floating-point operations of the definition a byte.
    pub intensity: f64,
}

/// The measured ladder.
#[derive(Clone, Debug, Serialize)]
pub struct LadderSpeed {
    /// The machine and its settings.
    pub machine: Machine,
    /// The convolution.
    pub layer: String,
    /// Limits of one thread and, where there are more, of all.
    pub limits: Vec<Limits>,
    /// From the ground up.
    pub rungs: Vec<RungSpeed>,
}

/// A rung with its best time so far.
struct Climb {
    rung: Rung,
    batch: usize,
    best: f64,
}

/// Images, weights and room for results.
struct Operands {
    x: Vec<f32>,
    w: Vec<f32>,
    y: Vec<f32>,
}

/// A call slower than this is made with one picture only.
const SLOW: f64 = 0.02;

/// Measures every rung and the machine's limits, in turns.
///
/// # Errors
/// [`crate::Error::Usage`] where the threads cannot be started.
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
    let mut climbs: Vec<Climb> = rungs
        .map(|rung| {
            let call = call(&rung, 1, &meters[of_threads(&rung)], options.layer, &mut operands);
            let batch = if call < SLOW { g.n } else { 1 };
            Climb { rung, batch, best: f64::INFINITY }
        })
        .collect();
    for _ in 0..options.rounds.max(1) {
        meters.iter_mut().for_each(LimitsMeter::measure);
        for climb in &mut climbs {
            let meter = &meters[of_threads(&climb.rung)];
            let time = call(&climb.rung, climb.batch, meter, options.layer, &mut operands);
            climb.best = climb.best.min(time);
        }
    }
    let speed = |c: &Climb| speed(c, options.layer, meters[of_threads(&c.rung)].best());
    let rungs = climbs.iter().map(speed).collect();
    let limits = meters.iter().map(LimitsMeter::best).collect();
    Ok(LadderSpeed { machine, layer: options.layer.to_string(), limits, rungs })
}

/// Seconds of one call with `n` pictures.
fn call(rung: &Rung, n: usize, meter: &LimitsMeter, layer: ConvLayer, on: &mut Operands) -> f64 {
    let g = layer.geometry(n);
    let Operands { x, w, y } = on;
    let (x, y) = (&x[..g.input_len()], &mut y[..g.output_len()]);
    meter.run(|| seconds(|| (rung.run)(&g, x, w, y)))
}

fn speed(climb: &Climb, layer: ConvLayer, limits: Limits) -> RungSpeed {
    let (rung, g) = (&climb.rung, layer.geometry(climb.batch));
    let giga = |work: usize| work as f64 / 1e9 / climb.best;
    let (executed_gflops, gbs) = (giga(2 * rung.macs(&g)), giga(rung.bytes(&g)));
    RungSpeed {
        name: rung.name,
        threads: limits.threads,
        batch: climb.batch,
        seconds: climb.best,
        gflops: giga(2 * g.macs()),
        executed_gflops,
        share_of_peak: executed_gflops / limits.gflops,
        gbs,
        share_of_bandwidth: gbs / limits.read_gbs,
        intensity: (2 * g.macs()) as f64 / rung.bytes(&g) as f64,
    }
}

impl LadderSpeed {
    /// The table.
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
            "rung", "threads", "GFLOP/s", "executed", "of peak", "GB/s", "of DRAM", "times naive"
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
        out + "\nGFLOP/s counts the products of the definition; Winograd executes fewer, and its share of \
               the peak\nis that of what it executes. GB/s counts operands and result once, and the \
               im2col matrix where it is\nwritten out.\n"
    }

    /// The roofline picture.
    ///
    /// # Errors
    /// [`crate::Error::Render`] where the drawing fails.
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
                "{cpu}, {}, {simd}. Solid dots count the products of the \
                 definition, rings those that Winograd executes. Roofs are measured: arithmetic \
                 from registers, memory read from DRAM.",
                counted(*threads, "thread")
            ),
            roofs: self.limits.iter().map(roof).collect(),
            points: self.rungs.iter().map(point).collect(),
        };
        roofline(&chart, look)
    }
}

/// Three digits or so.
fn rate(value: f64) -> String {
    if value < 9.95 { format!("{value:.2}") } else { format!("{value:.0}") }
}
