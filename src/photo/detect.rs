//! Where the faces of a picture are.

use crate::dataset::image::picture::Picture;
use crate::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A face in a picture: the square from the brows to the chin, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Side.
    pub side: f64,
    /// How sure the finder is, in its own unit.
    pub score: f64,
}

/// Anything that finds faces.
pub trait FaceFinder {
    /// The faces of a picture, in any order. A picture that it cannot look at has none.
    fn find(&self, picture: &Picture) -> Vec<Found>;
}

/// Longest side of the picture that is searched; larger ones are shrunk first.
///
/// The detector's window is 40 pixels and is never made smaller, so that faces are found whose box,
/// brows to chin, is at least 40 pixels wide and 2 % of the photo's longer side.
const LONGEST: usize = 2_000;

/// Smallest face in pixels: a parameter of the library, its least; what it finds is bounded by its
/// window. Smaller pictures than this make it panic.
const SMALLEST: u32 = 20;

/// Step of the search window in pixels.
const STEP: u32 = 4;

/// Ratio of neighbouring scales.
const SCALE: f32 = 0.8;

/// Lowest score of a face; lower finds more faces, and more that are none.
const SCORE: f64 = 2.0;

/// The frontal detector of SeetaFace (Wu et al. 2016, "Funnel-structured cascade for multi-view face
/// detection with alignment awareness") in its Rust port, with the model in the binary.
pub struct SeetaFace {
    model: rustface::Model,
}

impl SeetaFace {
    /// Reads the model.
    ///
    /// # Errors
    /// None in practice: a test reads it.
    pub fn new() -> Result<Self> {
        let bytes = include_bytes!("../../data/face_detector/seeta_fd_frontal_v1.0.bin");
        let model = rustface::read_model(bytes.as_slice())
            .map_err(|e| Error::Failed(format!("the face detector's model: {e}")))?;
        Ok(Self { model })
    }
}

impl FaceFinder for SeetaFace {
    fn find(&self, picture: &Picture) -> Vec<Found> {
        if picture.width.min(picture.height) == 0 {
            return Vec::new();
        }
        let (Picture { width, height, gray }, scale) = picture.shrunk(LONGEST);
        if width.min(height) < SMALLEST as usize {
            return Vec::new(); // no face fits in, and the library panics
        }
        let search = || {
            let mut detector = rustface::create_detector_with_model(self.model.clone());
            detector.set_min_face_size(SMALLEST);
            detector.set_score_thresh(SCORE);
            detector.set_pyramid_scale_factor(SCALE);
            detector.set_slide_window_step(STEP, STEP);
            detector.detect(&rustface::ImageData::new(&gray, width as u32, height as u32))
        };
        // The library promises no errors but panics; a picture that makes it panic has no face.
        let faces = catch_unwind(AssertUnwindSafe(search)).unwrap_or_default();
        let found = |face: &rustface::FaceInfo| {
            let b = face.bbox();
            let side = f64::from(b.width().max(b.height()));
            Found {
                x: f64::from(b.x()) / scale,
                y: f64::from(b.y()) / scale,
                side: side / scale,
                score: face.score(),
            }
        };
        faces.iter().filter(|f| f.bbox().width() > 0).map(found).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_without_a_face_have_none_and_none_is_too_small() {
        let finder = SeetaFace::new().unwrap();
        for (width, height) in [(1, 1), (19, 400), (20, 20), (39, 41), (300, 200), (4000, 21)] {
            let gray = (0..width * height).map(|i| (i * 7 % 251) as u8).collect();
            let picture = Picture { width, height, gray };
            assert_eq!(finder.find(&picture), [], "{width}x{height}");
        }
    }
}
