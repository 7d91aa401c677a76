//! Views of a face for test-time augmentation.

use rayon::prelude::*;

use crate::dataset::Dataset;
use crate::dataset::augment::warp::Warp;

/// A fixed warp of a face. Predictions are averaged over several views.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Whether the face is mirrored.
    pub mirror: bool,
    /// Rotation clockwise, in degrees.
    pub rotation: f32,
    /// Above 1 the face grows.
    pub zoom: f32,
}

impl View {
    /// The unchanged face.
    pub const PLAIN: View = View { mirror: false, rotation: 0.0, zoom: 1.0 };

    /// Returns ten views: the face and its mirror image, each rotated by ±8° at zoom 1 and 0.9, and at
    /// zoom 0.9 without rotation. The unchanged face is not among them: nearly every training face is
    /// interpolated, so the unchanged one is sharper than what the network was trained on.
    pub fn tta() -> Vec<View> {
        let warps = [(-8.0, 1.0), (8.0, 1.0), (-8.0, 0.9), (0.0, 0.9), (8.0, 0.9)];
        let views = |mirror| warps.map(|(rotation, zoom)| View { mirror, rotation, zoom });
        [views(false), views(true)].concat()
    }

    /// Returns the views over which a prediction is averaged: the plain one, or [`View::tta`].
    pub fn for_prediction(tta: bool) -> Vec<View> {
        if tta { Self::tta() } else { vec![Self::PLAIN] }
    }

    /// Writes this view of a face to `out` (`[side, side]`).
    pub fn render(self, image: &[u8], equalize: bool, side: usize, out: &mut [f32]) {
        let View { mirror, rotation, zoom } = self;
        let warp = Warp { angle: rotation.to_radians(), shift: [0.0; 2], zoom, mirror };
        warp.render(image, equalize, side, out);
    }

    /// Returns this view of some faces, `[indices.len(), side, side]`.
    pub fn batch(
        self,
        dataset: &Dataset,
        indices: &[usize],
        equalize: bool,
        side: usize,
    ) -> Vec<f32> {
        let mut out = vec![0.0; indices.len() * side * side];
        self.fill_batch(dataset, indices, equalize, side, &mut out);
        out
    }

    /// Writes this view of some faces to `out` (`[indices.len(), 1, side, side]`), on all threads.
    pub fn fill_batch(
        self,
        dataset: &Dataset,
        indices: &[usize],
        equalize: bool,
        side: usize,
        out: &mut [f32],
    ) {
        assert_eq!(out.len(), indices.len() * side * side, "batch of {} faces", indices.len());
        out.par_chunks_mut(side * side).zip(indices).for_each(|(face, &i)| {
            self.render(dataset.image(i), equalize, side, face);
        });
    }
}
