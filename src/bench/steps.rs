//! Speed of training steps and inference.

use crate::Result;
use crate::bench::machine::{Machine, peak_mib};
use crate::bench::quantile;
use crate::model::{Inference, Network, architecture, summary};
use crate::nn::Pass;
use crate::ops::CrossEntropyOptions;
use crate::optim::{Optimizer, OptimizerConfig, OptimizerKind};
use crate::random::{Purpose, Rng};
use crate::tensor::Tensor;
use crate::train::StepResult;
use crate::train::batch::Batch;
use crate::train::step::train_step_in;
use fer_kernels::Precision;
use serde::Serialize;
use std::time::Instant;

/// Options of the measurements.
#[derive(Clone, Debug)]
pub struct StepOptions {
    /// Name of an architecture, or a .toml file.
    pub arch: String,
    /// Pictures per step.
    pub batch: usize,
    /// Precision of products.
    pub precision: Precision,
    /// Number of measured steps; `None` for [`FEWEST`], in inference as many as fit into half a
    /// second.
    pub steps: Option<usize>,
    /// Number of steps before the measurement.
    pub warmup: usize,
}

/// Fewest measured steps where their number is not given.
pub const FEWEST: usize = 12;
/// Seconds of a measurement of inference.
const SECONDS: f64 = 0.5;

/// Speed of training or inference.
#[derive(Clone, Debug, Serialize)]
pub struct Steps {
    /// `train` or `infer`.
    pub what: &'static str,
    /// The network.
    pub arch: String,
    /// Pictures per step.
    pub batch: usize,
    /// Precision of products: `f32` or `bf16`.
    pub precision: &'static str,
    /// From the median of the steps.
    pub images_per_second: f64,
    /// Median of the steps.
    pub milliseconds: f64,
    /// First quartile.
    pub milliseconds_q1: f64,
    /// Third quartile.
    pub milliseconds_q3: f64,
    /// The fastest step.
    pub milliseconds_best: f64,
    /// 95th percentile.
    pub milliseconds_p95: f64,
    /// 99th percentile.
    pub milliseconds_p99: f64,
    /// 2 · MAC per picture for inference; three times that for training.
    pub gflop_per_second: f64,
    /// Number of measured steps.
    pub steps: usize,
    /// The machine and its settings.
    #[serde(flatten)]
    pub machine: Machine,
    /// Peak memory of the process, in MiB.
    pub peak_mib: Option<u64>,
}

/// A training on random pictures: SGD with Nesterov momentum and weight decay.
pub struct Training {
    /// The network.
    pub network: Network<f32>,
    optimizer: Optimizer<f32>,
    batch: Batch,
    step: u64,
    precision: Precision,
}

impl Training {
    /// A training of an architecture with a batch size, its products in a precision.
    ///
    /// # Errors
    /// An architecture that does not exist.
    pub fn new(arch: &str, batch: usize, precision: Precision) -> Result<Self> {
        let network: Network<f32> = Network::new(architecture(arch)?, 0)?;
        let kind = OptimizerKind::Nesterov;
        let config = OptimizerConfig { kind, weight_decay: 1e-4, ..Default::default() };
        let optimizer = Optimizer::new(config, &network.parameters());
        let batch = Batch::labelled(pictures(batch), (0..batch).map(|i| i % 7).collect());
        Ok(Self { network, optimizer, batch, step: 0, precision })
    }

    /// Runs one step; `prepare` may change the pass before.
    pub fn step(&mut self, prepare: impl FnOnce(&mut Pass)) -> Result<StepResult> {
        let mut pass = Pass::train(0, self.step);
        pass.tape.set_precision(self.precision);
        self.step += 1;
        prepare(&mut pass);
        let (network, optimizer) = (&mut self.network, &mut self.optimizer);
        let loss = CrossEntropyOptions::default();
        train_step_in(&mut pass, network, optimizer, self.batch.clone(), &loss, 0.01)
    }
}

/// Returns random pictures.
pub(super) fn pictures(batch: usize) -> Tensor {
    let mut rng = Rng::new(0, Purpose::Test, 0, 0);
    Tensor::from_fn(&[batch, 1, crate::SIDE, crate::SIDE], |_| rng.uniform() as f32)
}

/// Measures training steps: forward, loss, backward, update.
///
/// # Errors
/// An architecture that does not exist.
pub fn train(options: &StepOptions) -> Result<Steps> {
    let mut training = Training::new(&options.arch, options.batch, options.precision)?;
    let macs = summary(&training.network)?.macs;
    let times = timed(options, 0.0, || training.step(|_| {}).map(drop))?;
    Ok(summarise("train", options, &times, 3 * macs))
}

/// Measures inference: the logits of a batch.
///
/// # Errors
/// An architecture that does not exist.
pub fn infer(options: &StepOptions) -> Result<Steps> {
    let mut network: Network<f32> = Network::new(architecture(&options.arch)?, 0)?;
    network.precision = options.precision;
    let macs = summary(&network)?.macs;
    let (network, pixels) = (Inference::new(&network), pictures(options.batch));
    let times = timed(options, SECONDS, || network.logits(&pixels).map(drop))?;
    Ok(summarise("infer", options, &times, macs))
}

/// Returns the seconds of each measured step, sorted. Where their number is not given, the steps go on
/// for `seconds`.
fn timed(
    options: &StepOptions,
    seconds: f64,
    mut step: impl FnMut() -> Result<()>,
) -> Result<Vec<f64>> {
    for _ in 0..options.warmup {
        step()?;
    }
    let fewest = options.steps.unwrap_or(FEWEST).max(1);
    let seconds = if options.steps.is_some() { 0.0 } else { seconds };
    let mut times = Vec::with_capacity(fewest);
    let all = Instant::now();
    while times.len() < fewest || all.elapsed().as_secs_f64() < seconds {
        let begun = Instant::now();
        step()?;
        times.push(begun.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

fn summarise(what: &'static str, o: &StepOptions, times: &[f64], macs: usize) -> Steps {
    let at = |share: f64| quantile(times, share);
    Steps {
        what,
        arch: o.arch.clone(),
        batch: o.batch,
        precision: o.precision.name(),
        images_per_second: o.batch as f64 / at(0.5),
        milliseconds: 1e3 * at(0.5),
        milliseconds_q1: 1e3 * at(0.25),
        milliseconds_q3: 1e3 * at(0.75),
        milliseconds_best: 1e3 * at(0.0),
        milliseconds_p95: 1e3 * at(0.95),
        milliseconds_p99: 1e3 * at(0.99),
        gflop_per_second: 2.0 * (macs * o.batch) as f64 / at(0.5) / 1e9,
        steps: times.len(),
        machine: Machine::here(),
        peak_mib: peak_mib(),
    }
}

impl Steps {
    /// Formats two lines: the speed and the machine.
    pub fn to_text(&self) -> String {
        format!(
            "{} {} batch {}, {}: {:.1} images/s (median of {} steps: {:.2} ms, quartiles {:.2} to \
             {:.2}, best {:.2}, 95 % within {:.2}, 99 % within {:.2}), {:.0} GFLOP/s, peak memory \
             {} MiB\n{}\n",
            self.what,
            self.arch,
            self.batch,
            self.precision,
            self.images_per_second,
            self.steps,
            self.milliseconds,
            self.milliseconds_q1,
            self.milliseconds_q3,
            self.milliseconds_best,
            self.milliseconds_p95,
            self.milliseconds_p99,
            self.gflop_per_second,
            self.peak_mib.map_or("unknown".into(), |m| m.to_string()),
            self.machine,
        )
    }
}
