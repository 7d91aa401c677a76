//! Why an answer: maps of any method, superpixels, and the smallest patch that changes it.

use crate::explain::attribution::lime::superpixels::{Segmentation, segment, superpixel_means};
use crate::explain::image_ops::gaussian_blur;
use crate::explain::sanity::randomisation::{parametrised_layers, randomised};
use crate::explain::sanity::sanity_table::{SanityChecker, SanityOptions};
use crate::explain::{
    Attribution, Classifier, FaceBatch, Method, NetworkClassifier, Target, Watched, attribute,
};
use crate::page::message::Message;
use crate::page::output::{Output, WorkWatch};
use crate::page::workspace::Workspace;
use crate::stats::{argmax, evenly_spread};
use crate::{Error, PIXELS, Result, SIDE};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Patches that are answered together.
const PATCHES_AT_ONCE: usize = 128;

/// Faces on which the sanity checks are measured.
const CHECKED: usize = 32;

#[derive(Deserialize)]
struct Asked {
    method: String,
    class: usize,
}

/// Explains a class of one face by one method; the map `[48, 48]` as numbers.
pub fn attribution(
    space: &mut Workspace<'_>,
    message: &Message,
    output: &Output,
) -> Result<Message> {
    let asked: Asked = message.parameters()?;
    let method: Method = asked.method.parse()?;
    let face = one_face(space, message)?;
    let network = Watched::new(&space.classifier, WorkWatch::new(output));
    let faces = FaceBatch::new(&network, &face, &[Target::Class(asked.class)])?;
    let found = attribute(&faces, method, &space.options()?)?;
    let [found] = found.as_slice() else {
        return Err(Error::Failed("attribution: expected one map".into()));
    };
    Ok(Message::numbers(described(found), &found.map))
}

fn described(found: &Attribution) -> Value {
    let notes: Vec<String> = found.notes.iter().map(ToString::to_string).collect();
    json!({
        "method": found.method.name(), "class": found.class, "score": found.score,
        "probability": found.probability, "scale": found.scale, "max": found.raw_max,
        "notes": notes, "refused": found.refused,
    })
}

fn one_face(space: &Workspace<'_>, message: &Message) -> Result<Vec<f32>> {
    let face = space.pixels(&message.bytes)?;
    match face.len() == PIXELS {
        true => Ok(face),
        false => Err(Error::Usage(format!("expected one face of {PIXELS} bytes"))),
    }
}

#[derive(Deserialize)]
struct Parts {
    segmentation: Segmentation,
}

/// Returns the superpixels of a face: the number of each pixel's superpixel, then the gray level that
/// LIME shows in its place, each `[48, 48]` bytes.
pub fn superpixels(space: &mut Workspace<'_>, message: &Message, _: &Output) -> Result<Message> {
    let Parts { segmentation } = message.parameters()?;
    let face = one_face(space, message)?;
    let labels = segment(&face, segmentation);
    let gray: Vec<f32> = message.bytes.iter().map(|&v| f32::from(v)).collect();
    let mut bytes: Vec<u8> = labels.iter().map(|&k| k.min(255) as u8).collect();
    bytes.extend(superpixel_means(&gray, &labels).iter().map(|v| v.round() as u8));
    let count = labels.iter().max().map_or(0, |k| k + 1);
    Ok(Message { json: json!({ "count": count }), bytes })
}

/// What a patch shows instead of the face.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Fill {
    /// The mean training face.
    Mean,
    /// The blurred face.
    Blur,
    /// Middle gray.
    Gray,
}

#[derive(Deserialize)]
struct Patch {
    fill: Fill,
}

/// Searches a small square whose replacement changes the answer: growing squares at every quarter of their
/// side until one does, then smaller ones within three pixels of it, as long as they do.
pub fn patch(space: &mut Workspace<'_>, message: &Message, output: &Output) -> Result<Message> {
    let Patch { fill } = message.parameters()?;
    let face = one_face(space, message)?;
    let network = Watched::new(&space.classifier, WorkWatch::new(output));
    let filling = match fill {
        Fill::Mean => space.source.mean_face.clone(),
        Fill::Blur => gaussian_blur(&face, 4.0),
        Fill::Gray => vec![0.5; PIXELS],
    };
    let answer = argmax(&network.logits(&face)?);
    let mut search =
        PatchSearch { network: &network, face: &face, filling: &filling, answer, trials: 0 };
    let mut best = None;
    for side in GROWING {
        let every: Vec<usize> = (0..=SIDE - side).step_by(side / 4).collect();
        best = search.strongest(side, &every, &every)?;
        if best.is_some() {
            break;
        }
    }
    while let Some(found) = best.clone().filter(|found| found.side > 1) {
        let side = found.side - 1;
        let near = |at: usize| -> Vec<usize> {
            (at.saturating_sub(3)..=(at + 4).min(SIDE - side)).collect()
        };
        match search.strongest(side, &near(found.x), &near(found.y))? {
            Some(smaller) => best = Some(smaller),
            None => break,
        }
    }
    Ok(Message::json(json!({ "found": best, "answer": answer, "passes": search.trials })))
}

