//! Anti-aliased shapes on an image: each pixel is blended by the share of it that the shape covers.

use crate::render::font::{self, Weight};
use crate::render::image::mix;
use crate::render::{Rgb, RgbImage};

/// A point in pixels, y downwards.
pub type Point = (f32, f32);

/// A colour with its opacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ink {
    /// The colour.
    pub color: Rgb,
    /// Opacity, 0…1.
    pub alpha: f32,
}

impl From<Rgb> for Ink {
    fn from(color: Rgb) -> Self {
        Ink { color, alpha: 1.0 }
    }
}

/// Blends `ink` into the pixel (`x`, `y`), of which the shape covers the share `coverage`.
fn blend(picture: &mut RgbImage, x: i32, y: i32, ink: Ink, coverage: f32) {
    let (width, height) = (picture.width() as i32, picture.height() as i32);
    if x < 0 || y < 0 || x >= width || y >= height || coverage <= 0.0 {
        return;
    }
    let pixel = &mut picture.pixels_mut()[(y * width + x) as usize];
    *pixel = mix(*pixel, ink.color, (ink.alpha * coverage).clamp(0.0, 1.0));
}

/// Returns the pixels that `low..high` touches, within `0..size`.
fn pixels(low: f32, high: f32, size: usize) -> std::ops::Range<i32> {
    let limit = size as f32;
    low.floor().clamp(0.0, limit) as i32..high.ceil().clamp(0.0, limit) as i32
}

/// Fills a rectangle; pixels at its edges are blended.
pub fn fill_rect(picture: &mut RgbImage, left: f32, top: f32, right: f32, bottom: f32, ink: Ink) {
    let overlap = |low: f32, high: f32, pixel: i32| {
        (high.min(pixel as f32 + 1.0) - low.max(pixel as f32)).clamp(0.0, 1.0)
    };
    for y in pixels(top, bottom, picture.height()) {
        for x in pixels(left, right, picture.width()) {
            blend(picture, x, y, ink, overlap(left, right, x) * overlap(top, bottom, y));
        }
    }
}

/// Draws a line through the points, `width` pixels wide, with round ends and corners.
///
/// The coverage of a pixel follows from its distance to the nearest segment, so that a
/// half-transparent line that crosses itself is not darker there.
pub fn stroke(picture: &mut RgbImage, points: &[Point], width: f32, ink: Ink) {
    let reach = width / 2.0 + 0.5;
    let bounds = |pick: fn(&Point) -> f32| {
        points.iter().map(pick).fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(v), h.max(v)))
    };
    if points.is_empty() || points.iter().any(|p| !p.0.is_finite() || !p.1.is_finite()) {
        return;
    }
    let (x_range, y_range) = (bounds(|p| p.0), bounds(|p| p.1));
    let columns = pixels(x_range.0 - reach, x_range.1 + reach, picture.width());
    let rows = pixels(y_range.0 - reach, y_range.1 + reach, picture.height());
    let mut coverage = vec![0f32; columns.len() * rows.len()];
    for pair in points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        for y in pixels(a.1.min(b.1) - reach, a.1.max(b.1) + reach, picture.height()) {
            for x in pixels(a.0.min(b.0) - reach, a.0.max(b.0) + reach, picture.width()) {
                let distance = distance_to_segment((x as f32 + 0.5, y as f32 + 0.5), a, b);
                // A line thinner than one pixel is drawn paler.
                let covered = (reach - distance).clamp(0.0, width.min(1.0));
                let at = (y - rows.start) as usize * columns.len() + (x - columns.start) as usize;
                coverage[at] = coverage[at].max(covered);
            }
        }
    }
    for (i, covered) in coverage.into_iter().enumerate() {
        let (x, y) = (i % columns.len(), i / columns.len());
        blend(picture, columns.start + x as i32, rows.start + y as i32, ink, covered);
    }
}

fn distance_to_segment(p: Point, a: Point, b: Point) -> f32 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length2 = dx * dx + dy * dy;
    let along = ((p.0 - a.0) * dx + (p.1 - a.1) * dy) / length2;
    let t = if length2 > 0.0 { along.clamp(0.0, 1.0) } else { 0.0 };
    (p.0 - a.0 - t * dx).hypot(p.1 - a.1 - t * dy)
}

/// Fills a disc.
pub fn fill_circle(picture: &mut RgbImage, center: Point, radius: f32, ink: Ink) {
    for y in pixels(center.1 - radius - 0.5, center.1 + radius + 0.5, picture.height()) {
        for x in pixels(center.0 - radius - 0.5, center.0 + radius + 0.5, picture.width()) {
            let distance = (x as f32 + 0.5 - center.0).hypot(y as f32 + 0.5 - center.1);
            blend(picture, x, y, ink, (radius + 0.5 - distance).clamp(0.0, 1.0));
        }
    }
}

/// Fills a polygon by the even-odd rule: four scan lines per pixel row, exact along the row.
pub fn fill_polygon(picture: &mut RgbImage, points: &[Point], ink: Ink) {
    const SCANS: usize = 4;
    if points.len() < 3 || points.iter().any(|p| !p.0.is_finite() || !p.1.is_finite()) {
        return;
    }
    let low = points.iter().map(|p| p.1).fold(f32::MAX, f32::min);
    let high = points.iter().map(|p| p.1).fold(f32::MIN, f32::max);
    let columns = picture.width();
    for y in pixels(low, high, picture.height()) {
        let mut coverage = vec![0f32; columns];
        for scan in 0..SCANS {
            let at = y as f32 + (scan as f32 + 0.5) / SCANS as f32;
            for span in crossings(points, at).chunks_exact(2) {
                for x in pixels(span[0], span[1], columns) {
                    let inside = span[1].min(x as f32 + 1.0) - span[0].max(x as f32);
                    coverage[x as usize] += inside.clamp(0.0, 1.0) / SCANS as f32;
                }
            }
        }
        for (x, covered) in coverage.into_iter().enumerate() {
            blend(picture, x as i32, y, ink, covered);
        }
    }
}

/// Returns where the outline crosses the height `y`, from left to right.
fn crossings(points: &[Point], y: f32) -> Vec<f32> {
    let mut found = Vec::new();
    for (i, &a) in points.iter().enumerate() {
        let b = points[(i + 1) % points.len()];
        if (a.1 <= y) != (b.1 <= y) {
            found.push(a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0));
        }
    }
    found.sort_by(f32::total_cmp);
    found
}

/// Draws one line of text whose baseline starts at `origin`; rotated to read upwards if `upwards`.
pub fn text(
    picture: &mut RgbImage,
    content: &str,
    origin: Point,
    size: f32,
    weight: Weight,
    upwards: bool,
    ink: Ink,
) {
    let (x0, y0) = (origin.0.round() as i32, origin.1.round() as i32);
    font::rasterize(content, size, weight, |dx, dy, coverage| {
        let (x, y) = if upwards { (x0 + dy, y0 - dx - 1) } else { (x0 + dx, y0 + dy) };
        blend(picture, x, y, ink, coverage);
    });
}
