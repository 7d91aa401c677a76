//! A trained network as the explanations see it.

use super::model::{
    BackwardRule, Classifier, InputGradient, LayerGradient, LayerInfo, LayerKind, Maps,
    Normalization, Objective, ObjectiveGradient, ReceptiveField,
};
use super::target::Target;
use crate::autograd::{Shape, Tensor, Var};
use crate::model::Network;
use crate::nn::{Function, Layer, Pass};
use crate::{Error, PIXELS, Result, SIDE};
use fer_kernels::Layout;

/// Faces in one pass of the network.
const BATCH: usize = 128;

/// A network in evaluation mode, with its layers described once.
#[derive(Debug)]
pub struct Explained<'a> {
    network: &'a Network<f32>,
    layers: Vec<LayerInfo>,
}

impl<'a> Explained<'a> {
    /// Prepares a network for explanations.
    ///
    /// # Errors
    /// [`Error::Usage`] if its input is not 48×48: the pictures are drawn on faces of that size.
    pub fn new(network: &'a Network<f32>) -> Result<Self> {
        if network.spec.input != [1, SIDE, SIDE] {
            return Err(Error::Usage(format!(
                "{} takes {:?}; explanations need [1, {SIDE}, {SIDE}]",
                network.spec.name, network.spec.input
            )));
        }
        let mut layers = Vec::new();
        let mut shape = network.spec.input.to_vec();
        describe(network.layers(), &mut shape, ReceptiveField::PIXEL, None, &mut layers)?;
        Ok(Self { network, layers })
    }

    /// The names of the classes.
    pub fn class_names(&self) -> &[String] {
        &self.network.spec.classes
    }

    /// Runs the network on faces `first..` of a slice, pixels as a leaf.
    fn run(&self, faces: &[f32], layer: Option<&str>) -> Result<(Pass, Var, Var)> {
        let mut pass = Pass::eval();
        if let Some(layer) = layer {
            pass.watch(&[layer]);
        }
        let pixels = pass.tape.leaf(pixels(faces)?);
        let logits = self.network.forward(&mut pass, &pixels)?;
        Ok((pass, pixels, logits))
    }

    fn watched<'p>(&self, pass: &'p Pass, layer: &str) -> Result<&'p Var> {
        let unseen = || Error::Usage(format!("no layer `{layer}` in {}", self.network.spec.name));
        pass.output(layer).ok_or_else(unseen)
    }
}

/// The network with its top `layers` layers that have parameters drawn anew by the training
/// initialiser, running statistics included; all of them for `None`.
///
/// **Errors**: those of building a network.
pub fn randomised(
    network: &Network<f32>,
    layers: Option<usize>,
    seed: u64,
) -> Result<Network<f32>> {
    let mut out = Network::new(network.spec.clone(), seed)?;
    let names = parametrised_layers(network);
    let kept = names.len() - layers.unwrap_or(names.len()).min(names.len());
    let state = network.state();
    for ((name, value), (_, trained)) in out.state_mut().into_iter().zip(state) {
        if names[..kept].iter().any(|layer| layer_of(&name) == layer) {
            *value = trained.clone();
        }
    }
    Ok(out)
}

/// Names of the layers that have parameters, from the pixels on.
pub fn parametrised_layers(network: &Network<f32>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in network.state() {
        let layer = layer_of(&name);
        if !names.iter().any(|n| n == layer) {
            names.push(layer.to_owned());
        }
    }
    names
}

/// `conv2d_1` of `conv2d_1.weight`.
fn layer_of(tensor: &str) -> &str {
    tensor.split('.').next().unwrap_or(tensor)
}

/// `[n, 1, 48, 48]`.
fn pixels(faces: &[f32]) -> Result<Tensor> {
    Tensor::from_slice(faces, &[faces.len() / PIXELS, 1, SIDE, SIDE])
}

/// A layer's output as maps.
fn maps(value: &Tensor) -> Maps {
    let s = value.shape();
    let (h, w) = if s.len() == 4 { (s[2], s[3]) } else { (1, 1) };
    Maps { n: s[0], c: s[1], h, w, data: value.to_vec() }
}

/// Starts of the backward pass for each face's target: scores and cotangent of the logits.
fn start(logits: &Tensor, targets: &[Target]) -> (Vec<f32>, Vec<f32>, Tensor) {
    let rows = logits.to_vec();
    let classes = logits.shape()[1];
    let each = || rows.chunks_exact(classes).zip(targets);
    let scores = each().map(|(row, target)| target.score(row)).collect();
    let gradient: Vec<f32> = each().flat_map(|(row, target)| target.logit_gradient(row)).collect();
    let cotangent = Tensor::build(logits.shape(), Layout::Nchw, |y| y.copy_from_slice(&gradient));
    (scores, rows, cotangent)
}

/// A gradient, or zeros where the score does not depend on the value.
fn or_zeros(gradient: Option<&Tensor>, shape: &Shape) -> Vec<f32> {
    gradient.map_or_else(|| vec![0.0; shape.elements()], Tensor::to_vec)
}

