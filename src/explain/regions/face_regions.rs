//! The parts of a face on the 48×48 pixels of FER2013, as a template.
//!
//! The template was measured on the mean training face. Faces of FER2013 are only roughly aligned,
//! so [`Template::fitted`] shifts it by up to four pixels.

use crate::stats::ncc;
use crate::{PIXELS, SIDE};

/// A part of the face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// Eyes and brows.
    Eyes,
    /// Nose.
    Nose,
    /// Mouth.
    Mouth,
    /// Cheeks.
    Cheeks,
    /// Forehead.
    Forehead,
    /// The rest of the face: chin, temples, jaw.
    Rest,
    /// Outside the face: hair, background, hands.
    Outside,
}

impl Region {
    /// All regions, in the order of a table.
    pub const ALL: [Region; 7] = [
        Region::Eyes,
        Region::Nose,
        Region::Mouth,
        Region::Cheeks,
        Region::Forehead,
        Region::Rest,
        Region::Outside,
    ];

    /// Name for readers.
    pub fn label(self) -> &'static str {
        match self {
            Region::Eyes => "eyes and brows",
            Region::Nose => "nose",
            Region::Mouth => "mouth",
            Region::Cheeks => "cheeks",
            Region::Forehead => "forehead",
            Region::Rest => "chin and temples",
            Region::Outside => "hair, background, hands",
        }
    }
}

/// First and last row and column of each box; where boxes overlap, the first one counts.
const BOXES: [(Region, [usize; 4]); 7] = [
    (Region::Eyes, [11, 20, 8, 20]),
    (Region::Eyes, [11, 20, 27, 39]),
    (Region::Mouth, [33, 43, 14, 34]),
    (Region::Nose, [20, 31, 19, 29]),
    (Region::Cheeks, [22, 34, 6, 17]),
    (Region::Cheeks, [22, 34, 31, 42]),
    (Region::Forehead, [3, 10, 12, 36]),
];
/// The outline of the face, an ellipse: row and column of the centre, and the radii.
const ELLIPSE: ([f64; 2], [f64; 2]) = ([25.0, 24.0], [25.0, 19.0]);

/// The region of every pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// `[48, 48]`.
    pub regions: Vec<Region>,
    /// Rows and columns of the shift.
    pub shift: [isize; 2],
}

impl Template {
    /// The template at the place of the mean face.
    pub fn fixed() -> Template {
        Template::shifted([0, 0])
    }

    /// The template shifted down and right by `shift`.
    pub fn shifted(shift: [isize; 2]) -> Template {
        let at =
            |p: usize| region_at((p / SIDE) as isize - shift[0], (p % SIDE) as isize - shift[1]);
        Template { regions: (0..PIXELS).map(at).collect(), shift }
    }

    /// The template shifted to where the face correlates best with the mean face, by up to ±`reach`
    /// pixels; the smallest shift among equals.
    pub fn fitted(face: &[f32], mean_face: &[f32], reach: isize) -> Template {
        let mut moves: Vec<[isize; 2]> =
            (-reach..=reach).flat_map(|i| (-reach..=reach).map(move |j| [i, j])).collect();
        moves.sort_by_key(|[i, j]| (i * i + j * j, *i, *j));
        let mut best = ([0, 0], f64::NEG_INFINITY);
        for shift in moves {
            let score = shifted_ncc(face, mean_face, shift, reach);
            if score > best.1 + 1e-9 {
                best = (shift, score);
            }
        }
        Template::shifted(best.0)
    }

    /// Returns the share of the pixels in each region, in the order of [`Region::ALL`].
    pub fn areas(&self) -> [f64; 7] {
        self.shares(&[1.0; PIXELS])
    }

    /// Returns the share of the magnitude of a map in each region, in the order of [`Region::ALL`];
    /// the areas for a map of zeros.
    pub fn shares(&self, map: &[f32]) -> [f64; 7] {
        let mut sums = [0.0; 7];
        for (region, v) in self.regions.iter().zip(map) {
            sums[*region as usize] += f64::from(v.abs());
        }
        let total: f64 = sums.iter().sum();
        if total > 0.0 { sums.map(|s| s / total) } else { self.areas() }
    }
}

fn region_at(i: isize, j: isize) -> Region {
    let inside = |&(_, [top, bottom, left, right]): &(Region, [usize; 4])| {
        (top as isize..=bottom as isize).contains(&i)
            && (left as isize..=right as isize).contains(&j)
    };
    if let Some((region, _)) = BOXES.iter().find(|b| inside(b)) {
        return *region;
    }
    let (centre, radii) = ELLIPSE;
    let y = (i as f64 - centre[0]) / radii[0];
    let x = (j as f64 - centre[1]) / radii[1];
    if x * x + y * y <= 1.0 { Region::Rest } else { Region::Outside }
}

/// Correlation of the face, shifted back by `shift`, with the mean face, borders left out.
fn shifted_ncc(face: &[f32], mean_face: &[f32], shift: [isize; 2], reach: isize) -> f64 {
    let middle = reach..SIDE as isize - reach;
    let read = |picture: &[f32], shift: [isize; 2]| -> Vec<f32> {
        let row = |i: isize| {
            middle.clone().map(move |j| ((i + shift[0]) * SIDE as isize + j + shift[1]) as usize)
        };
        middle.clone().flat_map(row).map(|p| picture[p]).collect()
    };
    ncc(&read(face, shift), &read(mean_face, [0, 0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_has_every_region_where_the_boxes_say() {
        let t = Template::fixed();
        let at = |i: usize, j: usize| t.regions[i * SIDE + j];
        assert_eq!(at(15, 10), Region::Eyes);
        assert_eq!(at(15, 38), Region::Eyes);
        assert_eq!(at(25, 24), Region::Nose);
        assert_eq!(at(38, 24), Region::Mouth);
        assert_eq!(at(33, 15), Region::Mouth); // mouth before cheek
        assert_eq!(at(28, 8), Region::Cheeks);
        assert_eq!(at(5, 24), Region::Forehead);
        assert_eq!(at(46, 24), Region::Rest);
        assert_eq!(at(0, 0), Region::Outside);
        let areas = t.areas();
        assert!((areas.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((areas[0] - 260.0 / 2304.0).abs() < 1e-12, "two eyes of 10 × 13");
    }

    #[test]
    fn fitted_template_follows_a_moved_face() {
        let mean: Vec<f32> = (0..PIXELS)
            .map(|p| ((p / SIDE) as f32 * 0.31).sin() + ((p % SIDE) as f32 * 0.23).cos())
            .collect();
        let moved: Vec<f32> = (0..PIXELS)
            .map(|p| {
                let (i, j) = ((p / SIDE).saturating_sub(3), (p % SIDE + 2).min(SIDE - 1));
                mean[i * SIDE + j]
            })
            .collect();
        assert_eq!(Template::fitted(&moved, &mean, 4).shift, [3, -2]);
        assert_eq!(Template::fitted(&mean, &mean, 4).shift, [0, 0]);
        assert_eq!(Template::fitted(&[0.5; PIXELS], &mean, 4).shift, [0, 0]);
    }
}
