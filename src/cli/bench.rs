//! `fer bench`: the speed of this machine, through the same calls as a user's training.

use crate::autograd::Tensor;
use crate::error::Result;
use crate::model::{Inference, Network, architecture};
use crate::ops::cross_entropy::{CrossEntropyOptions, Targets};
use crate::optim::{Kind, Optimizer, OptimizerConfig};
use crate::random::{Purpose, Rng};
use crate::train::step::{StepAddress, train_step};
use fer_kernels::arch;
use serde::Serialize;
use std::time::Instant;

/// Arguments of `fer bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Whole training steps: forward, loss, backward, update (SGD, Nesterov, weight decay)
    Train(Options),
    /// Logits of a batch, in evaluation mode
    Infer(Options),
}

#[derive(Debug, clap::Args)]
struct Options {
    /// tiny, vgg, fer-s, fer-m, fer-l or a .toml file
    #[arg(long, default_value = "tiny")]
    arch: String,
    /// Pictures a step
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Measured steps
    #[arg(long, default_value_t = 12)]
    steps: usize,
    /// Steps before measuring
    #[arg(long, default_value_t = 3)]
    warmup: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The result of a measurement.
#[derive(Debug, Serialize)]
struct Measured {
    what: &'static str,
    arch: String,
    batch: usize,
    /// Median over the steps.
    images_per_second: f64,
    /// Median, quartiles and fastest step, in milliseconds.
    milliseconds: f64,
    milliseconds_q1: f64,
    milliseconds_q3: f64,
    milliseconds_best: f64,
    /// 2 · MAC a picture, forward; three times that for training.
    gflop_per_second: f64,
    steps: usize,
    threads: usize,
    simd: &'static str,
    /// Largest memory of the process so far, in MiB.
    peak_mib: Option<u64>,
}

pub(super) fn run(args: Args) -> Result<()> {
    let (what, options) = match args.what {
        What::Train(options) => ("train", options),
        What::Infer(options) => ("infer", options),
    };
    let network: Network<f32> = Network::new(architecture(&options.arch)?, 0)?;
    let macs = crate::model::summary::summary(&network)?.macs;
    let times = match what {
        "train" => time_training(network, &options)?,
        _ => time_inference(&network, &options)?,
    };
    let measured = summarise(what, options, times, macs);
    if measured.0 { super::print_json(&measured.1) } else { super::print(&text(&measured.1)) }
}

fn pictures(batch: usize) -> Tensor {
    let mut rng = Rng::new(0, Purpose::Test, 0, 0);
    Tensor::from_fn(&[batch, 1, crate::SIDE, crate::SIDE], |_| rng.uniform() as f32)
}

fn time_training(mut network: Network<f32>, options: &Options) -> Result<Vec<f64>> {
    let config = OptimizerConfig { kind: Kind::Nesterov, weight_decay: 1e-4, ..Default::default() };
    let mut optimizer = Optimizer::new(config, &network.parameters());
    let pixels = pictures(options.batch);
    let targets = Targets::Labels((0..options.batch).map(|i| i % 7).collect());
    let loss = CrossEntropyOptions::default();
    let mut step = 0;
    timed(options, || {
        let at = StepAddress { seed: 0, step, lr: 0.01 };
        step += 1;
        train_step(&mut network, &mut optimizer, pixels.clone(), &targets, &loss, at).map(drop)
    })
}

fn time_inference(network: &Network<f32>, options: &Options) -> Result<Vec<f64>> {
    let pixels = pictures(options.batch);
    let network = Inference::new(network);
    timed(options, || network.logits(&pixels).map(drop))
}

/// Seconds of each measured step, sorted.
fn timed(options: &Options, mut step: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    for _ in 0..options.warmup {
        step()?;
    }
    let mut times = Vec::with_capacity(options.steps);
    for _ in 0..options.steps.max(1) {
        let begun = Instant::now();
        step()?;
        times.push(begun.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

fn summarise(what: &'static str, o: Options, times: Vec<f64>, macs: usize) -> (bool, Measured) {
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    let passes = if what == "train" { 3.0 } else { 1.0 };
    let flop = 2.0 * macs as f64 * passes * o.batch as f64;
    let measured = Measured {
        what,
        arch: o.arch,
        batch: o.batch,
        images_per_second: o.batch as f64 / at(0.5),
        milliseconds: 1e3 * at(0.5),
        milliseconds_q1: 1e3 * at(0.25),
        milliseconds_q3: 1e3 * at(0.75),
        milliseconds_best: 1e3 * at(0.0),
        gflop_per_second: flop / at(0.5) / 1e9,
        steps: times.len(),
        threads: rayon::current_num_threads(),
        simd: arch::level().name(),
        peak_mib: peak_mib(),
    };
    (o.json, measured)
}

fn text(m: &Measured) -> String {
    format!(
        "{} {} batch {}: {:.1} images/s (median of {} steps: {:.2} ms, quartiles {:.2} to {:.2}, \
         best {:.2}), {:.0} GFLOP/s, {} threads, {}, peak {} MiB\n",
        m.what,
        m.arch,
        m.batch,
        m.images_per_second,
        m.steps,
        m.milliseconds,
        m.milliseconds_q1,
        m.milliseconds_q3,
        m.milliseconds_best,
        m.gflop_per_second,
        m.threads,
        m.simd,
        m.peak_mib.map_or("unknown".into(), |m| m.to_string())
    )
}

/// Largest resident memory so far, where the system tells it.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}
