//! Draws boxes, labels and saliency on a photo.

use crate::SIDE;
use crate::dataset::image::ColorPlanes;
use crate::dataset::image::resize::resize;
use crate::photo::{CropBox, Turn};
use crate::render::canvas::{Ink, fill_rect, stroke, text};
use crate::render::font::{Weight, width};
use crate::render::image::mix;
use crate::render::{Colormap, RgbImage};

/// Longest side of the drawing, in pixels.
pub const LONGEST: usize = 1_600;

/// Shortest side, in pixels: small images are enlarged so that the labels are legible.
const SHORTEST: usize = 480;

/// Colour of the boxes and background of the labels.
const BOX: [u8; 3] = [0, 158, 115];
/// The same for a doubtful face.
const DOUBTFUL_BOX: [u8; 3] = [170, 95, 0];
/// Colour of the text.
const TEXT: [u8; 3] = [255, 255, 255];

/// What is drawn for one face.
#[derive(Clone, Debug)]
pub struct FaceAnnotation {
    /// Where the face is; `None` for the whole image.
    pub crop_box: Option<CropBox>,
    /// Two lines of text at the box: the class and its probability.
    pub label: [String; 2],
    /// Whether the box may hold no face.
    pub doubtful: bool,
    /// Saliency in [−1, 1] of the upright face, `[48, 48]`: above 0 for the class, below against it;
    /// empty for none.
    pub saliency: Vec<f32>,
    /// How far the face is turned.
    pub turn: Turn,
}

/// Returns the photo in colour with the annotations drawn on it. The photo may have been shrunk; the crop
/// boxes are in pixels of its file.
///
/// # Panics
/// If the photo is empty.
pub fn draw(photo: &ColorPlanes, faces: &[FaceAnnotation]) -> RgbImage {
    let (width, height) = (photo.planes[0].width, photo.planes[0].height);
    let (short, long) = (width.min(height) as f64, width.max(height) as f64);
    let scale = (SHORTEST as f64 / short).max(1.0).min(LONGEST as f64 / long);
    let scaled = |n: usize| ((n as f64 * scale).round() as usize).max(1);
    let (wide, high) = (scaled(width), scaled(height));
    let planes = photo.planes.each_ref().map(|p| resize(&p.gray, width, height, wide, high));
    let mut picture =
        RgbImage::from_fn(wide, high, |x, y| planes.each_ref().map(|p| p[y * wide + x]));
    let square = |face: &FaceAnnotation| {
        let by = scale * photo.scale;
        let scaled = face.crop_box.map(|f| CropBox { x: f.x * by, y: f.y * by, side: f.side * by });
        let side = wide.min(high) as f64;
        let (x, y) = ((wide as f64 - side) / 2.0, (high as f64 - side) / 2.0);
        scaled.unwrap_or(CropBox { x, y, side })
    };
    let frames: Vec<CropBox> = faces.iter().map(square).collect();
    for (frame, face) in frames.iter().zip(faces) {
        blend_saliency(&mut picture, frame, face);
    }
    let color = |face: &FaceAnnotation| if face.doubtful { DOUBTFUL_BOX } else { BOX };
    for (frame, face) in frames.iter().zip(faces) {
        outline(&mut picture, frame, (frame.side as f32 / 50.0).clamp(1.5, 4.0), color(face));
    }
    let mut taken: Vec<Area> = frames.iter().map(Area::of).collect();
    for (frame, face) in frames.iter().zip(faces) {
        taken.push(label(&mut picture, frame, (&face.label, color(face)), &taken));
    }
    picture
}

/// Blends the saliency over the square with bilinear interpolation, red for the class and blue against
/// it; a larger magnitude is more opaque.
fn blend_saliency(picture: &mut RgbImage, frame: &CropBox, face: &FaceAnnotation) {
    let saliency = &face.saliency;
    if saliency.len() != SIDE * SIDE {
        return;
    }
    let (width, height) = (picture.width(), picture.height());
    let from = |edge: f64| edge.max(0.0) as usize;
    let (right, bottom) = (from(frame.x + frame.side), from(frame.y + frame.side));
    for y in from(frame.y)..bottom.min(height) {
        for x in from(frame.x)..right.min(width) {
            let share = |at: usize, edge: f64| (at as f64 + 0.5 - edge) / frame.side;
            let place = face.turn.to_upright([share(x, frame.x), share(y, frame.y)]);
            let [column, row] = place.map(|share| share * SIDE as f64 - 0.5);
            let strength = bilinear(saliency, column, row);
            let pixel = &mut picture.pixels_mut()[y * width + x];
            let alpha = 0.7 * strength.abs().min(1.0);
            *pixel = mix(*pixel, Colormap::BlueRed.color(strength), alpha);
        }
    }
}

/// Interpolates bilinearly between four cells of `[48, 48]`.
fn bilinear(values: &[f32], x: f64, y: f64) -> f32 {
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

fn outline(picture: &mut RgbImage, frame: &CropBox, line: f32, color: [u8; 3]) {
    let (left, top) = (frame.x as f32, frame.y as f32);
    let (right, bottom) = (left + frame.side as f32, top + frame.side as f32);
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    stroke(picture, &corners, line + 2.0, Ink { color: [0, 0, 0], alpha: 0.5 });
    stroke(picture, &corners, line, color.into());
}

/// Writes the label at the box, about as wide as the box; returns the area of the label.
fn label(
    picture: &mut RgbImage,
    frame: &CropBox,
    (lines, color): (&[String; 2], [u8; 3]),
    taken: &[Area],
) -> Area {
    let widest = |size: f32| lines.iter().map(|l| width(l, size, Weight::Bold)).fold(0.0, f32::max);
    let size = (10.0 * frame.side as f32 / widest(10.0).max(1.0)).clamp(10.0, 26.0);
    let wide = widest(size) + 0.5 * size;
    let room = (picture.width() as f32, picture.height() as f32);
    let at = free_place(&Area::of(frame), (wide, 2.3 * size), taken, room);
    let ground = Ink { color, alpha: 0.85 };
    fill_rect(picture, at.left, at.top, at.right, at.bottom, ground);
    for (line, words) in lines.iter().enumerate() {
        let start = at.left + (wide - width(words, size, Weight::Bold)) / 2.0;
        let baseline = (start, at.top + (0.95 + 1.1 * line as f32) * size);
        text(picture, words, baseline, size, Weight::Bold, false, TEXT.into());
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
    fn of(square: &CropBox) -> Area {
        let (left, top, side) = (square.x as f32, square.y as f32, square.side as f32);
        Area { left, top, right: left + side, bottom: top + side }
    }

    /// Returns the shared area in whole pixels.
    fn shared(&self, other: &Area) -> f32 {
        let wide = self.right.min(other.right) - self.left.max(other.left);
        let high = self.bottom.min(other.bottom) - self.top.max(other.top);
        (wide.max(0.0) * high.max(0.0)).floor()
    }
}

/// Returns the place of a label of (width, height) in an image of (width, height): above, below, right or
/// left of the face, the first of these that overlaps the areas in `taken` least.
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
    fn labels_go_above_else_below_else_beside_and_cover_no_face() {
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
