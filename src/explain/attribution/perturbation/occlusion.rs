//! Occlusion: hide a square, see what the score loses.

use crate::explain::batch::{face, scores_of};
use crate::explain::validate::check;
use crate::explain::{Classifier, Target};
use crate::{PIXELS, Result, SIDE};

/// The square that hides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Side in pixels.
    pub side: usize,
    /// Step between windows.
    pub stride: usize,
    /// Gray level of a hidden pixel. Black would be a strong cue of its own on FER2013.
    pub fill: f32,
}

impl Window {
    /// 8×8 pixels, stride 4.
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

/// For every pixel the mean of S(x) − S(x with the window hidden) over the windows that cover it,
/// `[n, 48, 48]`. Positive: the score needs this place.
///
/// Divided by the coverage, without which the interior gets up to (side/stride)² times the border
/// (as in xplique; Captum divides).
/// **Errors**: those of [`check`].
/// **Source**: Zeiler & Fergus 2013 (arXiv 1311.2901); Captum `Occlusion`.
pub fn occlusion(
    model: &dyn Classifier,
    faces: &[f32],
    targets: &[Target],
    window: &Window,
) -> Result<Vec<f32>> {
    check(model, faces, targets)?;
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
        out.copy_from_slice(face(faces, i / each));
        if !i.is_multiple_of(each) {
            hidden(i % each - 1).for_each(|row| out[row].fill(window.fill));
        }
    };
    let scores = scores_of(model, each * targets.len(), draw, |i| targets[i / each])?;

    let mut coverage = vec![0.0f32; PIXELS];
    let mut maps = vec![0.0f32; faces.len()];
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
