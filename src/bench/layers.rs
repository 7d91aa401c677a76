//! Where a training step goes, layer by layer.

use crate::Result;
use crate::bench::inference_layers::{InferenceProfile, inference_layers};
use crate::bench::machine::Machine;
use crate::bench::median;
use crate::bench::steps::{FEWEST, StepOptions, Training};
use crate::model::Network;
use crate::nn::{Layer, Phase, Span};
use fer_kernels::Context;
use fer_kernels::conv2d::{Pass, plan_name};
use serde::Serialize;
use std::time::Instant;

/// Work of a layer in one phase.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Work {
    /// Median over the steps.
    pub milliseconds: f64,
    /// 2 · multiply-accumulates of the definition, GFLOP.
    pub gflop: f64,
    /// GFLOP/s.
    pub gflop_per_second: f64,
    /// Bytes of each operand and result, counted once.
    pub bytes: usize,
    /// Algorithm of each product of a convolution: forward, one; backward, those for the gradients
    /// of the input and of the weights.
    pub algorithms: Vec<String>,
}

/// A layer, several fused layers, or another part of the step.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Part {
    /// Names of the layers, joined by `+`.
    pub name: String,
    /// Shape of the output for one picture; empty for parts that are not layers.
    pub output: Vec<usize>,
    /// Forward.
    pub forward: Work,
    /// Backward.
    pub backward: Work,
    /// Share of the step.
    pub share: f64,
}

/// Profile of a training step.
#[derive(Clone, Debug, Serialize)]
pub struct StepProfile {
    /// The network.
    pub arch: String,
    /// Pictures per step.
    pub batch: usize,
    /// Number of measured steps.
    pub steps: usize,
    /// The machine and its settings.
    #[serde(flatten)]
    pub machine: Machine,
    /// In the order of the forward pass; the update of the weights is the last.
    pub parts: Vec<Part>,
    /// Sum over the parts.
    pub total: Part,
    /// Median step without the profiler, for comparison.
    pub milliseconds_without_profiler: f64,
    /// The same pictures through the network prepared for inference.
    pub inference: InferenceProfile,
}

/// Measures steps with and without the profiler, in turns.
///
/// # Errors
/// An architecture that does not exist.
pub fn layers(options: &StepOptions) -> Result<StepProfile> {
    let mut training = Training::new(&options.arch, options.batch, options.precision)?;
    let (mut profiled, mut plain) = (Vec::new(), Vec::new());
    for step in 0..options.warmup + options.steps.unwrap_or(FEWEST).max(1) {
        let start = Instant::now();
        training.step(|_| {})?;
        let seconds = start.elapsed().as_secs_f64();
        let mut profiler = None;
        training.step(|pass| profiler = Some(pass.profile()))?;
        if step >= options.warmup {
            plain.push(1e3 * seconds);
            profiled.extend(profiler.map(|profiler| profiler.spans()));
        }
    }
    let mut parts = parts(&training.network, options, &profiled)?;
    let total = total(&parts);
    let whole = total.forward.milliseconds + total.backward.milliseconds;
    for part in &mut parts {
        part.share = (part.forward.milliseconds + part.backward.milliseconds) / whole;
    }
    Ok(StepProfile {
        arch: options.arch.clone(),
        batch: options.batch,
        steps: profiled.len(),
        machine: Machine::here(),
        parts,
        total,
        milliseconds_without_profiler: median(plain),
        inference: inference_layers(&training.network, options)?,
    })
}

/// Returns the median over the steps of a part's time in milliseconds; 0 if it has none.
fn median_of(steps: &[Vec<Span>], name: &str, phase: Phase) -> f64 {
    let of_step = |spans: &Vec<Span>| {
        let own = spans.iter().filter(|s| s.phase == phase && s.name == name);
        own.fold(0.0, |sum, s| sum + 1e3 * s.duration.as_secs_f64())
    };
    median(steps.iter().map(of_step).collect())
}

/// A layer with its input shape; `first` in the network, so that nobody asks for the gradient of
/// its input.
struct Place<'a> {
    layer: &'a Layer<f32>,
    input: Vec<usize>,
    first: bool,
}

/// Returns one part for each span of the forward pass, and the update. A layer without a span ran as
/// one with the next.
fn parts(network: &Network<f32>, options: &StepOptions, steps: &[Vec<Span>]) -> Result<Vec<Part>> {
    let places = in_order_of_running(network)?;
    let mut waiting = &places[..];
    let spans = steps.first().map_or(&[][..], |s| s);
    let mut parts = Vec::new();
    for span in spans.iter().filter(|s| s.phase == Phase::Forward || s.name == "update") {
        let mut part = Part { name: span.name.clone(), ..Part::default() };
        if let Some(at) = waiting.iter().position(|p| p.layer.name() == span.name) {
            let (together, after) = waiting.split_at(at + 1);
            (part, waiting) = (describe(together, options)?, after);
        }
        part.forward.milliseconds = median_of(steps, &span.name, Phase::Forward);
        part.backward.milliseconds = median_of(steps, &span.name, Phase::Backward);
        for work in [&mut part.forward, &mut part.backward] {
            let rate = work.gflop / work.milliseconds * 1e3;
            work.gflop_per_second = if rate.is_finite() { rate } else { 0.0 };
        }
        parts.push(part);
    }
    Ok(parts)
}

