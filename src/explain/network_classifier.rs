//! [`NetworkClassifier`]: a [`Network`] as a [`Classifier`].

use crate::autograd::Var;
use crate::explain::attribution::gradient::guided_backprop::block_negative_gradients;
use crate::explain::batch::in_passes;
use crate::explain::face_resize::FaceResize;
use crate::explain::filters::top_activations::LOGITS;
use crate::explain::{
    BackwardRule, Classifier, FeatureMaps, InputGradient, LayerGradient, LayerInfo, LayerKind,
    Normalization, Objective, ObjectiveGradient, ReceptiveField, Target,
};
use crate::model::{Inference, LoadedModel, Network};
use crate::nn::{ActivationFunction, Layer, Pass};
use crate::stats::softmax;
use crate::tensor::{Element, Shape, Tensor};
use crate::{Error, PIXELS, Result};
use fer_kernels::Layout;
use std::any::Any;
use std::collections::HashMap;

/// A network in evaluation mode, with a description of its layers.
///
/// Faces are 48×48 whatever the input size of the network: the resize counts as the first layer, so
/// maps are derivatives with respect to the pixels of the face. In f64 the naive kernels compute
/// the same results slowly, to check those of f32.
#[derive(Debug)]
pub struct NetworkClassifier<'a, T: Element = f32> {
    network: &'a Network<T>,
    layers: Vec<LayerInfo>,
    size: FaceResize,
    /// The same network with batch normalisation folded into the convolutions, for logits without
    /// gradient; f32 only.
    folded: Option<Inference>,
    /// Softmax temperature of the probabilities.
    temperature: f64,
}

impl LoadedModel {
    /// Returns the network as explanations see it, with calibrated probabilities.
    pub fn classifier(&self) -> Result<NetworkClassifier<'_>> {
        let temperature = self.temperature(false).unwrap_or(1.0);
        Ok(NetworkClassifier::new(&self.network)?.at_temperature(temperature))
    }
}

impl<'a, T: Element> NetworkClassifier<'a, T> {
    /// Prepares a network for explanations.
    ///
    /// **Errors**: `Usage` where its input is not one square channel.
    pub fn new(network: &'a Network<T>) -> Result<Self> {
        let [1, side, width] = network.spec.input else {
            return Err(not_a_square(network));
        };
        if side != width || side == 0 {
            return Err(not_a_square(network));
        }
        let size = FaceResize::new(side);
        let mut layers = Vec::new();
        let mut shape = network.spec.input.to_vec();
        let whole = ReceptiveField { size: side, jump: 1.0, start: (side as f64 - 1.0) / 2.0 };
        describe(network.layers(), &mut shape, (ReceptiveField::PIXEL, whole), None, &mut layers)?;
        for layer in &mut layers {
            layer.receptive_field = size.in_face_pixels(layer.receptive_field);
        }
        let folded = (network as &dyn Any).downcast_ref().map(Inference::new);
        Ok(Self { network, layers, size, folded, temperature: 1.0 })
    }

    /// Sets the softmax temperature of the probabilities, as calibration found it. Scores and
    /// gradients are those of the undivided logits.
    pub fn at_temperature(self, temperature: f64) -> Self {
        Self { temperature, ..self }
    }

    /// Names of the classes.
    pub fn class_names(&self) -> &[String] {
        &self.network.spec.classes
    }

    /// Runs the network on faces with the pixels as a leaf of the tape. The output of `layer` is
    /// kept.
    fn run(&self, faces: &[f32], layer: Option<&str>) -> Result<Run<T>> {
        let mut pass = Pass::eval();
        if let Some(layer) = layer {
            pass.watch(&[layer]);
        }
        let pixels = pass.tape.leaf(pixels(&self.size, faces)?);
        let logits = self.network.forward(&mut pass, &pixels)?;
        Ok(Run { pass, pixels, logits })
    }

    /// Returns the outputs of all layers by name, and the logits as [`LOGITS`], from one forward pass.
    ///
    /// # Errors
    /// Those of the network.
    pub fn all_outputs(&self, faces: &[f32]) -> Result<HashMap<String, FeatureMaps>> {
        let mut pass = Pass::eval();
        pass.watch_all();
        let logits = self.network.forward(&mut pass, &Var::constant(pixels(&self.size, faces)?))?;
        let outputs = pass.outputs().iter();
        let mut all: HashMap<String, FeatureMaps> =
            outputs.map(|(name, value)| (name.clone(), maps(value.value()))).collect();
        all.insert(LOGITS.into(), maps(logits.value()));
        Ok(all)
    }

