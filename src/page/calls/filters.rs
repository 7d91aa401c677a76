//! What a filter responds to: its strongest faces, its histogram, its classes; gradient ascent.

use crate::explain::filters::activation_maximization::maco::Maco;
use crate::explain::filters::activation_maximization::method::MaximizationMethod;
use crate::explain::filters::activation_maximization::pixels::naive;
use crate::explain::filters::activation_maximization::spectrum::Extension;
use crate::explain::filters::activation_maximization::{MaximizationTask, maximize};
use crate::explain::filters::top_activations::{
    FilterStatistics, TOP_SHOWN, filter_objective, filter_statistics, find_layer_or_logits,
    receptive_crop,
};
use crate::explain::filters::training_faces::TrainingFaces;
use crate::explain::layers::{pre_activation, select_filters};
use crate::explain::{Classifier, LayerInfo, Watched};
use crate::page::message::Message;
use crate::page::output::{Output, WorkWatch};
use crate::page::workspace::Workspace;
use crate::{Error, PIXELS, Result};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Filter {
    layer: String,
    filter: usize,
}

/// Describes a filter over the measured faces: nine strongest patches `[side, side]` bytes each, values
/// on all faces, and how the classes are represented.
pub fn filter(space: &mut Workspace<'_>, message: &Message, output: &Output) -> Result<Message> {
    let asked: Filter = message.parameters()?;
    let layer = find_layer_or_logits(&space.classifier, &asked.layer)?;
    select_filters(&layer, &[asked.filter])?;
    let (pixels, labels) = space.measured_faces();
    measure(space, &layer, &pixels, output)?;
    let own = &space.statistics[&layer.name][asked.filter];
    let classes = space.classifier.classes();
    let (mut bytes, mut side, mut top) = (Vec::new(), 0, Vec::new());
    for strong in own.top.iter().take(TOP_SHOWN) {
        let face = &pixels[strong.face * PIXELS..][..PIXELS];
        let (crop, s) = receptive_crop(face, &layer.receptive_field, strong.row, strong.column);
        side = s;
        bytes.extend(crop.iter().map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8));
        let number = space.measured[strong.face];
        top.push(json!({
            "face": number, "value": strong.value, "row": strong.row, "column": strong.column,
            "label": space.source.faces.label(number),
        }));
    }
    let main = own
        .main_class(&labels, classes)
        .map(|m| json!({ "class": m.class, "count": m.count, "total": m.total, "lift": m.lift }));
    let json = json!({
        "layer": layer.name, "filter": asked.filter, "side": side, "top": top,
        "values": own.values, "highest": own.highest, "median": own.median, "sd": own.sd,
        "means": class_means(own, &labels, classes), "main": main,
    });
    Ok(Message { json, bytes })
}

/// Measures all filters of a layer on the measured faces, once.
fn measure(
    space: &mut Workspace<'_>,
    layer: &LayerInfo,
    pixels: &[f32],
    output: &Output,
) -> Result<()> {
    if !space.statistics.contains_key(&layer.name) {
        let network = Watched::new(&space.classifier, WorkWatch::new(output));
        let all = select_filters(layer, &[])?;
        let found = filter_statistics(&network, layer, &all, pixels)?;
        space.statistics.insert(layer.name.clone(), found);
    }
    Ok(())
}

/// Returns the mean of the filter's value over the faces of each class; `None` without faces.
fn class_means(own: &FilterStatistics, labels: &[usize], classes: usize) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0usize); classes];
    for (&value, &label) in own.values.iter().zip(labels).filter(|(_, label)| **label < classes) {
        sums[label].0 += f64::from(value);
        sums[label].1 += 1;
    }
    sums.iter().map(|&(sum, n)| (n > 0).then(|| sum / n as f64)).collect()
}

#[derive(Deserialize)]
struct Ascent {
    layer: String,
    filter: usize,
    method: MaximizationMethod,
    /// Steps between two pictures that are sent; 0 for none.
    every: usize,
}

/// Makes the picture that activates a filter most, `[48, 48]` as numbers in \[0,1\], and sends what the
/// network sees on the way.
pub fn ascent(space: &mut Workspace<'_>, message: &Message, output: &Output) -> Result<Message> {
    let asked: Ascent = message.parameters()?;
    let layer = find_layer_or_logits(&space.classifier, &asked.layer)?;
    select_filters(&layer, &[asked.filter])?;
    let (magnitude, sd) = kind_of_faces(space, &layer, asked.filter, output)?;
    let sd = [sd as f32];
    let network =
        Watched::new(&space.classifier, WorkWatch::new(output).showing_ascent(asked.every));
    let unit = vec![asked.filter];
    let objective = filter_objective(&network, &layer, unit.clone());
    let relu_input = pre_activation(&network.layers(), &layer);
    let relu_input = relu_input.map(|input| filter_objective(&network, &input, unit));
    let task = MaximizationTask {
        objective: &objective,
        pre_activation: relu_input.as_ref(),
        sd: &sd,
        keys: &[asked.filter as u64 * 64],
        seed: 0,
    };
    let done = match asked.method {
        MaximizationMethod::Naive => naive(&network, &task, &mut |_| {})?,
        MaximizationMethod::Maco => {
            let maco = Maco::new(magnitude);
            maximize(&network, &maco, &task, &Maco::options(), &mut |_| {})?
        }
        other => return Err(Error::Usage(format!("{other}: expected naive or maco"))),
    };
    let [image] = done.as_slice() else {
        return Err(Error::Failed("ascent: expected one picture".into()));
    };
    let json = json!({ "done": true, "steps": network.watch.ascents(), "value": image.value });
    Ok(Message::numbers(json, &image.picture))
}

/// Returns the mean spectrum of the training faces and the filter's deviation on them: those in the
/// network's file, as `fer filters` takes them; of the page's faces where the file has none.
fn kind_of_faces(
    space: &mut Workspace<'_>,
    layer: &LayerInfo,
    filter: usize,
    output: &Output,
) -> Result<(Vec<f32>, f64)> {
    let source = space.source;
    let known = source.model.statistics.as_ref().and_then(|stored| {
        let classes = space.classifier.classes();
        TrainingFaces::of_stored(stored, classes, source.mean_face.clone())
    });
    if let Some(training) = known
        && let Ok(own) = training.filter_statistics(&space.classifier, layer, &[filter])
    {
        return Ok((training.magnitude, own[0].sd));
    }
    let (pixels, labels) = space.measured_faces();
    measure(space, layer, &pixels, output)?;
    let training = TrainingFaces::new(&pixels, &labels, Extension::default())?;
    Ok((training.magnitude, space.statistics[&layer.name][filter].sd))
}
