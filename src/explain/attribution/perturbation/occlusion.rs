//! Occlusion: hide a square and measure how far the score drops.

use crate::explain::FaceBatch;
use crate::explain::batch::{face, scores_of};
use crate::{PIXELS, Result, SIDE};

/// The square window that hides part of the face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Side in pixels.
    pub side: usize,
    /// Step between windows, in pixels.
    pub stride: usize,
    /// Gray level of hidden pixels. Black would itself change the score on FER2013.
    pub fill: f32,
}

impl Window {
    /// A window of 8×8 pixels with stride 4.
    pub fn with_fill(fill: f32) -> Self {
        Window { side: 8, stride: 4, fill }
    }
    /// First rows (or columns) of the windows; the last window touches the edge.
    fn places(&self) -> Vec<usize> {
        let last = SIDE - self.side.clamp(1, SIDE);
        let mut places: Vec<usize> = (0..=last).step_by(self.stride.max(1)).collect();
        if places.last() != Some(&last) {
            places.push(last);
        }
        places
    }
}

/// Returns for every pixel the mean of S(x) − S(x with the window hidden) over the windows that
/// cover it, `[n, 48, 48]`. Positive values raise the score.
///
/// The sum is divided by the number of windows, as in Captum. Without that (as in xplique) the
/// interior gets up to (side/stride)² times the values of the border.
///
/// **Source**: Zeiler & Fergus 2013 (arXiv 1311.2901); Captum `Occlusion`.
pub fn occlusion(faces: &FaceBatch<'_>, window: &Window) -> Result<Vec<f32>> {
    let (pixels, targets) = (faces.pixels(), faces.targets());
    let places = window.places();
    let side = window.side.clamp(1, SIDE);
    let corner = |k: usize| (places[k / places.len()], places[k % places.len()]);
    let hidden = |k: usize| {
        let (top, left) = corner(k);
        (top..top + side).map(move |i| i * SIDE + left..i * SIDE + left + side)
    };
    // Sample 0 of each face is the face itself.
    let each = 1 + places.len() * places.len();
    let draw = |i: usize, out: &mut [f32]| {
        out.copy_from_slice(face(pixels, i / each));
        if !i.is_multiple_of(each) {
            hidden(i % each - 1).for_each(|row| out[row].fill(window.fill));
        }
    };
    let scores = scores_of(faces.classifier(), each * targets.len(), draw, |i| targets[i / each])?;

    let mut coverage = vec![0.0f32; PIXELS];
    let mut maps = vec![0.0f32; pixels.len()];
    for k in 0..each - 1 {
        hidden(k).for_each(|row| coverage[row].iter_mut().for_each(|c| *c += 1.0));
    }
    for (map, scores) in maps.chunks_exact_mut(PIXELS).zip(scores.chunks_exact(each)) {
        for (k, score) in scores[1..].iter().enumerate() {
            let drop = scores[0] - score;
            hidden(k).for_each(|row| map[row].iter_mut().for_each(|v| *v += drop));
        }
        for (v, c) in map.iter_mut().zip(&coverage) {
            *v /= c.max(1.0);
        }
    }
    Ok(maps)
}
