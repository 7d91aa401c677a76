//! Writes each layer as ONNX operators, in evaluation mode.

use crate::export::onnx::graph::{Graph, float, int, ints};
use crate::nn::{ActivationFunction, BatchNorm2d, Conv2d, Layer, Linear, Parameter, SqueezeExcite};
use crate::ops::Pool2dOptions;
use crate::protobuf::Message;

/// Adds layers one after the other, from the value `x`, and returns the name of the last value.
pub(crate) fn chain(graph: &mut Graph, layers: &[Layer], x: &str) -> String {
    layers.iter().fold(x.to_owned(), |x, layer| add(graph, layer, &x))
}

/// Adds one layer with the input `x`, and returns the name of its output: that of the layer.
fn add(graph: &mut Graph, layer: &Layer, x: &str) -> String {
    let y = layer.name();
    match layer {
        Layer::Conv2d(l) => conv2d(graph, l, x),
        Layer::BatchNorm2d(l) => batch_norm(graph, l, x),
        Layer::Activation(l) => {
            let (operator, attributes) = match l.function {
                ActivationFunction::Relu => ("Relu", vec![]),
                ActivationFunction::LeakyRelu => ("LeakyRelu", vec![float("alpha", 0.01)]),
                ActivationFunction::Sigmoid => ("Sigmoid", vec![]),
                ActivationFunction::Tanh => ("Tanh", vec![]),
                ActivationFunction::Softmax => ("Softmax", vec![int("axis", u64::MAX)]), // −1
            };
            graph.node(operator, &[x], y, attributes);
        }
        Layer::MaxPool2d(_, o) => graph.node("MaxPool", &[x], y, pooling(o)),
        Layer::AvgPool2d(_, o) => {
            let mut attributes = pooling(o);
            attributes.push(int("count_include_pad", 1));
            graph.node("AveragePool", &[x], y, attributes);
        }
        Layer::GlobalAvgPool2d(_) => {
            let mean = format!("{y}.mean");
            graph.node("GlobalAveragePool", &[x], &mean, vec![]);
            graph.node("Flatten", &[&mean], y, vec![int("axis", 1)]);
        }
        Layer::Flatten(_) => graph.node("Flatten", &[x], y, vec![int("axis", 1)]),
        Layer::Linear(l) => linear(graph, l, x),
        Layer::Dropout(..) => return x.to_owned(),
        Layer::Residual(l) => {
            let body = chain(graph, &l.body.0, x);
            graph.node("Add", &[x, &body], y, vec![]);
        }
        Layer::SqueezeExcite(l) => squeeze_excite(graph, l, x),
    }
    y.to_owned()
}

fn parameter(graph: &mut Graph, p: &Parameter) -> String {
    graph.constant(&p.name, &p.value.shape(), &p.value.to_vec())
}

fn conv2d(graph: &mut Graph, l: &Conv2d, x: &str) {
    let shape = l.weight.value.shape();
    let weight = parameter(graph, &l.weight);
    let bias = l.bias.as_ref().map(|b| parameter(graph, b));
    let inputs: Vec<&str> = [x, &weight].into_iter().chain(bias.as_deref()).collect();
    let o = l.options;
    let attributes = vec![
        ints("kernel_shape", &[shape[2], shape[3]]),
        ints("strides", &o.stride),
        ints("pads", &[o.padding, o.padding].concat()), // top, left, bottom, right
        ints("dilations", &o.dilation),
        int("group", o.groups as u64),
    ];
    graph.node("Conv", &inputs, &l.name, attributes);
}

fn batch_norm(graph: &mut Graph, l: &BatchNorm2d, x: &str) {
    let (gamma, beta) = (parameter(graph, &l.gamma), parameter(graph, &l.beta));
    let mut running = |name: &str, t: &crate::tensor::Tensor| {
        graph.constant(&format!("{}.{name}", l.name), &t.shape(), &t.to_vec())
    };
    let mean = running("running_mean", &l.running_mean);
    let var = running("running_var", &l.running_var);
    let inputs = [x, &gamma, &beta, &mean, &var];
    graph.node("BatchNormalization", &inputs, &l.name, vec![float("epsilon", l.eps)]);
}

fn pooling(o: &Pool2dOptions) -> Vec<Message> {
    vec![
        ints("kernel_shape", &o.kernel),
        ints("strides", &o.stride),
        ints("pads", &[o.padding, o.padding].concat()),
    ]
}

fn linear(graph: &mut Graph, l: &Linear, x: &str) {
    let (weight, bias) = (parameter(graph, &l.weight), parameter(graph, &l.bias));
    graph.node("Gemm", &[x, &weight, &bias], &l.name, vec![int("transB", 1)]);
}

/// Adds squeeze and excitation. The two linear layers become 1×1 convolutions on the 1×1 means, so
/// that no reshape is needed.
fn squeeze_excite(graph: &mut Graph, l: &SqueezeExcite, x: &str) {
    let value = |part: &str| format!("{}.{part}", l.name);
    graph.node("GlobalAveragePool", &[x], &value("mean"), vec![]);
    pointwise(graph, &l.squeeze, &value("mean"));
    graph.node("Relu", &[&l.squeeze.name], &value("hidden"), vec![]);
    pointwise(graph, &l.excite, &value("hidden"));
    graph.node("Sigmoid", &[&l.excite.name], &value("share"), vec![]);
    graph.node("Mul", &[x, &value("share")], &l.name, vec![]);
}

/// Adds a linear layer over the channels of every pixel.
fn pointwise(graph: &mut Graph, l: &Linear, x: &str) {
    let shape = l.weight.value.shape();
    let values = l.weight.value.to_vec();
    let weight = graph.constant(&l.weight.name, &[shape[0], shape[1], 1, 1], &values);
    let bias = parameter(graph, &l.bias);
    graph.node("Conv", &[x, &weight, &bias], &l.name, vec![]);
}
