//! Faces of pictures, frames and the set, with their expressions.

use crate::dataset::SynthOptions;
use crate::dataset::image::{GrayImage, decode};
use crate::dataset::synth::face;
use crate::page::message::Message;
use crate::page::output::Output;
use crate::page::workspace::Workspace;
use crate::photo::{CropBox, FaceChoice, FaceCrop, FaceLocation, SHORTEST, Turn, crop_faces};
use crate::{CLASS_NAMES, Error, PIXELS, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;
use web_time::Instant;

/// Largest frame of a video: 1920 × 1080 gray pixels, in bytes.
pub const MAX_FRAME: usize = 1920 * 1080;

/// Most faces of one `answer`.
pub const MAX_ANSWERED: usize = 512;

/// Most faces of the set in one message.
const MAX_SHOWN: usize = 512;

/// Number of the first face that is drawn on request, far behind those of trainings.
const FIRST_DRAWN: u64 = 1 << 40;

#[derive(Deserialize)]
struct Picture {
    name: String,
    #[serde(default)]
    detect: FaceChoice,
    /// Width of a picture that the page has decoded to gray pixels.
    width: Option<usize>,
}

/// Finds the faces of a PNG or JPEG file, or of gray pixels, and answers them.
pub fn picture(space: &mut Workspace<'_>, message: &Message, _: &Output) -> Result<Message> {
    let asked: Picture = message.parameters()?;
    let name = Path::new(&asked.name);
    let (image, warning) = match asked.width {
        Some(width) => (gray_image(width, &message.bytes)?, None),
        None => {
            let decoded = decode(&message.bytes, name)?;
            (decoded.image, decoded.warning)
        }
    };
    let (width, height) = (image.width, image.height);
    if width.min(height) < SHORTEST {
        let found = format!("found a picture of {width} x {height} pixels");
        return Err(Error::data(
            name,
            format!("{found}; expected at least {SHORTEST} pixels per side"),
        ));
    }
    let start = Instant::now();
    let found = crop_faces(&image, asked.detect, &space.detector);
    let detection = milliseconds(start);
    let (faces, gray) = answered(space, &found)?;
    let json = json!({
        "width": width, "height": height, "warning": warning, "faces": faces,
        "detection": detection, "milliseconds": milliseconds(start),
    });
    Ok(Message { json, bytes: gray })
}

/// Answers crops; returns one object for each and their pixels `[n, 48, 48]`.
fn answered(space: &Workspace<'_>, found: &[FaceCrop]) -> Result<(Vec<Value>, Vec<u8>)> {
    let gray: Vec<u8> = found.iter().flat_map(|face| face.pixels.iter().copied()).collect();
    if found.is_empty() {
        return Ok((vec![], gray));
    }
    let probabilities = space.probabilities(&space.pixels(&gray)?)?;
    let describe = |(face, p): (&FaceCrop, Vec<f32>)| {
        json!({
            "box": face.location.crop_box(),
            "doubtful": face.location.is_doubtful(),
            "undetected": face.location == FaceLocation::WholeUndetected,
            "probabilities": p,
        })
    };
    Ok((found.iter().zip(probabilities).map(describe).collect(), gray))
}

#[derive(Deserialize)]
struct Frame {
    video: String,
    seconds: f64,
    width: usize,
}

/// Follows the faces of the next frame of a video, gray pixels `[height, width]`, and answers them.
pub fn frame(space: &mut Workspace<'_>, message: &Message, _: &Output) -> Result<Message> {
    let asked: Frame = message.parameters()?;
    if !asked.seconds.is_finite() || asked.video.len() > 64 {
        return Err(Error::Usage("frame: expected a finite time and a short name".into()));
    }
    let image = gray_image(asked.width, &message.bytes)?;
    let start = Instant::now();
    let tracked = space.videos.of(&asked.video).follow(&image, asked.seconds, &space.detector);
    let detection = milliseconds(start);
    let crop = |square: CropBox, score| FaceCrop {
        pixels: square.crop(&image),
        location: FaceLocation::Detected(square, score),
        turn: Turn::Upright,
    };
    let crops: Vec<FaceCrop> =
        tracked.iter().map(|f| crop(CropBox::around(&f.face), f.face.score)).collect();
    let (mut faces, gray) = answered(space, &crops)?;
    let video = space.videos.of(&asked.video);
    for (answer, face) in faces.iter_mut().zip(&tracked) {
        let raw: Vec<f32> = Deserialize::deserialize(&answer["probabilities"])
            .map_err(|e| Error::Failed(format!("frame: {e}")))?;
        answer["smoothed"] = json!(video.smooth(face.id, &raw));
        answer["id"] = json!(face.id);
    }
    let json = json!({
        "faces": faces, "seconds": asked.seconds,
        "detection": detection, "milliseconds": milliseconds(start),
    });
    Ok(Message { json, bytes: gray })
}

/// Checks gray pixels of an image.
fn gray_image(width: usize, gray: &[u8]) -> Result<GrayImage> {
    if width == 0 || gray.is_empty() || !gray.len().is_multiple_of(width) {
        let found = format!("found {} bytes for rows of {width} pixels", gray.len());
        return Err(Error::Usage(format!("{found}; expected one byte per pixel")));
    }
    Ok(GrayImage { width, height: gray.len() / width, gray: gray.to_vec() })
}

fn milliseconds(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 1e4).round() / 10.0
}