/// Sides of the growing squares, in pixels.
const GROWING: [usize; 8] = [8, 12, 16, 20, 26, 32, 40, SIDE];

/// A square that changes the answer, in pixels of the face.
#[derive(Clone, Debug, Serialize)]
struct Changing {
    x: usize,
    y: usize,
    side: usize,
    class: usize,
    probabilities: Vec<f32>,
}

struct PatchSearch<'a> {
    network: &'a dyn Classifier,
    face: &'a [f32],
    filling: &'a [f32],
    /// The class of the face as it is.
    answer: usize,
    trials: usize,
}

impl PatchSearch<'_> {
    /// Returns the square of a side whose new answer is the most probable; `None` if no answer changes.
    fn strongest(&mut self, side: usize, xs: &[usize], ys: &[usize]) -> Result<Option<Changing>> {
        let places: Vec<(usize, usize)> =
            ys.iter().flat_map(|&y| xs.iter().map(move |&x| (x, y))).collect();
        let mut best: Option<Changing> = None;
        for some in places.chunks(PATCHES_AT_ONCE) {
            let faces: Vec<f32> =
                some.iter().flat_map(|&at| patched(self.face, self.filling, at, side)).collect();
            let logits = self.network.logits(&faces)?;
            self.trials += some.len();
            for (&(x, y), row) in some.iter().zip(logits.chunks_exact(self.network.classes())) {
                let (class, probabilities) = (argmax(row), self.network.probabilities(row));
                let is_stronger = |b: &Changing| probabilities[class] > b.probabilities[b.class];
                if class != self.answer && best.as_ref().is_none_or(is_stronger) {
                    best = Some(Changing { x, y, side, class, probabilities });
                }
            }
        }
        Ok(best)
    }
}

/// Returns a face with one square replaced.
fn patched(face: &[f32], filling: &[f32], (x, y): (usize, usize), side: usize) -> Vec<f32> {
    let inside =
        |p: usize| (y..y + side).contains(&(p / SIDE)) && (x..x + side).contains(&(p % SIDE));
    (0..PIXELS).map(|p| if inside(p) { filling[p] } else { face[p] }).collect()
}

/// Measures whether a method passes the sanity checks for this network, on faces of the set.
pub fn sanity(space: &mut Workspace<'_>, message: &Message, output: &Output) -> Result<Message> {
    #[derive(Deserialize)]
    struct Checked {
        method: String,
    }
    let method: Method = message.parameters::<Checked>()?.method.parse()?;
    let model = &space.source.model;
    let chosen = evenly_spread(space.source.faces.len(), CHECKED);
    let pixels = model.pixels(&space.source.faces, &chosen);
    let network = Watched::new(&space.classifier, WorkWatch::new(output));
    let layers = parametrised_layers(&model.network).len();
    let half = randomised(&model.network, Some(layers.div_ceil(2)), 0)?;
    let all = randomised(&model.network, None, 0)?;
    let temperature = model.temperature(false).unwrap_or(1.0);
    let [half, all] = [NetworkClassifier::new(&half)?, NetworkClassifier::new(&all)?]
        .map(|other| other.at_temperature(temperature));
    let [half, all] = [&half, &all].map(|other| Watched::new(other, WorkWatch::new(output)));
    let attribution = space.options()?;
    let options = SanityOptions {
        attribution: &attribution,
        seed: 0,
        half_randomised: Some(&half),
        randomised: Some(&all),
    };
    let targets = vec![Target::Predicted; chosen.len()];
    let faces = FaceBatch::new(&network, &pixels, &targets)?;
    let row = SanityChecker::new(&faces, &options)?.row(method)?;
    let row = serde_json::to_value(&row).map_err(|e| Error::Failed(format!("sanity: {e}")))?;
    Ok(Message::json(json!({ "row": row, "faces": chosen.len() })))
}
