//! A map of the data: the faces of the set by the features that the last layer reads.

use crate::explain::Classifier;
use crate::metrics::{pca::principal_components, tsne::tsne};
use crate::model::predictions::features;
use crate::page::message::Message;
use crate::page::output::Output;
use crate::page::workspace::Workspace;
use crate::{Error, Result};
use serde::Deserialize;
use serde_json::json;

/// Faces between two messages about the progress.
const AT_ONCE: usize = 128;

/// Positions of the measured faces in the plane, and their probabilities.
#[derive(Clone, Debug)]
pub struct DataMap {
    /// `[n, d]`.
    features: Vec<f32>,
    /// On the first two principal components, `[n][2]`.
    components: Vec<[f64; 2]>,
    shares: [f64; 2],
    /// By t-SNE, `[n][2]`, once asked for.
    neighbours: Option<Vec<[f64; 2]>>,
    /// `[n][classes]`.
    probabilities: Vec<Vec<f32>>,
}

/// The method that places faces in the plane.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Layout {
    /// On the first two principal components: distances are those of the features.
    #[default]
    Pca,
    /// By t-SNE: neighbours stay neighbours, distances between groups mean little.
    Tsne,
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    layout: Layout,
}

/// Places the measured faces of the set by their features, and answers them.
pub fn map(space: &mut Workspace<'_>, message: &Message, output: &Output) -> Result<Message> {
    let Asked { layout } = message.parameters()?;
    let mut map = match space.map.take() {
        Some(map) => map,
        None => measure(space, output)?,
    };
    let placed = match layout {
        Layout::Pca => Ok(()),
        Layout::Tsne => place_by_neighbours(&mut map, output),
    };
    let labels: Vec<Option<u8>> =
        space.measured.iter().map(|&i| space.source.faces.label(i)).collect();
    let points = match layout {
        Layout::Pca => &map.components,
        Layout::Tsne => map.neighbours.as_ref().unwrap_or(&map.components),
    };
    let answer = Message::json(json!({
        "faces": space.measured, "labels": labels, "points": points, "shares": map.shares,
        "probabilities": map.probabilities,
    }));
    space.map = Some(map); // kept when the placing was interrupted, too
    placed.map(|()| answer)
}

fn place_by_neighbours(map: &mut DataMap, output: &Output) -> Result<()> {
    if map.neighbours.is_none() {
        let tell =
            |done, total| output.send(Message::json(json!({ "progress": done, "total": total })));
        map.neighbours = Some(tsne(&map.features, &map.components, tell)?);
    }
    Ok(())
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
    Ok(DataMap {
        features: all,
        components: found.points,
        shares: found.shares,
        neighbours: None,
        probabilities,
    })
}
