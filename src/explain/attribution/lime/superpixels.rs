//! The superpixels that LIME hides: SLIC superpixels of the picture, or parts of a face.

use crate::explain::attribution::lime::slic::{SlicOptions, slic};
use crate::explain::regions::face_regions::{Region, Template};
use crate::{PIXELS, SIDE};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a face is cut into superpixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Segmentation {
    /// SLIC superpixels, about 44 on a face.
    #[default]
    Slic,
    /// Twelve parts of a face: two eyes, nose, mouth, two cheeks, forehead, temples, chin, hair,
    /// and the background on both sides.
    Face,
}

impl fmt::Display for Segmentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Names of the parts of [`Segmentation::Face`], by number.
pub const FACE_PARTS: [&str; 12] = [
    "left eye and brow", "right eye and brow", "nose", "mouth", "left cheek", "right cheek",
    "forehead", "temples and bridge", "chin", "hair above", "left background", "right background",
];

/// Returns the superpixel of every pixel, `[48, 48]`, numbered from 0 without gaps.
pub fn segment(face: &[f32], segmentation: Segmentation) -> Vec<usize> {
    match segmentation {
        Segmentation::Slic => slic(face, &SlicOptions::default()),
        Segmentation::Face => face_parts(),
    }
}

/// Returns the part of every pixel, `[48, 48]`: the twelve parts of the template at the place of the mean face.
/// Left and right are those of the picture.
pub fn face_parts() -> Vec<usize> {
    let template = Template::fixed();
    let part = |p: usize| {
        let row = p / SIDE;
        let side = usize::from(p % SIDE >= 24);
        match template.regions[p] {
            Region::Eyes => side,
            Region::Nose => 2,
            Region::Mouth => 3,
            Region::Cheeks => 4 + side,
            Region::Forehead => 6,
            Region::Temples | Region::BrowGap => 7,
            Region::Chin => 8,
            Region::Outside if row < 11 => 9,
            Region::Outside => 10 + side,
        }
    };
    (0..PIXELS).map(part).collect()
}

/// Returns the number of superpixels.
pub fn count(labels: &[usize]) -> usize {
    labels.iter().max().map_or(0, |k| k + 1)
}

/// Returns the picture with every superpixel painted in its mean gray, as LIME shows hidden ones.
pub fn superpixel_means(face: &[f32], labels: &[usize]) -> Vec<f32> {
    let mut sums = vec![(0.0f64, 0.0f64); count(labels)];
    for (&k, &v) in labels.iter().zip(face) {
        sums[k].0 += f64::from(v);
        sums[k].1 += 1.0;
    }
    labels.iter().map(|&k| (sums[k].0 / sums[k].1) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn face_parts_are_twelve_and_named() {
        let labels = face_parts();
        assert_eq!(count(&labels), FACE_PARTS.len());
        for k in 0..FACE_PARTS.len() {
            let size = labels.iter().filter(|&&l| l == k).count();
            assert!(size >= 40, "{} has {size} pixels", FACE_PARTS[k]);
        }
        assert_eq!(FACE_PARTS[labels[15 * SIDE + 10]], "left eye and brow");
        assert_eq!(FACE_PARTS[labels[46 * SIDE + 24]], "chin");
        assert_eq!(FACE_PARTS[labels[SIDE - 1]], "hair above");
    }

    #[test]
    fn means_of_superpixels() {
        let mut face = vec![0.0; PIXELS];
        face[0] = 1.0;
        let mut labels = vec![1; PIXELS];
        labels[..4].fill(0);
        let means = superpixel_means(&face, &labels);
        assert_eq!((means[3], means[4]), (0.25, 0.0));
    }
}