impl Classifier for Explained<'_> {
    fn classes(&self) -> usize {
        self.network.spec.classes.len()
    }

    fn logits(&self, faces: &[f32]) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for faces in faces.chunks(BATCH * PIXELS) {
            all.extend(self.network.logits(pixels(faces)?)?.to_vec());
        }
        Ok(all)
    }

    fn input_gradient(
        &self,
        faces: &[f32],
        targets: &[Target],
        rule: BackwardRule,
    ) -> Result<InputGradient> {
        let mut out = InputGradient::default();
        for (faces, targets) in faces.chunks(BATCH * PIXELS).zip(targets.chunks(BATCH)) {
            let (mut pass, x, logits) = self.run(faces, None)?;
            let (scores, rows, cotangent) = start(logits.value(), targets);
            let gradients = pass.tape.backward_from(&logits, cotangent, rule)?;
            out.scores.extend(scores);
            out.logits.extend(rows);
            out.gradient.extend(or_zeros(gradients.get(&x), &x.shape()));
        }
        Ok(out)
    }

    fn layer_gradient(
        &self,
        layer: &str,
        faces: &[f32],
        targets: &[Target],
    ) -> Result<LayerGradient> {
        let mut out = LayerGradient::default();
        for (faces, targets) in faces.chunks(BATCH * PIXELS).zip(targets.chunks(BATCH)) {
            let (mut pass, _, logits) = self.run(faces, Some(layer))?;
            let map = self.watched(&pass, layer)?.clone();
            let (scores, rows, cotangent) = start(logits.value(), targets);
            let gradients = pass.tape.backward_from(&logits, cotangent, BackwardRule::Standard)?;
            append(&mut out.maps, maps(map.value()));
            out.gradient.extend(or_zeros(gradients.get(&map), &map.shape()));
            out.scores.extend(scores);
            out.logits.extend(rows);
        }
        Ok(out)
    }

    fn activations(&self, layer: &str, faces: &[f32]) -> Result<Maps> {
        let mut out = Maps::default();
        for faces in faces.chunks(BATCH * PIXELS) {
            let mut pass = Pass::eval();
            pass.watch(&[layer]);
            self.network.forward_to_watched(&mut pass, &Var::constant(pixels(faces)?))?;
            append(&mut out, maps(self.watched(&pass, layer)?.value()));
        }
        Ok(out)
    }

    fn objective_gradient(
        &self,
        objective: &Objective,
        faces: &[f32],
    ) -> Result<ObjectiveGradient> {
        let mut out = ObjectiveGradient::default();
        let units = objective.units().chunks(BATCH);
        for (faces, units) in faces.chunks(BATCH * PIXELS).zip(units) {
            let objective = objective.with_units(units.to_vec());
            let mut pass = Pass::eval();
            let x = pass.tape.leaf(pixels(faces)?);
            let output = match objective.layer() {
                Some(layer) => {
                    pass.watch(&[layer]);
                    self.network.forward_to_watched(&mut pass, &x)?;
                    self.watched(&pass, layer)?.clone()
                }
                None => self.network.forward(&mut pass, &x)?,
            };
            let maps = maps(output.value());
            let cotangent = Tensor::from_slice(&objective.map_gradient(&maps), &output.shape())?;
            let gradients = pass.tape.backward_from(&output, cotangent, BackwardRule::Standard)?;
            out.values.extend(objective.values(&maps));
            out.gradient.extend(or_zeros(gradients.get(&x), &x.shape()));
        }
        Ok(out)
    }

    fn layers(&self) -> Vec<LayerInfo> {
        self.layers.clone()
    }

    fn normalization(&self) -> Normalization {
        let spec = &self.network.spec;
        Normalization { mean: spec.mean as f32, std: spec.std as f32 }
    }
}

/// Joins the maps of two batches.
fn append(all: &mut Maps, batch: Maps) {
    let n = all.n + batch.n;
    all.data.extend(batch.data);
    *all = Maps { n, data: std::mem::take(&mut all.data), ..batch };
}

/// Describes layers in order; returns the field and the name of the last.
fn describe(
    layers: &[Layer],
    shape: &mut Vec<usize>,
    mut field: ReceptiveField,
    mut input: Option<String>,
    out: &mut Vec<LayerInfo>,
) -> Result<(ReceptiveField, Option<String>)> {
    for layer in layers {
        let before = field;
        match layer {
            Layer::Conv2d(l) => {
                let (k, o) = (l.weight.value.shape()[2], l.options);
                field = field.through(k, o.stride[0], o.padding[0], o.dilation[0]);
            }
            Layer::MaxPool2d(_, o) | Layer::AvgPool2d(_, o) => {
                field = field.through(o.kernel[0], o.stride[0], o.padding[0], 1);
            }
            // The whole picture is seen from here on.
            Layer::GlobalAvgPool2d(_) | Layer::Flatten(_) | Layer::Linear(_) => {
                field = ReceptiveField { size: SIDE, jump: 1.0, start: (SIDE as f64 - 1.0) / 2.0 };
            }
            _ => {}
        }
        if let Layer::Residual(block) = layer {
            (field, _) = describe(&block.body.0, &mut shape.clone(), before, input.clone(), out)?;
        }
        *shape = layer.output_shape(shape)?;
        out.push(LayerInfo {
            name: layer.name().to_owned(),
            kind: kind(layer),
            output: match **shape {
                [c, h, w] => [c, h, w],
                _ => [shape.iter().product(), 1, 1],
            },
            receptive_field: field,
            // A block adds two inputs; what follows it has one again.
            input: if matches!(layer, Layer::Residual(_)) { None } else { input.take() },
            gamma: match layer {
                Layer::BatchNorm2d(l) => Some(l.gamma.value.to_vec()),
                _ => None,
            },
        });
        input = Some(layer.name().to_owned());
    }
    Ok((field, input))
}

fn kind(layer: &Layer) -> LayerKind {
    match layer {
        Layer::Conv2d(_) => LayerKind::Conv2d,
        Layer::BatchNorm2d(_) => LayerKind::BatchNorm,
        Layer::Activation(l) if l.function == Function::Relu => LayerKind::Relu,
        Layer::Activation(_) => LayerKind::OtherActivation,
        Layer::MaxPool2d(..) | Layer::AvgPool2d(..) | Layer::GlobalAvgPool2d(_) => LayerKind::Pool,
        Layer::Linear(_) => LayerKind::Linear,
        _ => LayerKind::Other,
    }
}