/// Answers faces `[n, 48, 48]`.
pub fn answer(space: &mut Workspace<'_>, message: &Message, _: &Output) -> Result<Message> {
    let pixels = space.pixels(&message.bytes)?;
    let start = Instant::now();
    let probabilities = space.probabilities(&pixels)?;
    let spent = milliseconds(start);
    Ok(Message::json(json!({ "probabilities": probabilities, "milliseconds": spent })))
}

#[derive(Deserialize)]
struct SetPart {
    faces: Vec<usize>,
}

/// Returns faces of the set by number: their pixels, labels and answers.
pub fn set(space: &mut Workspace<'_>, message: &Message, _: &Output) -> Result<Message> {
    let SetPart { faces } = message.parameters()?;
    let all = &space.source.faces;
    if faces.len() > MAX_SHOWN || faces.iter().any(|&i| i >= all.len()) {
        let most = all.len().saturating_sub(1);
        return Err(Error::Usage(format!("expected at most {MAX_SHOWN} faces from 0 to {most}")));
    }
    let gray: Vec<u8> = faces.iter().flat_map(|&i| all.image(i)).copied().collect();
    let labels: Vec<Option<u8>> = faces.iter().map(|&i| all.label(i)).collect();
    let probabilities = match faces.is_empty() {
        true => vec![],
        false => space.probabilities(&space.source.model.pixels(all, &faces))?,
    };
    let names: Vec<String> = faces.iter().map(|&i| all.id(i)).collect();
    let json =
        json!({ "faces": faces, "names": names, "labels": labels, "probabilities": probabilities });
    Ok(Message { json, bytes: gray })
}

#[derive(Deserialize)]
struct Drawn {
    class: usize,
    number: u32,
}

/// Draws a face with an expression; each number is another person.
pub fn draw(space: &mut Workspace<'_>, message: &Message, _: &Output) -> Result<Message> {
    let Drawn { class, number } = message.parameters()?;
    let classes = CLASS_NAMES.len();
    if class >= classes {
        return Err(Error::Usage(format!("class {class}: expected 0 to {}", classes - 1)));
    }
    let index = FIRST_DRAWN / classes as u64 * classes as u64;
    let index = index + u64::from(number) * classes as u64 + class as u64;
    let (gray, label) = face(&SynthOptions::default(), index);
    let probabilities = space.probabilities(&space.pixels(&gray)?)?;
    debug_assert_eq!(gray.len(), PIXELS);
    let json = json!({ "label": label, "probabilities": probabilities[0] });
    Ok(Message { json, bytes: gray.to_vec() })
}
