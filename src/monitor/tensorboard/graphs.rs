//! The two graphs of a network: its layers in blocks, and its operations.

use crate::Result;
use crate::autograd::NodeId;
use crate::model::Network;
use crate::monitor::probe::split_parameter_name;
use crate::monitor::tensorboard::summary::graph::Node;
use crate::monitor::tensorboard::summary::keras_graph;
use crate::nn::{Layer, Mode, Pass};
use crate::ops::{CrossEntropyOptions, Targets, cross_entropy};
use crate::tensor::Tensor;

/// Returns the layers as blocks: a residual block with its skip connection; a convolution with the
/// layers up to the next one.
pub fn conceptual(network: &Network<f32>) -> keras_graph::Layer {
    let mut layers = vec![keras_graph::Layer::new("input", "InputLayer")];
    let mut block: Vec<&Layer> = Vec::new();
    let mut blocks = 0;
    let mut close = |block: &mut Vec<&Layer>, layers: &mut Vec<keras_graph::Layer>| {
        let inside: Vec<_> = block.drain(..).map(of_layer).collect();
        if inside.len() > 1 {
            blocks += 1;
            layers.push(keras_graph::Layer::block(&format!("block_{blocks}"), inside));
        } else {
            layers.extend(inside);
        }
    };
    for layer in network.layers() {
        match layer {
            Layer::BatchNorm2d(_)
            | Layer::Activation(_)
            | Layer::MaxPool2d(..)
            | Layer::AvgPool2d(..)
                if !block.is_empty() =>
            {
                block.push(layer);
            }
            _ => {
                close(&mut block, &mut layers);
                block.push(layer);
                if matches!(layer, Layer::Residual(_)) {
                    layers.push(of_layer(layer));
                    block.clear();
                }
            }
        }
    }
    close(&mut block, &mut layers);
    keras_graph::Layer::block(&network.spec.name, layers)
}

fn of_layer(layer: &Layer) -> keras_graph::Layer {
    let Layer::Residual(residual) = layer else {
        return keras_graph::Layer::new(layer.name(), layer.kind());
    };
    let mut inside = vec![keras_graph::Layer::new("x", "Identity")];
    inside.extend(residual.body.0.iter().map(of_layer));
    let last = residual.body.0.last().map_or("x", Layer::name);
    inside.push(keras_graph::Layer::new("add", "Add").reading(&[last, "x"]));
    keras_graph::Layer::block(&residual.name, inside)
}

/// Returns the operations from the pixels to the loss, as the tape recorded them, each in the scope of
/// its layer.
pub fn run_graph(network: &Network<f32>) -> Result<Vec<Node>> {
    let [c, h, w] = network.spec.input;
    let mut pass = Pass::new(Mode::Eval, true);
    pass.watch_all();
    let pixels = pass.tape.leaf(Tensor::zeros(&[2, c, h, w]));
    let logits = network.forward(&mut pass, &pixels)?;
    let options = CrossEntropyOptions { label_smoothing: 0.0, class_weights: None };
    cross_entropy(&mut pass.tape, &logits, &Targets::Labels(vec![0, 0]), &options)?;

    let ids: Vec<NodeId> = pass.tape.nodes().map(|(id, ..)| id).collect();
    let place = |id: Option<NodeId>| ids.iter().position(|&other| Some(other) == id);
    // Position of each layer's output on the tape, and the scopes around the layer.
    let ends: Vec<(usize, String)> = pass
        .outputs()
        .iter()
        .filter_map(|(name, y)| Some((place(y.id())?, path_to(network.layers(), name)?)))
        .collect();
    let parameters = network.parameters();
    let leaf = |at: usize| parameters.iter().find(|p| place(pass.leaf(p)) == Some(at));
    let first = (0..ids.len()).find(|&at| leaf(at).is_some()).unwrap_or(0);
    let scope = |at: usize| match ends.iter().find(|(end, _)| *end >= at) {
        _ if at < first => "normalise",
        Some((_, path)) => path,
        None => "loss",
    };
    let mut nodes: Vec<Node> = Vec::new();
    for (at, (_, op, inputs, shape)) in pass.tape.nodes().enumerate() {
        let (name, op, batch) = match leaf(at) {
            Some(p) => {
                (format!("{}/{}", scope(at), split_parameter_name(&p.name).1), "Parameter", false)
            }
            None if at == 0 => ("input".into(), "Placeholder", true),
            None => (format!("{}/{op}", scope(at)), op, true),
        };
        let inputs = inputs.iter().filter_map(|&id| Some(nodes[place(id)?].name.clone())).collect();
        let sizes = shape.iter().enumerate().map(|(axis, &n)| (axis > 0 || !batch).then_some(n));
        let name = unique(name, &nodes);
        let output_shape = sizes.collect();
        nodes.push(Node { name, op: op.into(), inputs, output_shape });
    }
    Ok(nodes)
}

