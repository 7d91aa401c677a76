//! Detects faces in an image.

use crate::dataset::image::GrayImage;
use crate::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A detected face: the square from the brows to the chin, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectedFace {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Length of a side.
    pub side: f64,
    /// Detection score; its scale depends on the detector.
    pub score: f64,
}

/// A face detector.
pub trait FaceDetector {
    /// Returns the faces of an image in any order; none if the image cannot be searched.
    fn detect(&self, picture: &GrayImage) -> Vec<DetectedFace>;
}

/// Longest side, in pixels, of an image that is searched; larger ones are shrunk first.
///
/// The detector's window has 40 pixels and never shrinks. So it detects faces whose box, from brows to
/// chin, has at least 40 pixels and 2 % of the photo's longer side.
const LONGEST: usize = 2_000;

/// Smallest face in pixels, the least that the library accepts; its window sets the actual limit.
/// The library panics on smaller images.
const SMALLEST: u32 = 20;

/// Step of the search window in pixels.
const STEP: u32 = 4;

/// Ratio of neighbouring scales.
const SCALE: f32 = 0.8;

/// Lowest score of a detection; a lower one detects more faces and more false ones.
const SCORE: f64 = 2.0;

/// The frontal detector of SeetaFace (Wu et al. 2016, "Funnel-structured cascade for multi-view face
/// detection with alignment awareness") in its Rust port; the model is part of the binary.
pub struct SeetaFace {
    model: rustface::Model,
}

impl SeetaFace {
    /// Reads the built-in model.
    ///
    /// # Errors
    /// [`Error::Failed`] if the model is damaged.
    pub fn new() -> Result<Self> {
        let bytes = include_bytes!("../../data/face_detector/seeta_fd_frontal_v1.0.bin");
        let model = rustface::read_model(bytes.as_slice())
            .map_err(|e| Error::Failed(format!("the face detector's model: {e}")))?;
        Ok(Self { model })
    }
}

impl FaceDetector for SeetaFace {
    fn detect(&self, picture: &GrayImage) -> Vec<DetectedFace> {
        if picture.width.min(picture.height) == 0 {
            return Vec::new();
        }
        let (GrayImage { width, height, gray }, scale) = picture.shrunk(LONGEST);
        if width.min(height) < SMALLEST as usize {
            return Vec::new(); // the library panics
        }
        let search = || {
            let mut detector = rustface::create_detector_with_model(self.model.clone());
            detector.set_min_face_size(SMALLEST);
            detector.set_score_thresh(SCORE);
            detector.set_pyramid_scale_factor(SCALE);
            detector.set_slide_window_step(STEP, STEP);
            detector.detect(&rustface::ImageData::new(&gray, width as u32, height as u32))
        };
        // The library panics instead of returning errors; an image that makes it panic has no face.
        let faces = catch_unwind(AssertUnwindSafe(search)).unwrap_or_default();
        let found = |face: &rustface::FaceInfo| {
            let b = face.bbox();
            let side = f64::from(b.width().max(b.height()));
            DetectedFace {
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
    fn images_without_a_face_and_tiny_images_have_no_detection() {
        let detector = SeetaFace::new().unwrap();
        for (width, height) in [(1, 1), (19, 400), (20, 20), (39, 41), (300, 200), (4000, 21)] {
            let gray = (0..width * height).map(|i| (i * 7 % 251) as u8).collect();
            let picture = GrayImage { width, height, gray };
            assert_eq!(detector.detect(&picture), [], "{width}x{height}");
        }
    }
}
