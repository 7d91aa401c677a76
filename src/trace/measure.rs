//! Runs a pass and reads its tape.

use crate::autograd::Var;
use crate::model::Network;
use crate::nn::{Mode, Pass};
use crate::ops::cost::{Cost, cost};
use crate::ops::{self, Targets};
use crate::tensor::{Shape, Tensor};
use crate::trace::{Picture, Totals, Trace, TraceNode};
use crate::{Error, Result};
use std::time::Instant;

/// Passes that are timed; a first one, which is not, fills the pools of buffers.
const TIMED: usize = 5;

/// Largest side of a [`Picture`].
const SMALL: usize = 16;

/// Runs a pass of `network` over one picture in evaluation mode, layer by layer (nothing fused), up to
/// the cross-entropy of `class`, and back to the parameters and pixels. `class` is by default the
/// answer.
///
/// **Shapes**: pixels as the network's input, in \[0,1\].
///
/// # Errors
/// [`Error::Shape`] if the pixels do not fit or there is no such class.
pub fn trace(network: &Network<f32>, pixels: &[f32], class: Option<usize>) -> Result<Trace> {
    let [c, h, w] = network.spec.input;
    let pixels = Tensor::from_slice(pixels, &[1, c, h, w])?;
    let mut trace = run(network, &pixels, class)?;
    let timed = (0..TIMED).map(|_| run(network, &pixels, class)).collect::<Result<Vec<_>>>()?;
    for (i, node) in trace.nodes.iter_mut().enumerate() {
        for pass in [0, 1] {
            let times = timed.iter().map(|t| t.nodes[i].milliseconds[pass]);
            let mut times: Vec<f64> = times.collect();
            times.sort_by(f64::total_cmp);
            node.milliseconds[pass] = times[TIMED / 2];
        }
    }
    trace.total = totals(&trace.nodes);
    Ok(trace)
}

fn run(network: &Network<f32>, pixels: &Tensor<f32>, class: Option<usize>) -> Result<Trace> {
    let mut pass = Pass::new(Mode::Eval, true);
    pass.watch_all();
    pass.tape.start_clock();
    let x = pass.tape.leaf(pixels.clone());
    let logits = network.forward(&mut pass, &x)?;
    let z = logits.value().to_vec();
    let answer = (0..z.len()).fold(0, |best, k| if z[k] > z[best] { k } else { best });
    let class = class.unwrap_or(answer);
    let name =
        network.spec.classes.get(class).cloned().ok_or_else(|| {
            Error::shape("trace", format!("class {class} of {} classes", z.len()))
        })?;
    let target = Targets::Labels(vec![class]);
    let loss = ops::cross_entropy(&mut pass.tape, &logits, &target, &Default::default())?;
    let values =
        named_values(network, &mut pass, [(&x, "pixels"), (&logits, "logits"), (&loss, "loss")]);
    let mut nodes = read(&pass, &values);
    let dot = pass.tape.to_dot();
    go_back(&mut pass, &loss, &mut nodes)?;
    let p = logits.value().map(f32::exp);
    let sum: f32 = p.as_slice().iter().sum();
    let p = network.spec.classes.iter().cloned().zip(p.to_vec().into_iter().map(|p| p / sum));
    Ok(Trace {
        network: network.spec.name.clone(),
        class: name,
        probabilities: p.collect(),
        loss: loss.value().item(),
        total: Totals::default(),
        nodes,
        dot,
    })
}

/// Names the nodes of parameters and layers, and returns their variables by number of the node.
fn named_values(
    network: &Network<f32>,
    pass: &mut Pass,
    others: [(&Var, &str); 3],
) -> Vec<Option<Var>> {
    let mut named: Vec<(Var, String)> = Vec::new();
    named.extend(pass.outputs().iter().map(|(name, var)| (var.clone(), name.clone())));
    let leaf = |p: &&crate::nn::Parameter| {
        Some((Var::of_node(p.value.clone(), Some(pass.leaf(p)?)), p.name.clone()))
    };
    named.extend(network.parameters().iter().filter_map(leaf));
    named.extend(others.map(|(var, name)| (var.clone(), name.to_owned())));
    let mut values = vec![None; pass.tape.len()];
    for (var, name) in named {
        let Some(id) = var.id() else { continue };
        let before = pass.tape.name(id);
        // A layer that does nothing, such as dropout in evaluation, shares the node of the one before.
        let name = if before.is_empty() { name } else { format!("{before} = {name}") };
        pass.tape.set_name(&var, &name);
        values[id.index()] = Some(var);
    }
    values
}

/// Reads every node but its gradient.
fn read(pass: &Pass, values: &[Option<Var>]) -> Vec<TraceNode> {
    let shapes: Vec<Shape> = pass.tape.nodes().map(|(_, _, _, shape)| shape).collect();
    let times = pass.tape.durations();
    let size = size_of::<f32>();
    let row = |(id, op, inputs, shape): (crate::autograd::NodeId, _, &[Option<_>], Shape)| {
        let inputs: Vec<Option<usize>> =
            inputs.iter().map(|i: &Option<crate::autograd::NodeId>| i.map(|i| i.index())).collect();
        let of: Vec<Option<Shape>> = inputs.iter().map(|i| i.map(|i| shapes[i])).collect();
        let cost: Cost = cost(op, &of, shape).unwrap_or_default();
        let name = pass.tape.name(id).to_owned();
        let is_parameter = op == "leaf" && name != "pixels";
        let value = values[id.index()].as_ref().map(|var| picture(var.value()));
        let milliseconds = times.get(id.index()).map_or(0.0, |t| 1e3 * t.as_secs_f64());
        TraceNode {
            node: id.index(),
            op,
            name,
            inputs,
            shape,
            parameters: if is_parameter { shape.elements() } else { 0 },
            macs: cost.macs,
            flop: cost.flop(),
            bytes: cost.numbers.map(|n| size * n),
            saved_bytes: size * cost.saved,
            milliseconds: [milliseconds, 0.0],
            gradient: None,
            pictures: [value, None],
        }
    };
    pass.tape.nodes().map(row).collect()
}

