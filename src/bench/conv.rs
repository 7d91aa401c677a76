//! Speed of the three passes of single convolutions.

use crate::Result;
use crate::bench::machine::{Machine, peak_gflops};
use crate::bench::{ConvLayer, median, normal, seconds};
use fer_kernels::Context;
use fer_kernels::conv2d::{self, Pass, plan_name};
use serde::Serialize;
use std::fmt::Write as _;

/// Speed of a pass.
#[derive(Clone, Debug, Serialize)]
pub struct ConvSpeed {
    /// The convolution, such as `64-128@24`.
    pub layer: String,
    /// `forward`, `backward_input` or `backward_weight`.
    pub pass: &'static str,
    /// Algorithm.
    pub algorithm: String,
    /// Median time of a call.
    pub milliseconds: f64,
    /// Multiply-accumulates of the definition, in GFLOP/s.
    pub gflops: f64,
    /// Share of the arithmetic peak; Winograd can exceed 1, because it executes fewer multiplications.
    pub share_of_peak: f64,
}

/// Speed of convolutions.
#[derive(Clone, Debug, Serialize)]
pub struct ConvSpeeds {
    /// The machine and its settings.
    #[serde(flatten)]
    pub machine: Machine,
    /// Pictures per call.
    pub batch: usize,
    /// Arithmetic peak of the threads in use, GFLOP/s.
    pub peak_gflops: f64,
    /// Each pass of each layer.
    pub passes: Vec<ConvSpeed>,
}

/// Measures the passes of each layer: `steps` calls after two for warm-up.
///
/// # Errors
/// [`crate::Error::Usage`] if the threads cannot be started.
pub fn conv(layers: &[ConvLayer], batch: usize, steps: usize) -> Result<ConvSpeeds> {
    let (machine, ctx) = (Machine::here(), Context::global());
    let mut peak: f64 = 0.0;
    let mut passes = Vec::new();
    for &layer in layers {
        peak = peak.max(peak_gflops(machine.threads)?);
        let g = layer.geometry(batch.max(1));
        let (mut x, mut w) = (normal(g.input_len()), normal(g.weight_len()));
        let mut y = normal(g.output_len());
        for (pass, name) in Pass::ALL.into_iter().zip(NAMES) {
            let mut call = || match pass {
                Pass::Forward => conv2d::forward(ctx, &g, &x, &w, None, &mut y),
                Pass::BackwardInput => conv2d::backward_input(ctx, &g, &y, &w, &mut x),
                Pass::BackwardWeight => conv2d::backward_weight(ctx, &g, &x, &y, &mut w),
            };
            (0..2).for_each(|_| call());
            let median = median((0..steps.max(1)).map(|_| seconds(&mut call)).collect());
            let gflops = 2.0 * g.macs() as f64 / 1e9 / median;
            passes.push(ConvSpeed {
                layer: layer.to_string(),
                pass: name,
                algorithm: plan_name(ctx, &g, pass),
                milliseconds: 1e3 * median,
                gflops,
                share_of_peak: 0.0, // set below, when the peak is known
            });
        }
    }
    passes.iter_mut().for_each(|p| p.share_of_peak = p.gflops / peak);
    Ok(ConvSpeeds { machine, batch, peak_gflops: peak, passes })
}

/// Names of [`Pass::ALL`].
const NAMES: [&str; 3] = ["forward", "backward_input", "backward_weight"];

impl ConvSpeeds {
    /// Formats a table.
    pub fn to_text(&self) -> String {
        let mut out = format!(
            "3×3 convolutions, batch {}, arithmetic peak {:.0} GFLOP/s\n{}\n\n{:<12}{:<17}{:<14}{:>9}\
             {:>9}{:>10}\n",
            self.batch,
            self.peak_gflops,
            self.machine,
            "layer",
            "pass",
            "algorithm",
            "ms",
            "GFLOP/s",
            "of peak"
        );
        for p in &self.passes {
            let _ = writeln!(
                out,
                "{:<12}{:<17}{:<14}{:>9.2}{:>9.0}{:>8.0} %",
                p.layer,
                p.pass,
                p.algorithm,
                p.milliseconds,
                p.gflops,
                100.0 * p.share_of_peak
            );
        }
        out
    }
}