/// Returns `name`, or `name_1`, … if it is taken.
fn unique(name: String, nodes: &[Node]) -> String {
    let taken = |name: &String| nodes.iter().any(|n| n.name == *name);
    let numbered = (1..).map(|i| format!("{name}_{i}"));
    std::iter::once(name.clone()).chain(numbered).find(|n| !taken(n)).unwrap_or(name)
}

/// Returns the path to a layer: `residual_1/conv2d_3`.
fn path_to(layers: &[Layer], name: &str) -> Option<String> {
    layers.iter().find_map(|layer| match layer.name() == name {
        true => Some(name.into()),
        false => path_to(layer.children(), name).map(|path| format!("{}/{path}", layer.name())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::architecture;

    fn network(arch: &str) -> Network<f32> {
        Network::new(architecture(arch).unwrap(), 1).unwrap()
    }

    #[test]
    fn operations_are_connected_and_stand_in_their_layers() {
        let nodes = run_graph(&network("fer-s")).unwrap();
        let node = |name: &str| {
            nodes.iter().find(|n| n.name == name).unwrap_or_else(|| panic!("{name} in {nodes:#?}"))
        };
        assert_eq!(node("input").output_shape, [None, Some(1), Some(48), Some(48)]);
        let conv = node("conv2d_1/conv2d");
        assert_eq!(conv.inputs, ["normalise/mul", "conv2d_1/weight"]);
        assert_eq!(conv.output_shape, [None, Some(16), Some(48), Some(48)]);
        assert_eq!(node("conv2d_1/weight").output_shape, [16, 1, 3, 3].map(Some));
        let add = node("residual_1/add");
        assert_eq!(add.inputs[0].split('/').next(), Some("activation_2"));
        assert!(add.inputs[1].starts_with("residual_1/squeeze_excite_1/"));
        let loss = &nodes[nodes.len() - 1];
        assert!(loss.name.starts_with("loss/"), "{loss:?}");
        // Every operation but parameters and the input reads another one that came before it.
        for (i, n) in nodes.iter().enumerate() {
            let leaf = ["Parameter", "Placeholder"].contains(&n.op.as_str());
            assert_eq!(n.inputs.is_empty(), leaf, "{n:?}");
            let before = |input: &String| nodes[..i].iter().any(|other| other.name == *input);
            assert!(n.inputs.iter().all(before), "{n:?}");
        }
    }

    #[test]
    fn layers_are_grouped_into_blocks() {
        let model = conceptual(&network("fer-s"));
        let names: Vec<&str> = model.layers.iter().map(|l| l.name.as_str()).collect();
        assert_eq!(names[..4], ["input", "block_1", "block_2", "residual_1"]);
        assert_eq!(names[names.len() - 1], "linear_1");
        let inside = |i: usize| -> Vec<&str> {
            model.layers[i].layers.iter().map(|l| l.name.as_str()).collect()
        };
        assert_eq!(inside(1), ["conv2d_1", "batch_normalization_1", "activation_1"]);
        assert_eq!(inside(3)[0], "x");
        assert_eq!(model.layers[3].layers.last().unwrap().inputs, ["squeeze_excite_1", "x"]);
    }
}
