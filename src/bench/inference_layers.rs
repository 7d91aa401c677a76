//! Where an inference goes, layer by layer.

use crate::Result;
use crate::bench::median;
use crate::bench::steps::{StepOptions, pictures};
use crate::model::{Inference, Network};
use fer_kernels::arch::{TeamTimes, measure_team_times, team_times};
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Instant;

/// A layer, or several fused layers.
#[derive(Clone, Debug, Serialize)]
pub struct InferenceLayer {
    /// Names of the layers, joined by `+`.
    pub name: String,
    /// Median over the runs.
    pub milliseconds: f64,
    /// Share of all layers.
    pub share: f64,
    /// Share of the threads' time in which they wait: for one another, or for work that one thread
    /// does alone.
    pub waiting: f64,
}

/// Profile of an inference.
#[derive(Clone, Debug, Serialize)]
pub struct InferenceProfile {
    /// Pictures per run.
    pub batch: usize,
    /// Number of measured runs.
    pub runs: usize,
    /// Sum over the layers.
    pub milliseconds: f64,
    /// Share of the threads' time in which they wait.
    pub waiting: f64,
    /// In the order in which they run.
    pub layers: Vec<InferenceLayer>,
}

/// Fewest measured runs where their number is not given.
const RUNS: usize = 50;

/// One step of a run: seconds, and the threads' seconds of waiting.
type Step = (String, f64, f64);

/// Measures the steps of a network prepared for inference.
///
/// # Errors
/// Those of the network.
pub fn inference_layers(network: &Network<f32>, options: &StepOptions) -> Result<InferenceProfile> {
    let mut network = network.clone();
    network.precision = options.precision;
    let (inference, pictures) = (Inference::new(&network), pictures(options.batch));
    let count = options.steps.unwrap_or(RUNS).max(1);
    let mut runs = Vec::with_capacity(count);
    measure_team_times(true);
    for run in 0..options.warmup + count {
        let steps = steps(&inference, &pictures)?;
        if run >= options.warmup {
            runs.push(steps);
        }
    }
    measure_team_times(false);
    Ok(summarise(options.batch, &runs))
}

fn steps(inference: &Inference, pictures: &crate::tensor::Tensor) -> Result<Vec<Step>> {
    let others = rayon::current_num_threads() as f64 - 1.0;
    let mut steps = Vec::new();
    let (mut begun, mut before) = (Instant::now(), team_times());
    inference.logits_in_steps(pictures, &mut |name| {
        let (seconds, times) = (begun.elapsed().as_secs_f64(), team_times());
        let since = |time: fn(&TeamTimes) -> std::time::Duration| {
            time(&times).saturating_sub(time(&before)).as_secs_f64()
        };
        let idle = others * seconds - since(|t| t.followers_worked);
        steps.push((name.to_owned(), seconds, idle.max(0.0) + since(|t| t.leaders_waited)));
        (begun, before) = (Instant::now(), times);
    })?;
    Ok(steps)
}

fn summarise(batch: usize, runs: &[Vec<Step>]) -> InferenceProfile {
    let threads = rayon::current_num_threads() as f64;
    let names = runs.first().map_or(&[][..], |run| run).iter().map(|(name, ..)| name.clone());
    let of =
        |i: usize, value: fn(&Step) -> f64| median(runs.iter().map(|r| value(&r[i])).collect());
    let mut layers: Vec<_> = names
        .enumerate()
        .map(|(i, name)| {
            let (milliseconds, waited) = (1e3 * of(i, |s| s.1), 1e3 * of(i, |s| s.2));
            let waiting = (waited / (threads * milliseconds)).clamp(0.0, 1.0);
            InferenceLayer { name, milliseconds, share: 0.0, waiting }
        })
        .collect();
    let milliseconds: f64 = layers.iter().map(|layer| layer.milliseconds).sum();
    let waiting = layers.iter().map(|layer| layer.waiting * layer.milliseconds).sum::<f64>();
    layers.iter_mut().for_each(|layer| layer.share = layer.milliseconds / milliseconds);
    let waiting = waiting / milliseconds;
    InferenceProfile { batch, runs: runs.len(), milliseconds, waiting, layers }
}

impl InferenceProfile {
    /// Formats a table.
    pub fn to_text(&self) -> String {
        let widest = self.layers.iter().map(|l| l.name.chars().count()).max().unwrap_or(0).max(5);
        let mut out = format!(
            "Inference, batch {}: {:.3} ms (medians of {} runs)\n\n{:<widest$} {:>9} {:>7} {:>8}\n",
            self.batch, self.milliseconds, self.runs, "layer", "ms", "share", "waiting"
        );
        let mut row = |name: &str, milliseconds: f64, share: f64, waiting: f64| {
            let (share, waiting) = (100.0 * share, 100.0 * waiting);
            let _ = writeln!(
                out,
                "{name:<widest$} {milliseconds:>9.4} {share:>5.1} % {waiting:>6.1} %"
            );
        };
        for layer in &self.layers {
            row(&layer.name, layer.milliseconds, layer.share, layer.waiting);
        }
        row("total", self.milliseconds, 1.0, self.waiting);
        out + "\nWaiting is the share of the threads' time in which they wait for one another, or for \
               work\nthat one thread does alone.\n"
    }
}
