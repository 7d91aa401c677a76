//! The layers of the network, their feature maps for a face, and their kernels.

use crate::explain::face_resize::FaceResize;
use crate::explain::layers::find_layer;
use crate::explain::{Classifier, FeatureMaps, Method};
use crate::model::summary;
use crate::nn::Layer;
use crate::page::calls::CALLS;
use crate::page::message::Message;
use crate::page::output::Output;
use crate::page::workspace::Workspace;
use crate::tensor::Tensor;
use crate::{CLASS_NAMES, Error, PIXELS, Result};
use serde::Deserialize;
use serde_json::{Value, json};

/// Name of the standardised pixels where a layer is expected.
pub const INPUT: &str = "input";

/// Describes the network, its layers, the methods and the set of faces.
pub fn hello(space: &mut Workspace<'_>, _: &Message, _: &Output) -> Result<Message> {
    let (source, network) = (space.source, &space.source.model.network);
    let table = summary(network)?;
    let infos = space.classifier.layers();
    let walk = network.walk()?;
    let layer = |((layer, _), row): (&(&Layer, Vec<usize>), _)| {
        let row: &crate::model::summary::LayerRow = row;
        let info = infos.iter().find(|info| info.name == row.layer);
        let field = info.map(|i| {
            let f = i.receptive_field;
            json!({ "size": f.size, "jump": f.jump, "start": f.start })
        });
        json!({
            "name": row.layer, "kind": row.kind, "depth": row.depth,
            "output": info.map(|i| i.output), "input": info.and_then(|i| i.input.clone()),
            "parameters": row.parameters, "macs": row.macs, "field": field,
            "geometry": geometry(layer),
        })
    };
    let layers: Vec<Value> = walk.iter().zip(&table.layers).map(layer).collect();
    let method = |m: Method| {
        json!({
            "name": m.name(), "title": m.title(), "definition": m.definition(), "unit": m.unit(),
            "signed": m.is_signed(), "smooth": m.is_smooth(), "evidence": m.shows_evidence(),
            "probability": m.explains_probability(), "default": m == Method::DEFAULT,
        })
    };
    let normalization = space.classifier.normalization();
    Ok(Message::json(json!({
        "title": source.model.title(),
        "classes": network.spec.classes,
        "drawable": CLASS_NAMES,
        "calibrated": source.model.temperature(false).is_some(),
        "equalize": source.model.equalize,
        "mean": normalization.mean, "std": normalization.std, "side": network.spec.input[1],
        "parameters": table.parameters, "macs": table.macs,
        "layers": layers,
        "methods": Method::ALL.map(method),
        "faces": source.faces.len(), "faces_from": source.faces_from,
        "measured": space.measured.len(),
        "slow": CALLS.iter().filter(|call| call.slow).map(|call| call.name).collect::<Vec<_>>(),
    })))
}

/// Returns the numbers that place a layer's windows.
fn geometry(layer: &Layer) -> Value {
    match layer {
        Layer::Conv2d(l) => json!({
            "kernel": &l.weight.value.shape()[2..], "stride": l.options.stride,
            "padding": l.options.padding, "dilation": l.options.dilation,
            "groups": l.options.groups, "bias": l.bias.is_some(),
        }),
        Layer::MaxPool2d(_, o) | Layer::AvgPool2d(_, o) => {
            json!({ "kernel": o.kernel, "stride": o.stride, "padding": o.padding })
        }
        Layer::Residual(block) => {
            json!({ "branch": block.body.0.last().map(Layer::name) })
        }
        Layer::Activation(l) => json!({ "function": l.function }),
        _ => Value::Null,
    }
}

#[derive(Deserialize)]
struct Maps {
    layer: String,
}

/// Returns all feature maps of a layer for one face, `[c, h, w]` as numbers; for the layer `input` the
/// standardised pixels that the first layer reads.
pub fn maps(space: &mut Workspace<'_>, message: &Message, _: &Output) -> Result<Message> {
    let asked: Maps = message.parameters()?;
    let face = space.pixels(&message.bytes)?;
    if face.len() != PIXELS {
        return Err(Error::Usage(format!("maps: expected one face of {PIXELS} bytes")));
    }
    let maps = match asked.layer.as_str() {
        INPUT => {
            let resize = FaceResize::new(space.source.model.network.spec.input[1]);
            let (side, z) = (resize.side(), space.classifier.normalization());
            let data = resize.forward(&face).iter().map(|x| (x - z.mean) / z.std).collect();
            FeatureMaps { n: 1, c: 1, h: side, w: side, data }
        }
        layer => {
            find_layer(&space.classifier.layers(), layer)?;
            space.classifier.activations(layer, &face)?
        }
    };
    let json = json!({ "layer": asked.layer, "shape": [maps.c, maps.h, maps.w] });
    Ok(Message::numbers(json, &maps.data))
}

#[derive(Deserialize)]
struct Kernel {
    layer: String,
    filter: usize,
}

/// Returns the parameters of one filter of a layer as numbers: for a convolution its kernel
/// `[c_in/groups, k_h, k_w]`, for a linear layer its row.
pub fn kernel(space: &mut Workspace<'_>, message: &Message, _: &Output) -> Result<Message> {
    let Kernel { layer: name, filter } = message.parameters()?;
    let info = find_layer(&space.classifier.layers(), &name)?;
    if filter >= info.output[0] {
        let last = info.output[0].saturating_sub(1);
        return Err(Error::Usage(format!("`{name}` has filters 0 to {last}; found {filter}")));
    }
    let walk = space.source.model.network.walk()?;
    let found = walk.into_iter().map(|(layer, _)| layer).find(|layer| layer.name() == name);
    let of = |values: &Tensor| values.to_vec().get(filter).copied();
    let row = |weight: &Tensor| {
        let all = weight.to_vec();
        let size = all.len() / weight.shape()[0].max(1);
        all[filter * size..][..size].to_vec()
    };
    let (json, numbers) = match found {
        Some(Layer::Conv2d(l)) => {
            let bias = l.bias.as_ref().and_then(|b| of(&b.value)).unwrap_or(0.0);
            let shape = &l.weight.value.shape()[1..];
            (json!({ "shape": shape, "bias": bias }), row(&l.weight.value))
        }
        Some(Layer::Linear(l)) => {
            let shape = &l.weight.value.shape()[1..];
            (json!({ "shape": shape, "bias": of(&l.bias.value) }), row(&l.weight.value))
        }
        Some(Layer::BatchNorm2d(l)) => {
            let json = json!({
                "gamma": of(&l.gamma.value), "beta": of(&l.beta.value), "eps": l.eps,
                "mean": of(&l.running_mean), "variance": of(&l.running_var),
            });
            (json, vec![])
        }
        _ => (json!({}), vec![]),
    };
    Ok(Message::numbers(json, &numbers))
}