/// The layers as they show their outputs: children before their block.
fn in_order_of_running(network: &Network<f32>) -> Result<Vec<Place<'_>>> {
    let mut places = Vec::new();
    let mut blocks: Vec<(Place, usize)> = Vec::new(); // with the children still to come
    for (i, (layer, input)) in network.walk()?.into_iter().enumerate() {
        let place = Place { layer, input, first: i == 0 };
        match layer.children().len() {
            0 => places.push(place),
            children => {
                blocks.push((place, children));
                continue;
            }
        }
        while let Some((block, left)) = blocks.pop() {
            if left > 1 {
                blocks.push((block, left - 1));
                break;
            }
            places.push(block);
        }
    }
    Ok(places)
}

/// Names, output, work and algorithms of layers that run as one.
fn describe(together: &[Place], options: &StepOptions) -> Result<Part> {
    let (ctx, batch) = (Context::global().in_precision(options.precision), options.batch);
    let mut part = Part::default();
    let size = size_of::<f32>();
    let (mut parameters, mut wanted) = (0, true);
    for Place { layer, input, first } in together {
        part.name += if part.name.is_empty() { "" } else { "+" };
        part.name += layer.name();
        part.output = layer.output_shape(input)?;
        let mut own = Vec::new();
        if layer.children().is_empty() {
            layer.parameters(&mut own);
            let gflop = 2.0 * (batch * layer.macs(input)) as f64 / 1e9;
            part.forward.gflop += gflop;
            part.backward.gflop += if *first { 1.0 } else { 2.0 } * gflop;
        }
        parameters += own.iter().map(|p| p.value.elements()).sum::<usize>();
        wanted &= !first;
        if let (Layer::Conv2d(l), &[c, h, w]) = (layer, &input[..]) {
            let g = l.geometry([batch, c, h, w])?;
            let algorithm = |pass| plan_name(ctx, &g, pass);
            part.forward.algorithms.push(algorithm(Pass::Forward));
            let of_input = if *first { "none".into() } else { algorithm(Pass::BackwardInput) };
            part.backward.algorithms = vec![of_input, algorithm(Pass::BackwardWeight)];
        }
    }
    let elements = |shape: &[usize]| batch * shape.iter().product::<usize>();
    let (x, y) = (elements(&together[0].input), elements(&part.output));
    part.forward.bytes = size * (x + parameters + y);
    // Read: the gradient that arrives, what was saved, the weights; written: both gradients.
    part.backward.bytes = size * (y + x + if wanted { x } else { 0 } + 2 * parameters);
    Ok(part)
}

fn total(parts: &[Part]) -> Part {
    let mut total = Part { name: "total".into(), share: 1.0, ..Part::default() };
    for part in parts {
        for (sum, work) in
            [(&mut total.forward, &part.forward), (&mut total.backward, &part.backward)]
        {
            sum.milliseconds += work.milliseconds;
            sum.gflop += work.gflop;
            sum.bytes += work.bytes;
        }
    }
    for work in [&mut total.forward, &mut total.backward] {
        work.gflop_per_second = 1e3 * work.gflop / work.milliseconds;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use fer_kernels::Precision;

    #[test]
    fn a_profiled_step_computes_the_same_bits() {
        let train = |profiled: bool| {
            let mut training = Training::new("tiny", 2, Precision::F32).unwrap();
            for _ in 0..2 {
                training
                    .step(|pass| {
                        if profiled {
                            drop(pass.profile())
                        }
                    })
                    .unwrap();
            }
            let state = training.network.state();
            state.iter().flat_map(|(_, t)| t.to_vec()).map(f32::to_bits).collect::<Vec<_>>()
        };
        assert!(train(true) == train(false));
    }

    #[test]
    fn children_run_before_their_block() {
        let network = Network::new(crate::model::architecture("fer-m").unwrap(), 0).unwrap();
        let names: Vec<_> = in_order_of_running(&network)
            .unwrap()
            .iter()
            .map(|place| place.layer.name().to_owned())
            .collect();
        let mut pass = crate::nn::Pass::eval();
        pass.watch_all();
        let side = crate::SIDE;
        let pixels = crate::tensor::Tensor::zeros(&[1, 1, side, side]);
        network.forward(&mut pass, &crate::autograd::Var::constant(pixels)).unwrap();
        let seen: Vec<_> = pass.outputs().iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(names, seen);
        assert!(names.iter().any(|name| name.starts_with("residual")));
    }
}