    fn watched<'p>(&self, pass: &'p Pass<T>, layer: &str) -> Result<&'p Var<T>> {
        let unseen = || Error::Usage(format!("no layer `{layer}` in {}", self.network.spec.name));
        pass.output(layer).ok_or_else(unseen)
    }

    /// Converts a gradient of the network's input to one of the faces, `[n, 48, 48]`.
    fn face_gradient(&self, gradient: Option<&Tensor<T>>, shape: &Shape) -> Vec<f32> {
        let of_network = gradient.map_or_else(|| vec![T::ZERO; shape.elements()], Tensor::to_vec);
        narrow(&self.size.backward(&of_network))
    }
}

/// Resizes faces to the input of a network, `[n, 1, side, side]`.
fn pixels<T: Element>(size: &FaceResize, faces: &[f32]) -> Result<Tensor<T>> {
    let wide: Vec<T> = faces.iter().map(|&v| T::from_f64(f64::from(v))).collect();
    Tensor::from_slice(&size.forward(&wide), &[faces.len() / PIXELS, 1, size.side(), size.side()])
}

/// A forward pass up to the logits.
struct Run<T: Element> {
    pass: Pass<T>,
    pixels: Var<T>,
    logits: Var<T>,
}

fn not_a_square<T: Element>(network: &Network<T>) -> Error {
    let (name, input) = (&network.spec.name, network.spec.input);
    Error::Usage(format!("{name} takes {input:?}; explanations need one channel of a square"))
}

fn narrow<T: Element>(values: &[T]) -> Vec<f32> {
    values.iter().map(|v| v.to_f64() as f32).collect()
}

/// Converts the output of a layer to feature maps.
fn maps<T: Element>(value: &Tensor<T>) -> FeatureMaps {
    let s = value.shape();
    let (h, w) = if s.len() == 4 { (s[2], s[3]) } else { (1, 1) };
    FeatureMaps { n: s[0], c: s[1], h, w, data: narrow(&value.to_vec()) }
}

fn cotangent<T: Element>(gradient: &[f32], shape: Shape) -> Tensor<T> {
    Tensor::build(shape, Layout::Nchw, |y| {
        y.iter_mut().zip(gradient).for_each(|(y, &g)| *y = T::from_f64(f64::from(g)));
    })
}

/// Returns scores, logits, and the cotangent of the logits that starts the backward pass.
fn start<T: Element>(logits: &Tensor<T>, targets: &[Target]) -> (Vec<f32>, Vec<f32>, Tensor<T>) {
    let rows = narrow(&logits.to_vec());
    let classes = logits.shape()[1];
    let each = || rows.chunks_exact(classes).zip(targets);
    let scores = each().map(|(row, target)| target.score(row)).collect();
    let gradient: Vec<f32> = each().flat_map(|(row, target)| target.logit_gradient(row)).collect();
    (scores, rows, cotangent(&gradient, logits.shape()))
}

