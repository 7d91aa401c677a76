//! A network as a table: layer, output shape, parameters, multiply-accumulates.

use crate::Result;
use crate::console::thousands;
use crate::model::Network;
use crate::nn::Layer;
use crate::tensor::Element;
use serde::Serialize;
use std::fmt::Write as _;

/// One row of the table.
#[derive(Clone, Debug, Serialize)]
pub struct LayerRow {
    /// Name by which commands address the layer.
    pub layer: String,
    /// Kind of layer by its Keras name.
    pub kind: &'static str,
    /// Number of blocks around it.
    pub depth: usize,
    /// Shape of its output for one image.
    pub output: Vec<usize>,
    /// Number of parameters.
    pub parameters: usize,
    /// Multiply-accumulates for one image.
    pub macs: usize,
}

/// The table and its totals.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Name of the architecture.
    pub name: String,
    /// Layers; a block is followed by its children.
    pub layers: Vec<LayerRow>,
    /// Number of parameters.
    pub parameters: usize,
    /// Multiply-accumulates for one image; FLOP = 2 · MAC.
    pub macs: usize,
}

/// Returns the table of a network.
pub fn summary<T: Element>(network: &Network<T>) -> Result<Summary> {
    let mut layers = Vec::new();
    add_rows(network.layers(), network.spec.input.to_vec(), 0, &mut layers)?;
    let top = layers.iter().filter(|row| row.depth == 0);
    Ok(Summary {
        name: network.spec.name.clone(),
        parameters: top.clone().map(|row| row.parameters).sum(),
        macs: top.map(|row| row.macs).sum(),
        layers,
    })
}

fn add_rows<T: Element>(
    layers: &[Layer<T>],
    mut shape: Vec<usize>,
    depth: usize,
    rows: &mut Vec<LayerRow>,
) -> Result<()> {
    for layer in layers {
        let output = layer.output_shape(&shape)?;
        let mut parameters = Vec::new();
        layer.parameters(&mut parameters);
        rows.push(LayerRow {
            layer: layer.name().to_owned(),
            kind: layer.kind(),
            depth,
            output: output.clone(),
            parameters: parameters.iter().map(|p| p.value.elements()).sum(),
            macs: layer.macs(&shape),
        });
        add_rows(layer.children(), shape, depth + 1, rows)?;
        shape = output;
    }
    Ok(())
}

impl Summary {
    /// Returns the table as text.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let rule = "─".repeat(78);
        let _ = writeln!(out, "{}\n{rule}", self.name);
        let header = ("layer", "output", "parameters", "MACs");
        let _ = writeln!(out, "{:<34}{:<16}{:>12}{:>16}", header.0, header.1, header.2, header.3);
        let _ = writeln!(out, "{rule}");
        for row in &self.layers {
            let name = format!("{}{}", "  ".repeat(row.depth), row.layer);
            let shape = row.output.iter().map(ToString::to_string).collect::<Vec<_>>().join("×");
            let (parameters, macs) = (grouped(row.parameters), grouped(row.macs));
            let _ = writeln!(out, "{name:<34}{shape:<16}{parameters:>12}{macs:>16}");
        }
        let (parameters, macs) = (grouped(self.parameters), grouped(self.macs));
        let _ = writeln!(out, "{rule}\n{:<50}{parameters:>12}{macs:>16}", "total");
        let mflop = 2.0 * self.macs as f64 / 1e6;
        let _ = writeln!(out, "{mflop:.1} MFLOP per image, forward");
        out
    }
}

/// Returns a count with thousands separators; `–` for 0.
fn grouped(n: usize) -> String {
    if n == 0 { "–".into() } else { thousands(n as u64) }
}
