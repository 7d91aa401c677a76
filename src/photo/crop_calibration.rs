//! How a found face should be cut out: so that it is judged as it is when FER2013 has cut it.

use crate::SIDE;
use crate::dataset::image::picture::Picture;
use crate::dataset::image::resize::resize;
use crate::dataset::{Dataset, Sample};
use crate::photo::{FaceFinder as _, Found, Frame, SeetaFace};
use crate::{Error, Result};
use serde::Serialize;

/// Margins that are tried, in sides of the found face.
pub const MARGINS: [f64; 9] = [-0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4];
/// Shifts that are tried, in sides of the found face.
pub const SHIFTS: [f64; 5] = [-0.1, -0.05, 0.0, 0.05, 0.1];

/// Side of a face on its canvas, and of the canvas.
const FACE: usize = 3 * SIDE;
const CANVAS: usize = 2 * FACE;

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Faces that were looked for.
    pub faces: usize,
    /// Those that were found.
    pub found: usize,
    /// Mean of (side of the whole face / side of the found one) − 1.
    pub mean_margin: f64,
    /// Mean of (middle of the whole face − middle of the found one) / side of the found one.
    pub mean_shift: f64,
    /// Share of faces that are judged as they are uncut, by margin and shift: all [`SHIFTS`] of the
    /// first of the [`MARGINS`], then of the next.
    pub agreement: Vec<Agreement>,
}

/// One way of cutting.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Agreement {
    /// Of [`Frame::with`].
    pub margin: f64,
    /// Of [`Frame::with`].
    pub shift: f64,
    /// Share of the found faces that are judged as they are uncut.
    pub agreement: f64,
}

/// Times that [`measure`] tells of its progress.
pub fn work(faces: &Dataset) -> usize {
    faces.len() + MARGINS.len() * SHIFTS.len()
}

/// Puts each face on a canvas, finds it there, cuts it out in many ways, and compares the judgements.
/// `judge` names the class of every face of a set; `progress` hears of each face and each way.
///
/// # Errors
/// [`Error::Failed`] if no face is found on its canvas, and those of `judge`.
pub fn measure(
    faces: &Dataset,
    judge: impl Fn(&Dataset) -> Result<Vec<usize>>,
    progress: impl Fn(),
) -> Result<Measured> {
    let finder = SeetaFace::new()?;
    let mut all: Vec<(usize, Picture, Found)> = Vec::new();
    for i in 0..faces.len() {
        let canvas = on_canvas(faces.image(i));
        let best = finder.find(&canvas).into_iter().max_by(|a, b| a.score.total_cmp(&b.score));
        all.extend(best.map(|found| (i, canvas, found)));
        progress();
    }
    if all.is_empty() {
        return Err(Error::Failed("no face was found on any canvas".into()));
    }
    let uncut = judge(&faces.select(&all.iter().map(|(i, ..)| *i).collect::<Vec<_>>()))?;
    let mut agreement = Vec::new();
    for margin in MARGINS {
        for shift in SHIFTS {
            let cut = judge(&cut_all(&all, margin, shift))?;
            agreement.push(Agreement { margin, shift, agreement: share_equal(&uncut, &cut) });
            progress();
        }
    }
    let n = all.len() as f64;
    let middle = |f: &Found| f.y + f.side / 2.0;
    let whole = CANVAS as f64 / 2.0;
    Ok(Measured {
        faces: faces.len(),
        found: all.len(),
        mean_margin: all.iter().map(|(.., f)| FACE as f64 / f.side - 1.0).sum::<f64>() / n,
        mean_shift: all.iter().map(|(.., f)| (whole - middle(f)) / f.side).sum::<f64>() / n,
        agreement,
    })
}

/// The face in the middle of a canvas of its mean gray.
fn on_canvas(image: &[u8]) -> Picture {
    let mean = image.iter().map(|&p| usize::from(p)).sum::<usize>() / image.len();
    let large = resize(image, SIDE, SIDE, FACE, FACE);
    let mut gray = vec![mean as u8; CANVAS * CANVAS];
    let edge = (CANVAS - FACE) / 2;
    for (row, face) in gray.chunks_mut(CANVAS).skip(edge).zip(large.chunks(FACE)) {
        row[edge..edge + FACE].copy_from_slice(face);
    }
    Picture { width: CANVAS, height: CANVAS, gray }
}

fn cut_all(all: &[(usize, Picture, Found)], margin: f64, shift: f64) -> Dataset {
    let mut set = Dataset::new();
    let source = set.add_source("cut");
    for (_, canvas, found) in all {
        let pixels = Frame::with(found, margin, shift).cut(canvas);
        set.push(&pixels, Sample::default(), source);
    }
    set
}

fn share_equal(a: &[usize], b: &[usize]) -> f64 {
    let equal = a.iter().zip(b).filter(|(a, b)| a == b).count();
    equal as f64 / a.len().max(1) as f64
}
