//! The parts of a face on the 48×48 pixels of FER2013, as a template.
//!
//! The template was measured on the mean training face. Faces of FER2013 are only roughly aligned,
//! so [`Template::fitted`] moves, scales and turns it to agree with the face.

use crate::stats::ncc;
use crate::{PIXELS, SIDE};

/// Number of regions.
pub const REGIONS: usize = 9;

/// A part of the face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// Eyes and brows.
    Eyes,
    /// Between the brows, with the bridge of the nose.
    BrowGap,
    /// Nose.
    Nose,
    /// Mouth.
    Mouth,
    /// Cheeks.
    Cheeks,
    /// Forehead.
    Forehead,
    /// Beside the eyes.
    Temples,
    /// Chin and jaw.
    Chin,
    /// Outside the face: hair, background, hands.
    Outside,
}

impl Region {
    /// All regions, in the order of a table.
    pub const ALL: [Region; REGIONS] = [
        Region::Eyes,
        Region::BrowGap,
        Region::Nose,
        Region::Mouth,
        Region::Cheeks,
        Region::Forehead,
        Region::Temples,
        Region::Chin,
        Region::Outside,
    ];

    /// Name for readers.
    pub fn label(self) -> &'static str {
        match self {
            Region::Eyes => "eyes and brows",
            Region::BrowGap => "between the brows",
            Region::Nose => "nose",
            Region::Mouth => "mouth",
            Region::Cheeks => "cheeks",
            Region::Forehead => "forehead",
            Region::Temples => "temples",
            Region::Chin => "chin and jaw",
            Region::Outside => "hair, background, hands",
        }
    }
}

/// First and last row and column of each box; where boxes overlap, the first one counts.
const BOXES: [(Region, [usize; 4]); 7] = [
    (Region::Eyes, [11, 21, 8, 20]),
    (Region::Eyes, [11, 21, 27, 39]),
    (Region::BrowGap, [11, 19, 21, 26]),
    (Region::Mouth, [33, 43, 14, 34]),
    (Region::Nose, [20, 32, 19, 29]),
    (Region::Cheeks, [22, 34, 6, 18]),
    (Region::Cheeks, [22, 34, 30, 42]),
];
/// Below which rows of the face outside the boxes lie temples, cheeks and chin.
const ROWS: [(Region, f64); 3] =
    [(Region::Forehead, 10.5), (Region::Temples, 21.5), (Region::Cheeks, 32.5)];
/// The outline of the face, an ellipse: row and column of the centre, and the radii.
const ELLIPSE: ([f64; 2], [f64; 2]) = ([25.0, 24.0], [25.0, 19.0]);

/// Scales and turns (in degrees) of the template that are tried.
const SCALES: [f64; 5] = [1.0, 0.92, 1.08, 0.85, 1.16];
const TURNS: [f64; 5] = [0.0, -8.0, 8.0, -16.0, 16.0];
/// Correlation that a scale or turn must gain: less is chance.
const GAIN: f64 = 0.02;

/// The region of every pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// `[48, 48]`.
    pub regions: Vec<Region>,
    /// Rows and columns of the shift.
    pub shift: [isize; 2],
    /// Size relative to the mean face.
    pub scale: f64,
    /// Turn in degrees, clockwise.
    pub turn: f64,
}

impl Template {
    /// The template at the place of the mean face.
    pub fn fixed() -> Template {
        Template::placed([0, 0], 1.0, 0.0)
    }

    /// The template scaled and turned about the centre of the face, then shifted down and right.
    pub fn placed(shift: [isize; 2], scale: f64, turn: f64) -> Template {
        let pose = Pose { shift, scale, turn };
        let at = |p: usize| {
            let [i, j] = pose.to_template([(p / SIDE) as f64, (p % SIDE) as f64]);
            region_at(i, j)
        };
        Template { regions: (0..PIXELS).map(at).collect(), shift, scale, turn }
    }

    /// The template placed where the face correlates best with the mean face: shifted by up to
    /// ±`reach` pixels, then scaled by 0.85 to 1.16 and turned by up to 16°. The smallest change
    /// among equals.
    pub fn fitted(face: &[f32], mean_face: &[f32], reach: isize) -> Template {
        let mut shifts: Vec<[isize; 2]> =
            (-reach..=reach).flat_map(|i| (-reach..=reach).map(move |j| [i, j])).collect();
        shifts.sort_by_key(|[i, j]| (i * i + j * j, *i, *j));
        let mut best = (Pose { shift: [0, 0], scale: 1.0, turn: 0.0 }, f64::NEG_INFINITY);
        let try_pose = |pose: Pose, gain: f64, best: &mut (Pose, f64)| {
            let score = pose.correlation(face, mean_face, reach);
            if score > best.1 + gain {
                *best = (pose, score);
            }
        };
        for &shift in &shifts {
            try_pose(Pose { shift, ..best.0 }, 1e-9, &mut best);
        }
        let [down, right] = best.0.shift;
        let mut posed = (best.0, best.1 + GAIN);
        for (scale, turn) in SCALES.iter().flat_map(|&s| TURNS.iter().map(move |&t| (s, t))).skip(1)
        {
            for (i, j) in [(0, 0), (-2, 0), (2, 0), (0, -2), (0, 2)] {
                let shift = [(down + i).clamp(-reach, reach), (right + j).clamp(-reach, reach)];
                try_pose(Pose { shift, scale, turn }, 1e-9, &mut posed);
            }
        }
        let Pose { shift, scale, turn } = posed.0;
        Template::placed(shift, scale, turn)
    }

