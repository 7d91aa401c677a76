//! The profile of a training step as a table.

use crate::bench::layers::{Part, StepProfile, Work};
use std::fmt::Write as _;

impl StepProfile {
    /// Formats a table.
    pub fn to_text(&self) -> String {
        let all = self.total.forward.milliseconds + self.total.backward.milliseconds;
        let mut out = format!(
            "One training step of {}, batch {}: {all:.1} ms, {:.0} images/s (medians of {} steps; \
             {:.1} ms without the profiler)\n{}\n\n",
            self.arch,
            self.batch,
            1e3 * self.batch as f64 / all,
            self.steps,
            self.milliseconds_without_profiler,
            self.machine
        );
        let widest = self.parts.iter().map(|p| p.name.chars().count()).max().unwrap_or(0).max(5);
        let _ = writeln!(
            out,
            "{:<widest$} {:>11} │ {:^26} │ {:^26} │        │ algorithm: forward,",
            "", "", "forward", "backward"
        );
        let heads = format!("{:>8}{:>9}{:>9}", "ms", "GFLOP/s", "MB");
        let _ = writeln!(
            out,
            "{:<widest$} {:>11} │ {heads} │ {heads} │   step │ gradient of input, of weights",
            "layer", "output"
        );
        for part in &self.parts {
            row(&mut out, part, widest);
        }
        row(&mut out, &self.total, widest);
        out + "\nMB counts input, parameters and result once (backward: both gradients and the saved \
               tensors).\nA name with + stands for layers that are fused.\n\n"
            + &self.inference.to_text()
    }
}

fn row(out: &mut String, part: &Part, widest: usize) {
    let output: Vec<String> = part.output.iter().map(ToString::to_string).collect();
    let algorithms = [&part.forward.algorithms[..], &part.backward.algorithms[..]].concat();
    let line = format!(
        "{:<widest$} {:>11} │ {} │ {} │ {:>4.1} % │ {}",
        part.name,
        output.join("×"),
        columns(&part.forward),
        columns(&part.backward),
        100.0 * part.share,
        algorithms.join(", ")
    );
    let _ = writeln!(out, "{}", line.trim_end());
}

fn columns(work: &Work) -> String {
    let rate = match work.gflop {
        0.0 => String::new(),
        _ => format!("{:.0}", work.gflop_per_second),
    };
    let bytes = match work.bytes {
        0 => String::new(),
        bytes => format!("{:.1}", bytes as f64 / 1e6),
    };
    let time = match work.milliseconds {
        0.0 => String::new(),
        time => format!("{time:.2}"),
    };
    format!("{time:>8}{rate:>9}{bytes:>9}")
}
