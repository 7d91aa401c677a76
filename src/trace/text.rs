//! A pass as text.

use crate::trace::{Trace, TraceNode};
use std::fmt::Write as _;

impl Trace {
    /// Returns the table: one row per node, then the totals.
    pub fn to_text(&self) -> String {
        let mut rows = vec![header()];
        rows.extend(self.nodes.iter().map(row));
        rows.push(self.totals());
        let widths: Vec<usize> = (0..rows[0].len())
            .map(|k| rows.iter().map(|row| row[k].chars().count()).max().unwrap_or(0))
            .collect();
        let mut text = format!(
            "{}: cross-entropy of {} {:.4} on one picture, evaluation mode, layer by layer\n\
             → forward, ← backward; ms: median of five passes; saved: kept for the backward pass\n\n",
            self.network, self.class, self.loss
        );
        for row in &rows {
            for (k, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let is_text = k < 5;
                let fill = " ".repeat(width - cell.chars().count());
                let cell = if is_text { format!("{cell}{fill}") } else { format!("{fill}{cell}") };
                let _ = write!(text, "{}{cell}", if k == 0 { "" } else { "  " });
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
        text
    }

    /// Returns the lines of the pass, one for each step: forward, then backward with every gradient that
    /// is handed on; `+=` where a value already has one.
    pub fn steps(&self) -> Vec<String> {
        let label = |i: usize| match self.nodes[i].name.as_str() {
            "" => format!("node {i}"),
            name => format!("node {i} ({name})"),
        };
        let forward = self.nodes.iter().map(|n| {
            let from: Vec<_> = n.inputs.iter().flatten().map(|&i| i.to_string()).collect();
            format!("→ {:<40} {:<14} {:?} from {}", label(n.node), n.op, n.shape, list(&from))
        });
        let mut lines: Vec<String> = forward.collect();
        let mut has_gradient = vec![false; self.nodes.len()];
        for node in self.nodes.iter().rev().filter(|n| n.op != "leaf") {
            let mut to = Vec::new();
            for &input in node.inputs.iter().flatten() {
                let sign = if has_gradient[input] { "+=" } else { "=" };
                has_gradient[input] = true;
                to.push(format!("{sign} {}", label(input)));
            }
            let norm = node.gradient.map_or("–".into(), |g| format!("{g:.3e}"));
            lines.push(format!(
                "← {:<40} {:<14} |ȳ| = {norm}, handed on to {}",
                label(node.node),
                node.op,
                list(&to)
            ));
        }
        lines
    }

    fn totals(&self) -> Vec<String> {
        let t = &self.total;
        let mut row = vec!["total".to_owned()];
        row.extend(["", "", "", ""].map(String::from));
        row.push(count(t.parameters));
        row.extend(t.flop.map(million));
        row.extend(t.bytes.map(kilo));
        row.extend(t.milliseconds.map(|ms| format!("{ms:.3}")));
        row.push(kilo(t.saved_bytes));
        row.push(String::new());
        row
    }
}

fn header() -> Vec<String> {
    [
        "node", "op", "inputs", "shape", "name", "params", "MFLOP →", "←", "kB →", "←", "ms →",
        "←", "saved kB", "|gradient|",
    ]
    .map(String::from)
    .into()
}

fn row(n: &TraceNode) -> Vec<String> {
    let inputs: Vec<_> = n.inputs.iter().map(|i| i.map_or("–".into(), |i| i.to_string())).collect();
    let mut row = vec![n.node.to_string(), n.op.into(), list(&inputs), format!("{:?}", n.shape)];
    row.push(n.name.clone());
    row.push(count(n.parameters));
    row.extend(n.flop.map(million));
    row.extend(n.bytes.map(kilo));
    row.extend(n.milliseconds.map(|ms| format!("{ms:.3}")));
    row.push(kilo(n.saved_bytes));
    row.push(n.gradient.map_or("–".into(), |g| format!("{g:.3e}")));
    row
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "–".into() } else { items.join(", ") }
}

fn count(n: usize) -> String {
    if n == 0 { "–".into() } else { n.to_string() }
}

fn million(n: usize) -> String {
    if n == 0 { "–".into() } else { format!("{:.3}", n as f64 / 1e6) }
}

fn kilo(n: usize) -> String {
    if n == 0 { "–".into() } else { format!("{:.1}", n as f64 / 1e3) }
}
