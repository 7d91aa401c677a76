//! Boxes, labels and saliency on a photo.

use crate::SIDE;
use crate::dataset::image::picture::Colors;
use crate::dataset::image::resize::resize;
use crate::photo::Frame;
use crate::render::Colormap;
use crate::render::RgbImage;
use crate::render::canvas::{Ink, fill_rect, stroke, text};
use crate::render::font::{Weight, width};
use crate::render::image::mix;

/// Longest side of the drawing in pixels.
pub const LONGEST: usize = 1_600;

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

/// The photo in its colours with the faces on it; it may have been shrunk, the frames are in pixels
/// of its file.
///
/// # Panics
/// If the photo is empty.
pub fn draw(photo: &Colors, faces: &[Drawn]) -> RgbImage {
    let (width, height) = (photo.planes[0].width, photo.planes[0].height);
    let (short, long) = (width.min(height) as f64, width.max(height) as f64);
    let scale = (SHORTEST as f64 / short).max(1.0).min(LONGEST as f64 / long);
    let scaled = |n: usize| ((n as f64 * scale).round() as usize).max(1);
    let (wide, high) = (scaled(width), scaled(height));
    let planes = photo.planes.each_ref().map(|p| resize(&p.gray, width, height, wide, high));
    let mut picture =
        RgbImage::from_fn(wide, high, |x, y| planes.each_ref().map(|p| p[y * wide + x]));
    let square = |face: &Drawn| {
        let by = scale * photo.scale;
        let scaled = face.frame.map(|f| Frame { x: f.x * by, y: f.y * by, side: f.side * by });
        let side = wide.min(high) as f64;
        let (x, y) = ((wide as f64 - side) / 2.0, (high as f64 - side) / 2.0);
        scaled.unwrap_or(Frame { x, y, side })
    };
    let frames: Vec<Frame> = faces.iter().map(square).collect();
    for (frame, face) in frames.iter().zip(faces) {
        lay_saliency(&mut picture, frame, &face.saliency);
    }
    for frame in &frames {
        outline(&mut picture, frame, (frame.side as f32 / 50.0).clamp(1.5, 4.0));
    }
    let mut taken: Vec<Area> = frames.iter().map(Area::of).collect();
    for (frame, face) in frames.iter().zip(faces) {
        taken.push(label(&mut picture, frame, &face.label, &taken));
    }
    picture
}

/// Lays the magnitudes over the square, bilinear between their cells; strong hides most.
fn lay_saliency(picture: &mut RgbImage, frame: &Frame, saliency: &[f32]) {
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

fn outline(picture: &mut RgbImage, frame: &Frame, line: f32) {
    let (left, top) = (frame.x as f32, frame.y as f32);
    let (right, bottom) = (left + frame.side as f32, top + frame.side as f32);
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    stroke(picture, &corners, line + 2.0, Ink { color: [0, 0, 0], alpha: 0.5 });
    stroke(picture, &corners, line, BOX.into());
}

/// Writes the words at the box, about as wide as it; returns what they cover.
fn label(picture: &mut RgbImage, frame: &Frame, lines: &[String; 2], taken: &[Area]) -> Area {
    let widest = |size: f32| lines.iter().map(|l| width(l, size, Weight::Bold)).fold(0.0, f32::max);
    let size = (10.0 * frame.side as f32 / widest(10.0).max(1.0)).clamp(10.0, 26.0);
    let wide = widest(size) + 0.5 * size;
    let room = (picture.width() as f32, picture.height() as f32);
    let at = free_place(&Area::of(frame), (wide, 2.3 * size), taken, room);
    let ground = Ink { color: BOX, alpha: 0.85 };
    fill_rect(picture, at.left, at.top, at.right, at.bottom, ground);
    for (line, words) in lines.iter().enumerate() {
        let start = at.left + (wide - width(words, size, Weight::Bold)) / 2.0;
        let baseline = (start, at.top + (0.95 + 1.1 * line as f32) * size);
        text(picture, words, baseline, size, Weight::Bold, false, WORDS.into());
    }
    at
}

/// A rectangle in pixels of the drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Area {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

impl Area {
    fn of(frame: &Frame) -> Area {
        let (left, top, side) = (frame.x as f32, frame.y as f32, frame.side as f32);
        Area { left, top, right: left + side, bottom: top + side }
    }

    /// Whole pixels that two rectangles share.
    fn shared(&self, other: &Area) -> f32 {
        let wide = self.right.min(other.right) - self.left.max(other.left);
        let high = self.bottom.min(other.bottom) - self.top.max(other.top);
        (wide.max(0.0) * high.max(0.0)).floor()
    }
}

/// Where a label of (width, height) stands within a picture of (width, height): above the face, else
/// below it, else right or left of it; where all of these hide something taken, where it hides least.
fn free_place(face: &Area, size: (f32, f32), taken: &[Area], room: (f32, f32)) -> Area {
    let middle = (face.left + face.right - size.0) / 2.0;
    let corners = [
        (middle, face.top - size.1),
        (middle, face.bottom),
        (face.right, face.top),
        (face.left - size.0, face.top),
    ];
    let inside = |(x, y): (f32, f32)| {
        let left = x.clamp(0.0, (room.0 - size.0).max(0.0));
        let top = y.clamp(0.0, (room.1 - size.1).max(0.0));
        Area { left, top, right: left + size.0, bottom: top + size.1 }
    };
    let hidden = |area: &Area| taken.iter().map(|t| area.shared(t)).sum::<f32>();
    let [above, others @ ..] = corners.map(inside);
    let better = |best: Area, area: Area| if hidden(&area) < hidden(&best) { area } else { best };
    others.into_iter().fold(above, better)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_above_else_below_else_beside_and_hide_no_face() {
        let face = |left, top, side| Area { left, top, right: left + side, bottom: top + side };
        let at = |face: Area, others: &[Area]| {
            let place =
                free_place(&face, (60.0, 20.0), &[&[face], others].concat(), (400.0, 300.0));
            assert!(place.left >= 0.0 && place.right <= 400.0, "{place:?}");
            assert!(place.top >= 0.0 && place.bottom <= 300.0, "{place:?}");
            (place.left, place.top)
        };
        assert_eq!(at(face(100.0, 100.0, 80.0), &[]), (110.0, 80.0), "above");
        assert_eq!(at(face(0.0, 100.0, 40.0), &[]), (0.0, 80.0), "above, moved inside");
        assert_eq!(at(face(100.0, 5.0, 80.0), &[]), (110.0, 85.0), "below");
        assert_eq!(at(face(20.0, 5.0, 290.0), &[]), (310.0, 5.0), "right");
        assert_eq!(at(face(100.0, 5.0, 290.0), &[]), (40.0, 5.0), "left");
        assert_eq!(at(face(50.0, 0.0, 300.0), &[]).1, 0.0, "no place is free");
        let neighbour = face(100.0, 40.0, 50.0);
        assert_eq!(at(face(100.0, 100.0, 80.0), &[neighbour]), (110.0, 180.0), "below");
    }
}