    /// Returns the share of the pixels in each region, in the order of [`Region::ALL`].
    pub fn areas(&self) -> [f64; REGIONS] {
        self.shares(&[1.0; PIXELS])
    }

    /// Returns the share of the magnitude of a map in each region, in the order of [`Region::ALL`];
    /// the areas for a map of zeros.
    pub fn shares(&self, map: &[f32]) -> [f64; REGIONS] {
        let mut sums = [0.0; REGIONS];
        for (region, v) in self.regions.iter().zip(map) {
            sums[*region as usize] += f64::from(v.abs());
        }
        let total: f64 = sums.iter().sum();
        if total > 0.0 { sums.map(|s| s / total) } else { self.areas() }
    }
}

/// The region at a row and column of the mean face.
fn region_at(i: f64, j: f64) -> Region {
    let inside = |&(_, [top, bottom, left, right]): &(Region, [usize; 4])| {
        let within =
            |v: f64, first: usize, last: usize| v >= first as f64 - 0.5 && v < last as f64 + 0.5;
        within(i, top, bottom) && within(j, left, right)
    };
    if let Some((region, _)) = BOXES.iter().find(|b| inside(b)) {
        return *region;
    }
    let (centre, radii) = ELLIPSE;
    let (y, x) = ((i - centre[0]) / radii[0], (j - centre[1]) / radii[1]);
    if x * x + y * y > 1.0 {
        return Region::Outside;
    }
    ROWS.iter().find(|(_, below)| i < *below).map_or(Region::Chin, |(region, _)| *region)
}

/// A place of the template on a face.
#[derive(Clone, Copy)]
struct Pose {
    shift: [isize; 2],
    scale: f64,
    turn: f64,
}

impl Pose {
    /// The place on the mean face of a place on the face.
    fn to_template(self, [i, j]: [f64; 2]) -> [f64; 2] {
        let ([row, column], _) = ELLIPSE;
        let (sin, cos) = self.turn.to_radians().sin_cos();
        let (y, x) = (i - self.shift[0] as f64 - row, j - self.shift[1] as f64 - column);
        [row + (cos * y - sin * x) / self.scale, column + (sin * y + cos * x) / self.scale]
    }

    /// The place on the face of a place on the mean face.
    fn to_face(self, [i, j]: [f64; 2]) -> [f64; 2] {
        let ([row, column], _) = ELLIPSE;
        let (sin, cos) = self.turn.to_radians().sin_cos();
        let (y, x) = (self.scale * (i - row), self.scale * (j - column));
        [
            row + cos * y + sin * x + self.shift[0] as f64,
            column - sin * y + cos * x + self.shift[1] as f64,
        ]
    }

    /// Correlation of the face, as the template lies on it, with the mean face, borders left out.
    fn correlation(self, face: &[f32], mean_face: &[f32], reach: isize) -> f64 {
        let middle = reach as usize..SIDE - reach as usize;
        let pixels = || middle.clone().flat_map(|i| middle.clone().map(move |j| (i, j)));
        let nearest = |v: f64| v.round().clamp(0.0, (SIDE - 1) as f64) as usize;
        let on_face = |(i, j): (usize, usize)| {
            let [i, j] = self.to_face([i as f64, j as f64]).map(nearest);
            face[i * SIDE + j]
        };
        let own: Vec<f32> = pixels().map(on_face).collect();
        let mean: Vec<f32> = pixels().map(|(i, j)| mean_face[i * SIDE + j]).collect();
        ncc(&own, &mean)
    }
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
        assert_eq!(at(13, 23), Region::BrowGap); // where the gradients are largest
        assert_eq!(at(46, 24), Region::Chin);
        assert_eq!(at(15, 7), Region::Temples);
        assert_eq!((at(4, 24), at(32, 18)), (Region::Forehead, Region::Cheeks));
        assert_eq!(at(0, 0), Region::Outside);
        let areas = t.areas();
        assert!((areas.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((areas[0] - 286.0 / 2304.0).abs() < 1e-12, "two eyes of 11 × 13");
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

    /// A face with eyes and mouth, as the template sees it under a pose.
    fn posed(pose: Pose) -> Vec<f32> {
        let level = |p: usize| {
            let [i, j] = pose.to_template([(p / SIDE) as f64, (p % SIDE) as f64]);
            match region_at(i, j) {
                Region::Eyes | Region::Mouth => 0.2,
                Region::Outside => 0.0,
                _ => 0.8,
            }
        };
        (0..PIXELS).map(level).collect()
    }

    #[test]
    fn fitted_template_follows_a_turned_and_a_larger_face() {
        let mean = posed(Pose { shift: [0, 0], scale: 1.0, turn: 0.0 });
        for (scale, turn) in [(1.0, 16.0), (1.0, -8.0), (0.85, 0.0), (1.16, 8.0)] {
            let pose = Pose { shift: [2, -1], scale, turn };
            let found = Template::fitted(&posed(pose), &mean, 4);
            assert_eq!((found.scale, found.turn), (scale, turn));
            let exact = Template::placed([2, -1], scale, turn);
            let same = found.regions.iter().zip(&exact.regions).filter(|(a, b)| a == b).count();
            // The borders of the regions may be off by a pixel.
            assert!(same > PIXELS * 8 / 10, "{same} for {scale} and {turn}");
        }
        // There and back.
        let pose = Pose { shift: [3, -2], scale: 1.16, turn: 8.0 };
        let [i, j] = pose.to_template(pose.to_face([10.0, 30.0]));
        assert!((i - 10.0).abs() < 1e-9 && (j - 30.0).abs() < 1e-9);
    }
}
