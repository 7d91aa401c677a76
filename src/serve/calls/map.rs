//! A map of the data: the faces of the set by the features that the last layer reads.

use crate::explain::Classifier;
use crate::metrics::pca::principal_components;
use crate::model::predictions::features;
use crate::serve::message::Message;
use crate::serve::worker::Output;
use crate::serve::workspace::Workspace;
use crate::{Error, Result};
use serde_json::json;

/// Faces between two messages about the progress.
const AT_ONCE: usize = 128;

/// Where the measured faces lie, and how they are answered.
#[derive(Clone, Debug)]
pub struct DataMap {
    /// `[n][2]`.
    points: Vec<[f64; 2]>,
    shares: [f64; 2],
    /// `[n][classes]`.
    probabilities: Vec<Vec<f32>>,
}

/// Places the measured faces of the set by their features, and answers them.
pub fn map(space: &mut Workspace<'_>, _: &Message, output: &Output) -> Result<Message> {
    if space.map.is_none() {
        space.map = Some(measure(space, output)?);
    }
    let Some(map) = &space.map else { return Err(Error::Failed("map: nothing measured".into())) };
    let labels: Vec<Option<u8>> =
        space.measured.iter().map(|&i| space.source.faces.label(i)).collect();
    Ok(Message::json(json!({
        "faces": space.measured, "labels": labels, "points": map.points, "shares": map.shares,
        "probabilities": map.probabilities,
    })))
}

fn measure(space: &Workspace<'_>, output: &Output) -> Result<DataMap> {
    let model = &space.source.model;
    let (mut all, mut probabilities) = (Vec::new(), Vec::new());
    for (part, faces) in space.measured.chunks(AT_ONCE).enumerate() {
        let done = part * AT_ONCE;
        output.send(Message::json(json!({ "progress": done, "total": space.measured.len() })))?;
        let chosen = space.source.faces.select(faces);
        let found = features(&model.network, &chosen, model.equalize)?.ok_or_else(|| {
            Error::Usage("the network has a single layer, so its faces have no features".into())
        })?;
        all.extend(found);
        let pixels = model.pixels(&space.source.faces, faces);
        let logits = space.classifier.logits(&pixels)?;
        let rows = logits.chunks_exact(space.classifier.classes());
        probabilities.extend(rows.map(|row| space.classifier.probabilities(row)));
    }
    let width = all.len() / space.measured.len().max(1);
    let found = principal_components(&all, width.max(1))?;
    Ok(DataMap { points: found.points, shares: found.shares, probabilities })
}
