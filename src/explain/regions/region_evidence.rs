//! Evidence of each region: what the score of the answer loses without it, and gains by it alone.
//!
//! A map adds up many small changes. This says what a whole part of the face decides, in two passes of the
//! network per part.

use crate::explain::Classifier;
use crate::explain::batch::{face, logits_of};
use crate::explain::face_batch::count_faces;
use crate::explain::image_ops::gaussian_blur;
use crate::explain::regions::face_regions::{REGIONS, Region, Template};
use crate::{Error, Result};

/// Deviation of the Gaussian that softens the border of a region, in pixels: a sharp border would be an
/// edge that no face has.
const FEATHER: f64 = 1.5;

/// The evidence of one region, in units of the score. Positive values speak for the class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegionEvidence {
    /// S(x) − S(x + m·(b − x)): what the score loses without the region.
    pub lost: f64,
    /// S(b + m·(x − b)) − S(b): what the score of the mean face gains by the region.
    pub gained: f64,
}

impl RegionEvidence {
    /// The mean of both.
    pub fn mean(self) -> f64 {
        f64::midpoint(self.lost, self.gained)
    }
}

/// Returns the evidence of every region, in the order of [`Region::ALL`], for the class of each face of
/// `[n, 48, 48]`.
///
/// The score S is the logit of the class minus the mean of all logits, x the face, b the mean face, m the
/// region with a soft border, 0…1.
///
/// **Errors**: `Shape` unless there is one template and one class of the network per face, and a mean
/// face of 48×48 pixels; those of the network.
///
/// **Source**: occlusion (Zeiler & Fergus 2013, arXiv 1311.2901), with the parts of a face as windows.
pub fn region_evidence(
    model: &dyn Classifier,
    faces: &[f32],
    classes: &[usize],
    templates: &[Template],
    mean_face: &[f32],
) -> Result<Vec<[RegionEvidence; REGIONS]>> {
    let n = count_faces(faces)?;
    let known = classes.iter().all(|&class| class < model.classes());
    if [templates.len(), classes.len()] != [n; 2] || count_faces(mean_face)? != 1 || !known {
        let detail =
            format!("{} templates and {} classes for {n} faces", templates.len(), classes.len());
        return Err(Error::shape("region_evidence", detail));
    }
    // Of each face itself, without each region, with each region alone; the mean face comes last.
    let each = 1 + 2 * REGIONS;
    let draw = |i: usize, out: &mut [f32]| {
        let (f, k) = (i / each, i % each);
        if f == n {
            return out.copy_from_slice(mean_face);
        }
        let own = face(faces, f);
        let Some(k) = k.checked_sub(1) else { return out.copy_from_slice(own) };
        let mask = soft_mask(&templates[f], Region::ALL[k % REGIONS]);
        let [from, to] = if k < REGIONS { [own, mean_face] } else { [mean_face, own] };
        for (((out, m), from), to) in out.iter_mut().zip(mask).zip(from).zip(to) {
            *out = from + m * (to - from);
        }
    };
    let logits = logits_of(model, each * n + 1, draw)?;
    let rows: Vec<&[f32]> = logits.chunks_exact(model.classes()).collect();
    let score = |i: usize, class: usize| -> f64 {
        let mean = rows[i].iter().map(|&v| f64::from(v)).sum::<f64>() / rows[i].len() as f64;
        f64::from(rows[i][class]) - mean
    };
    let of = |(f, &class): (usize, &usize)| {
        let score = |k: usize| score(f * each + k, class);
        let (whole, mean) = (score(0), score((n - f) * each)); // the row after all faces
        std::array::from_fn(|r| RegionEvidence {
            lost: whole - score(1 + r),
            gained: score(1 + REGIONS + r) - mean,
        })
    };
    Ok(classes.iter().enumerate().map(of).collect())
}

/// The region with a soft border, `[48, 48]`, 0…1.
fn soft_mask(template: &Template, region: Region) -> Vec<f32> {
    let inside = |own: &Region| f32::from(u8::from(*own == region));
    let sharp: Vec<f32> = template.regions.iter().map(inside).collect();
    gaussian_blur(&sharp, FEATHER)
}