/// Runs the backward pass and notes the gradient and the time of every node.
fn go_back(pass: &mut Pass, loss: &Var, nodes: &mut [TraceNode]) -> Result<()> {
    let mut open: Option<(usize, Instant)> = None;
    let mut times = vec![0.0; nodes.len()];
    let one = Tensor::full(&loss.shape(), 1.0);
    pass.tape.backward_with(loss, one, &mut |id, _, grad| {
        if let Some((node, since)) = open {
            times[node] = 1e3 * since.elapsed().as_secs_f64();
        }
        note(&mut nodes[id.index()], grad);
        open = Some((id.index(), Instant::now()));
    })?;
    if let Some((node, since)) = open {
        times[node] = 1e3 * since.elapsed().as_secs_f64();
    }
    for (node, time) in nodes.iter_mut().zip(times) {
        node.milliseconds[1] = time;
    }
    Ok(())
}

fn note(node: &mut TraceNode, grad: &Tensor<f32>) {
    let squares = grad.as_slice().iter().map(|&g| f64::from(g) * f64::from(g));
    node.gradient = Some(squares.sum::<f64>().sqrt());
    node.pictures[1] = Some(picture(grad));
}

/// Returns the first image and channel of a tensor, or the first of a vector's values, by the mean of
/// blocks where it is large.
fn picture(x: &Tensor<f32>) -> Picture {
    let (shape, values) = (x.shape(), x.to_vec());
    let (h, w) = match *shape {
        [_, _, h, w] => (h, w),
        [_, w] => (1, w),
        _ => (1, values.len()),
    };
    let block = |side: usize| if h == 1 { 1 } else { side.div_ceil(SMALL).max(1) };
    let (by, bx) = (block(h), block(w));
    let (rows, width) = (h / by, (w / bx).min(SMALL));
    let mean = |i: usize| {
        let (r, c) = (i / width * by, i % width * bx);
        let at = |k: usize| values[(r + k / bx) * w + c + k % bx];
        (0..by * bx).map(at).sum::<f32>() / (by * bx) as f32
    };
    let small: Vec<f32> = (0..rows * width).map(mean).collect();
    let first = &values[..(h * w).min(values.len())];
    let range =
        first.iter().fold([f32::INFINITY, f32::NEG_INFINITY], |[a, b], &v| [a.min(v), b.max(v)]);
    Picture { width, range, values: small }
}

fn totals(nodes: &[TraceNode]) -> Totals {
    let mut total = Totals::default();
    for node in nodes {
        total.parameters += node.parameters;
        total.saved_bytes += node.saved_bytes;
        for pass in [0, 1] {
            total.macs[pass] += node.macs[pass];
            total.flop[pass] += node.flop[pass];
            total.bytes[pass] += node.bytes[pass];
            total.milliseconds[pass] += node.milliseconds[pass];
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{architecture, summary};

    /// The table of the tape and the table of the layers count the same network.
    #[test]
    fn totals_equal_the_arithmetic_of_the_layers() {
        for name in ["tiny", "fer-s"] {
            let network = Network::<f32>::new(architecture(name).unwrap(), 0).unwrap();
            let trace = trace(&network, &[0.5; crate::PIXELS], Some(3)).unwrap();
            let layers = summary(&network).unwrap();
            assert_eq!(trace.total.parameters, layers.parameters, "{name}");
            // Each product once forward, and for each of its two factors once backward.
            assert_eq!(trace.total.macs, [layers.macs, 2 * layers.macs], "{name}");
            let used = |i: usize| trace.nodes.iter().any(|n| n.inputs.contains(&Some(i)));
            for node in &trace.nodes {
                assert!(node.gradient.is_some(), "{name}: no gradient at {node:?}");
                assert!(used(node.node) || node.name == "loss", "{name}: {node:?} is not used");
            }
        }
    }

    #[test]
    fn the_gradient_of_the_logits_is_p_minus_t() {
        let network = Network::<f32>::new(architecture("tiny").unwrap(), 0).unwrap();
        let trace = trace(&network, &[0.5; crate::PIXELS], Some(2)).unwrap();
        let p = trace.probabilities.iter().map(|(_, p)| f64::from(*p));
        let difference = p.enumerate().map(|(k, p)| (p - f64::from(u8::from(k == 2))).powi(2));
        let logits = trace.nodes.iter().find(|n| n.name.contains("logits")).unwrap();
        let want = difference.sum::<f64>().sqrt();
        assert!((logits.gradient.unwrap() - want).abs() < 1e-5, "{logits:?}, {want}");
        let refused = super::trace(&network, &[0.5; crate::PIXELS], Some(7)).unwrap_err();
        assert!(refused.to_string().contains("class 7 of 7"), "{refused}");
    }

    #[test]
    fn a_picture_is_small() {
        let x = Tensor::from_fn(&[1, 2, 48, 48], |i| (i % 48) as f32);
        let small = picture(&x);
        assert_eq!((small.width, small.values.len(), small.range), (16, 256, [0.0, 47.0]));
        assert_eq!(small.values[..3], [1.0, 4.0, 7.0]); // means of 0…2, 3…5, 6…8
        assert_eq!(picture(&Tensor::scalar(5.0)).values, [5.0]);
    }
}
