//! Boxes, labels and saliency on a photo.

use super::Frame;
use crate::SIDE;
use crate::dataset::picture::Picture as Gray;
use crate::dataset::resize::resize;
use crate::error::Result;
use crate::render::Picture;
use crate::render::canvas::{Ink, fill_rect, stroke, text};
use crate::render::colormap::Colormap;
use crate::render::font::{Weight, width};
use crate::render::image::mix;

/// Longest side of the drawing in pixels.
const LONGEST: usize = 1_600;

/// Shortest side: small pictures are enlarged, so that words can be read.
const SHORTEST: usize = 480;

/// Colour of boxes, and ground of the words.
const BOX: [u8; 3] = [0, 158, 115];
const WORDS: [u8; 3] = [255, 255, 255];

/// One face of the drawing.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// Where it is; none = the whole picture.
    pub frame: Option<Frame>,
    /// What stands at the box: the class and its probability.
    pub label: [String; 2],
    /// Magnitude of the saliency in [0, 1], `[48, 48]`; empty = none.
    pub saliency: Vec<f32>,
}

/// The photo in gray, as the network sees it, with the faces on it.
///
/// # Errors
/// [`crate::Error::Shape`] if the picture's pixels do not fill it.
pub fn draw(photo: &Gray, faces: &[Drawn]) -> Result<Picture> {
    let (short, long) = (photo.width.min(photo.height), photo.width.max(photo.height));
    let grow = (SHORTEST as f64 / short as f64).max(1.0);
    let scale = grow.min(LONGEST as f64 / long as f64);
    let scaled = |n: usize| ((n as f64 * scale).round() as usize).max(1);
    let (wide, high) = (scaled(photo.width), scaled(photo.height));
    let gray = resize(&photo.gray, photo.width, photo.height, wide, high);
    let mut picture = Picture::from_gray(&gray, wide, high)?;
    let square = |frame: Option<Frame>| {
        let side = short as f64;
        let (x, y) = ((photo.width as f64 - side) / 2.0, (photo.height as f64 - side) / 2.0);
        let f = frame.unwrap_or(Frame { x, y, side });
        Frame { x: f.x * scale, y: f.y * scale, side: f.side * scale }
    };
    for face in faces {
        lay_saliency(&mut picture, &square(face.frame), &face.saliency);
    }
    for face in faces {
        let frame = square(face.frame);
        outline(&mut picture, &frame, (frame.side as f32 / 50.0).clamp(1.5, 4.0));
    }
    for face in faces {
        label(&mut picture, &square(face.frame), &face.label);
    }
    Ok(picture)
}

/// Lays the magnitudes over the square, bilinear between their cells; strong hides most.
fn lay_saliency(picture: &mut Picture, frame: &Frame, saliency: &[f32]) {
    if saliency.len() != SIDE * SIDE {
        return;
    }
    let (width, height) = (picture.width(), picture.height());
    let from = |edge: f64| edge.max(0.0) as usize;
    let (right, bottom) = (from(frame.x + frame.side), from(frame.y + frame.side));
    for y in from(frame.y)..bottom.min(height) {
        for x in from(frame.x)..right.min(width) {
            let cell =
                |at: usize, edge: f64| (at as f64 + 0.5 - edge) / frame.side * SIDE as f64 - 0.5;
            let strength = between(saliency, cell(x, frame.x), cell(y, frame.y));
            let pixel = &mut picture.pixels_mut()[y * width + x];
            let alpha = 0.8 * strength.clamp(0.0, 1.0);
            *pixel = mix(*pixel, Colormap::Inferno.color(strength), alpha);
        }
    }
}

/// Bilinear between four cells.
fn between(values: &[f32], x: f64, y: f64) -> f32 {
    let last = (SIDE - 1) as f64;
    let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
    let (x0, y0) = ((x as usize).min(SIDE - 2), (y as usize).min(SIDE - 2));
    let (tx, ty) = ((x - x0 as f64) as f32, (y - y0 as f64) as f32);
    let row = |y: usize| {
        let (a, b) = (values[y * SIDE + x0], values[y * SIDE + x0 + 1]);
        a + tx * (b - a)
    };
    row(y0) + ty * (row(y0 + 1) - row(y0))
}

fn outline(picture: &mut Picture, frame: &Frame, line: f32) {
    let (left, top) = (frame.x as f32, frame.y as f32);
    let (right, bottom) = (left + frame.side as f32, top + frame.side as f32);
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    stroke(picture, &corners, line + 2.0, Ink { color: [0, 0, 0], alpha: 0.5 });
    stroke(picture, &corners, line, BOX.into());
}

/// The words above the box, or at its upper edge where there is no room above, about as wide as the box.
fn label(picture: &mut Picture, frame: &Frame, lines: &[String; 2]) {
    let widest = |size: f32| lines.iter().map(|l| width(l, size, Weight::Bold)).fold(0.0, f32::max);
    let size = (10.0 * frame.side as f32 / widest(10.0).max(1.0)).clamp(10.0, 26.0);
    let (wide, high) = (widest(size) + 0.5 * size, 2.3 * size);
    let room = (picture.width() as f32 - wide).max(0.0);
    let middle = (frame.x + frame.side / 2.0) as f32;
    let left = (middle - wide / 2.0).clamp(0.0, room);
    let above = frame.y as f32 - high;
    let top = if above >= 0.0 { above } else { (frame.y as f32).max(0.0) };
    fill_rect(picture, left, top, left + wide, top + high, Ink { color: BOX, alpha: 0.85 });
    for (line, words) in lines.iter().enumerate() {
        let start = left + (wide - width(words, size, Weight::Bold)) / 2.0;
        let baseline = (start, top + (0.95 + 1.1 * line as f32) * size);
        text(picture, words, baseline, size, Weight::Bold, false, WORDS.into());
    }
}
