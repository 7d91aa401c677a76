//! Drawings of the superpixels of a LIME explanation.

use crate::SIDE;
use crate::explain::attribution::lime::Lime;
use crate::render::image::mix;
use crate::render::{Rgb, RgbImage};

/// Superpixels shown as evidence on each side.
pub(crate) const SHOWN: usize = 5;
/// Pixels of the drawing per pixel of the face; borders stay thin.
const ZOOM: usize = 4;
/// Colour of superpixels that raise the probability.
pub(crate) const FOR: Rgb = [190, 30, 45];
/// Colour of superpixels that lower the probability.
pub(crate) const AGAINST: Rgb = [33, 102, 172];

/// Returns the strongest superpixels of one sign.
pub(crate) fn strongest(lime: &Lime, sign: f64) -> Vec<usize> {
    let mut order: Vec<usize> =
        (0..lime.coefficients.len()).filter(|&k| sign * lime.coefficients[k] > 0.0).collect();
    order.sort_by(|&a, &b| {
        (sign * lime.coefficients[b]).total_cmp(&(sign * lime.coefficients[a])).then(a.cmp(&b))
    });
    order.truncate(SHOWN);
    order
}

/// Returns whether a pixel of the enlarged image lies on a border of its superpixel.
fn on_border(segments: &[usize], x: usize, y: usize) -> bool {
    let side = SIDE * ZOOM;
    let piece = |x: usize, y: usize| segments[(y / ZOOM) * SIDE + x / ZOOM];
    let own = piece(x, y);
    let (right, below) = ((x + 1).min(side - 1), (y + 1).min(side - 1));
    piece(right, y) != own || piece(x, below) != own
}

/// Draws the face with the borders of all superpixels.
pub(crate) fn borders(face: &RgbImage, segments: &[usize]) -> RgbImage {
    RgbImage::from_fn(SIDE * ZOOM, SIDE * ZOOM, |x, y| {
        let below = face.at(x / ZOOM, y / ZOOM);
        if on_border(segments, x, y) { mix(below, [255, 208, 0], 0.75) } else { below }
    })
}

/// Draws the chosen superpixels with coloured borders, and the rest pale.
pub(crate) fn evidence(face: &RgbImage, lime: &Lime, chosen: &[usize], color: Rgb) -> RgbImage {
    let side = SIDE * ZOOM;
    let shown =
        |x: usize, y: usize| chosen.contains(&lime.superpixels[(y / ZOOM) * SIDE + x / ZOOM]);
    RgbImage::from_fn(side, side, |x, y| {
        let below = face.at(x / ZOOM, y / ZOOM);
        let around = [(x + 2, y), (x.saturating_sub(2), y), (x, y + 2), (x, y.saturating_sub(2))];
        let edge = |(a, b): (usize, usize)| !shown(a.min(side - 1), b.min(side - 1));
        match shown(x, y) {
            true if around.into_iter().any(edge) => color,
            true => below,
            false => mix(below, [235; 3], 0.8),
        }
    })
}