impl<T: Element> Classifier for NetworkClassifier<'_, T> {
    fn classes(&self) -> usize {
        self.network.spec.classes.len()
    }

    fn probabilities(&self, logits: &[f32]) -> Vec<f32> {
        softmax(logits, 1.0 / self.temperature)
    }

    fn logits(&self, faces: &[f32]) -> Result<Vec<f32>> {
        let run = |_: usize, faces: &[f32]| match &self.folded {
            Some(network) => Ok(network.logits(&pixels(&self.size, faces)?)?.to_vec()),
            None => Ok(narrow(&self.network.logits(pixels(&self.size, faces)?)?.to_vec())),
        };
        Ok(in_passes(faces, run)?.concat())
    }

    fn input_gradient(
        &self,
        faces: &[f32],
        targets: &[Target],
        rule: BackwardRule,
    ) -> Result<InputGradient> {
        let run = |first: usize, faces: &[f32]| {
            let Run { mut pass, pixels: x, logits } = self.run(faces, None)?;
            let (scores, rows, cotangent) = start(logits.value(), &targets[first..]);
            let gradients = match rule {
                BackwardRule::Standard => pass.tape.backward_from(&logits, cotangent)?,
                BackwardRule::Guided => {
                    pass.tape.backward_with(&logits, cotangent, &mut block_negative_gradients)?
                }
            };
            let gradient = self.face_gradient(gradients.get(&x), &x.shape());
            Ok(InputGradient { scores, logits: rows, gradient })
        };
        let mut all = InputGradient::default();
        for part in in_passes(faces, run)? {
            all.scores.extend(part.scores);
            all.logits.extend(part.logits);
            all.gradient.extend(part.gradient);
        }
        Ok(all)
    }

    fn layer_gradient(
        &self,
        layer: &str,
        faces: &[f32],
        targets: &[Target],
    ) -> Result<LayerGradient> {
        let run = |first: usize, faces: &[f32]| {
            let Run { mut pass, logits, .. } = self.run(faces, Some(layer))?;
            let map = self.watched(&pass, layer)?.clone();
            let (scores, rows, cotangent) = start(logits.value(), &targets[first..]);
            let gradients = pass.tape.backward_from(&logits, cotangent)?;
            let zeros = || vec![0.0; map.shape().elements()];
            let gradient = gradients.get(&map).map_or_else(zeros, |g| narrow(&g.to_vec()));
            Ok(LayerGradient { maps: maps(map.value()), gradient, scores, logits: rows })
        };
        let mut all = LayerGradient::default();
        for part in in_passes(faces, run)? {
            append(&mut all.maps, part.maps);
            all.gradient.extend(part.gradient);
            all.scores.extend(part.scores);
            all.logits.extend(part.logits);
        }
        Ok(all)
    }

    fn activations(&self, layer: &str, faces: &[f32]) -> Result<FeatureMaps> {
        let run = |_: usize, faces: &[f32]| {
            let mut pass = Pass::eval();
            pass.watch(&[layer]);
            self.network
                .forward_to_watched(&mut pass, &Var::constant(pixels(&self.size, faces)?))?;
            Ok(maps(self.watched(&pass, layer)?.value()))
        };
        let mut all = FeatureMaps::default();
        in_passes(faces, run)?.into_iter().for_each(|part| append(&mut all, part));
        Ok(all)
    }

    fn objective_gradient(
        &self,
        objective: &Objective,
        faces: &[f32],
    ) -> Result<ObjectiveGradient> {
        let run = |first: usize, faces: &[f32]| {
            let units = &objective.units()[first..first + faces.len() / PIXELS];
            let objective = objective.with_units(units.to_vec());
            let mut pass = Pass::eval();
            let x = pass.tape.leaf(pixels(&self.size, faces)?);
            let output = match objective.layer() {
                Some(layer) => {
                    pass.watch(&[layer]);
                    self.network.forward_to_watched(&mut pass, &x)?;
                    self.watched(&pass, layer)?.clone()
                }
                None => self.network.forward(&mut pass, &x)?,
            };
            let maps = maps(output.value());
            let cotangent = cotangent(&objective.map_gradient(&maps), output.shape());
            let gradients = pass.tape.backward_from(&output, cotangent)?;
            let gradient = self.face_gradient(gradients.get(&x), &x.shape());
            Ok(ObjectiveGradient { values: objective.values(&maps), gradient })
        };
        let mut all = ObjectiveGradient::default();
        for part in in_passes(faces, run)? {
            all.values.extend(part.values);
            all.gradient.extend(part.gradient);
        }
        Ok(all)
    }

    fn layers(&self) -> Vec<LayerInfo> {
        self.layers.clone()
    }

    fn normalization(&self) -> Normalization {
        let spec = &self.network.spec;
        Normalization { mean: spec.mean as f32, std: spec.std as f32 }
    }
}

/// Appends the maps of a pass.
fn append(all: &mut FeatureMaps, batch: FeatureMaps) {
    let n = all.n + batch.n;
    all.data.extend(batch.data);
    *all = FeatureMaps { n, data: std::mem::take(&mut all.data), ..batch };
}

/// Describes layers in order, with receptive fields in pixels of the network's input. Starts from
/// the receptive field of the input and that of a cell that depends on every pixel; returns the
/// receptive field and the name of the last layer.
fn describe<T: Element>(
    layers: &[Layer<T>],
    shape: &mut Vec<usize>,
    (mut field, whole): (ReceptiveField, ReceptiveField),
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
            // From here on every value depends on the whole picture.
            Layer::GlobalAvgPool2d(_) | Layer::Flatten(_) | Layer::Linear(_) => {
                field = whole;
            }
            _ => {}
        }
        if let Layer::Residual(block) = layer {
            let inner = (before, whole);
            (field, _) = describe(&block.body.0, &mut shape.clone(), inner, input.clone(), out)?;
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
            // A residual block reads two inputs; the layer after it reads one.
            input: if matches!(layer, Layer::Residual(_)) { None } else { input.take() },
            gamma: match layer {
                Layer::BatchNorm2d(l) => Some(narrow(&l.gamma.value.to_vec())),
                _ => None,
            },
        });
        input = Some(layer.name().to_owned());
    }
    Ok((field, input))
}

fn kind<T: Element>(layer: &Layer<T>) -> LayerKind {
    match layer {
        Layer::Conv2d(_) => LayerKind::Conv2d,
        Layer::BatchNorm2d(_) => LayerKind::BatchNorm,
        Layer::Activation(l) if l.function == ActivationFunction::Relu => LayerKind::Relu,
        Layer::Activation(_) => LayerKind::OtherActivation,
        Layer::MaxPool2d(..) | Layer::AvgPool2d(..) | Layer::GlobalAvgPool2d(_) => LayerKind::Pool,
        Layer::Linear(_) => LayerKind::Linear,
        _ => LayerKind::Other,
    }
}
