//! Measures how a detected face should be cropped so that its predicted class agrees with the one of
//! FER2013's own crop.

use crate::dataset::image::GrayImage;
use crate::dataset::image::resize::resize;
use crate::dataset::{Dataset, Sample};
use crate::photo::{CropBox, DetectedFace, FaceDetector as _, SeetaFace};
use crate::{Error, Result, SIDE};
use serde::Serialize;

/// Margins that are tried, as shares of the detected face's side.
pub const MARGINS: [f64; 9] = [-0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4];
/// Shifts that are tried, as shares of the detected face's side.
pub const SHIFTS: [f64; 5] = [-0.1, -0.05, 0.0, 0.05, 0.1];

/// Side of a face on its canvas, in pixels.
const FACE: usize = 3 * SIDE;
/// Side of the canvas, in pixels.
const CANVAS: usize = 2 * FACE;

/// Result of the measurement.
#[derive(Clone, Debug, Serialize)]
pub struct CropCalibration {
    /// Number of faces.
    pub faces: usize,
    /// Number of detected faces.
    pub found: usize,
    /// Mean of (side of the FER2013 face / side of the detected one) − 1.
    pub mean_margin: f64,
    /// Mean of (centre of the FER2013 face − centre of the detected one) / side of the detected one.
    pub mean_shift: f64,
    /// Agreement per margin and shift: all [`SHIFTS`] for the first of the [`MARGINS`], then for the
    /// next.
    pub agreement: Vec<Agreement>,
}

/// Agreement for one margin and shift.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Agreement {
    /// Margin, see [`CropBox::with`].
    pub margin: f64,
    /// Shift, see [`CropBox::with`].
    pub shift: f64,
    /// Share of the detected faces whose crop gets the predicted class of FER2013's own crop.
    pub agreement: f64,
}

/// Returns how often [`measure`] calls `progress`.
pub fn num_steps(faces: &Dataset) -> usize {
    faces.len() + MARGINS.len() * SHIFTS.len()
}

/// Puts each face on a canvas, detects it there, crops it with every margin and shift, and compares the
/// predicted classes with those of the original face. `predict` returns the class of every face of a
/// set; `progress` is called after each face and after each combination.
///
/// # Errors
/// [`Error::Failed`] if no face is detected, and the errors of `predict`.
pub fn measure(
    faces: &Dataset,
    predict: impl Fn(&Dataset) -> Result<Vec<usize>>,
    progress: impl Fn(),
) -> Result<CropCalibration> {
    let detector = SeetaFace::new()?;
    let mut all: Vec<(usize, GrayImage, DetectedFace)> = Vec::new();
    for i in 0..faces.len() {
        let canvas = on_canvas(faces.image(i));
        let best = detector.detect(&canvas).into_iter().max_by(|a, b| a.score.total_cmp(&b.score));
        all.extend(best.map(|found| (i, canvas, found)));
        progress();
    }
    if all.is_empty() {
        return Err(Error::Failed("no face was detected on any canvas".into()));
    }
    let expected = predict(&faces.select(&all.iter().map(|(i, ..)| *i).collect::<Vec<_>>()))?;
    let mut agreement = Vec::new();
    for margin in MARGINS {
        for shift in SHIFTS {
            let cropped = predict(&crop_all(&all, margin, shift))?;
            agreement.push(Agreement {
                margin,
                shift,
                agreement: share_equal(&expected, &cropped),
            });
            progress();
        }
    }
    let n = all.len() as f64;
    let middle = |f: &DetectedFace| f.y + f.side / 2.0;
    let whole = CANVAS as f64 / 2.0;
    Ok(CropCalibration {
        faces: faces.len(),
        found: all.len(),
        mean_margin: all.iter().map(|(.., f)| FACE as f64 / f.side - 1.0).sum::<f64>() / n,
        mean_shift: all.iter().map(|(.., f)| (whole - middle(f)) / f.side).sum::<f64>() / n,
        agreement,
    })
}

/// Returns a canvas of the mean gray of a face with the face in its centre.
fn on_canvas(image: &[u8]) -> GrayImage {
    let mean = image.iter().map(|&p| usize::from(p)).sum::<usize>() / image.len();
    let large = resize(image, SIDE, SIDE, FACE, FACE);
    let mut gray = vec![mean as u8; CANVAS * CANVAS];
    let edge = (CANVAS - FACE) / 2;
    for (row, face) in gray.chunks_mut(CANVAS).skip(edge).zip(large.chunks(FACE)) {
        row[edge..edge + FACE].copy_from_slice(face);
    }
    GrayImage { width: CANVAS, height: CANVAS, gray }
}

fn crop_all(all: &[(usize, GrayImage, DetectedFace)], margin: f64, shift: f64) -> Dataset {
    let mut set = Dataset::new();
    let source = set.add_source("crop");
    for (_, canvas, found) in all {
        let pixels = CropBox::with(found, margin, shift).crop(canvas);
        set.push(&pixels, Sample::default(), source);
    }
    set
}

fn share_equal(a: &[usize], b: &[usize]) -> f64 {
    let equal = a.iter().zip(b).filter(|(a, b)| a == b).count();
    equal as f64 / a.len().max(1) as f64
}
