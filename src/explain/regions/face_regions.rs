//! The parts of a face on the 48×48 pixels of FER2013, as a template.
//!
//! The template was measured on the mean training face. Faces of FER2013 are only roughly aligned, so
//! [`Template::fitted`] moves, scales and turns it to the eyes, the nose and the mouth of the face.

use crate::explain::regions::landmarks::{LANDMARKS, Landmarks, find_landmarks};
use crate::{PIXELS, Result, SIDE};
use rayon::prelude::*;

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

/// A box of the template.
struct RegionBox {
    region: Region,
    /// First and last row, first and last column.
    at: [usize; 4],
    /// The landmark that the box follows.
    landmark: Option<usize>,
}

/// The boxes; where they overlap, the first one counts.
const BOXES: [RegionBox; 7] = [
    RegionBox { region: Region::Eyes, at: [11, 21, 8, 20], landmark: Some(0) },
    RegionBox { region: Region::Eyes, at: [11, 21, 27, 39], landmark: Some(1) },
    RegionBox { region: Region::BrowGap, at: [11, 19, 21, 26], landmark: None },
    RegionBox { region: Region::Mouth, at: [33, 43, 14, 34], landmark: Some(3) },
    RegionBox { region: Region::Nose, at: [20, 32, 19, 29], landmark: Some(2) },
    RegionBox { region: Region::Cheeks, at: [22, 34, 6, 18], landmark: None },
    RegionBox { region: Region::Cheeks, at: [22, 34, 30, 42], landmark: None },
];
/// The landmarks of the template: medians of 27,000 training faces, made symmetric.
const OWN_LANDMARKS: Landmarks = [[18.3, 14.5], [18.3, 32.5], [29.6, 23.5], [36.6, 23.5]];
/// Below which rows of the face outside the boxes lie temples, cheeks and chin.
const ROWS: [(Region, f64); 3] =
    [(Region::Forehead, 10.5), (Region::Temples, 21.5), (Region::Cheeks, 32.5)];
/// The outline of the face, an ellipse: row and column of its centre, and its radii.
const CENTRE: [f64; 2] = [25.0, 24.0];
const RADII: [f64; 2] = [25.0, 19.0];

/// Scales that a face can have, relative to the mean face.
const SCALES: std::ops::RangeInclusive<f64> = 0.4..=2.5;
/// Most pixels by which a box follows the residual of its landmark.
const MAX_RESIDUAL: f64 = 4.0;

/// The region of every pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// `[48, 48]`.
    pub regions: Vec<Region>,
}

impl Template {
    /// The template at the place of the mean face.
    pub fn fixed() -> Template {
        Template::placed([0.0; 2], 1.0, 0.0)
    }

    /// The template scaled and turned (in degrees, clockwise) about the centre of the face, then shifted down
    /// and right.
    pub fn placed(shift: [f64; 2], scale: f64, turn: f64) -> Template {
        let centre = [CENTRE[0] + shift[0], CENTRE[1] + shift[1]];
        let pose = Pose { centre, to: CENTRE, factor: turned(turn, 1.0 / scale) };
        Template::posed(pose, &[[0.0; 2]; LANDMARKS])
    }

    /// The template on a face: moved, scaled and turned so that its landmarks lie as near to those of the face
    /// as they can (least squares); then the boxes of eyes, nose and mouth follow the residuals, by up to 4
    /// pixels. The fixed template where no face has such landmarks.
    pub fn fitted(landmarks: &Landmarks) -> Template {
        let Some(pose) = Pose::between(landmarks, &OWN_LANDMARKS) else { return Template::fixed() };
        let mut residuals = [[0.0; 2]; LANDMARKS];
        for ((residual, &mark), own) in residuals.iter_mut().zip(landmarks).zip(OWN_LANDMARKS) {
            let [row, column] = pose.to_template(mark);
            let limited = |v: f64| v.clamp(-MAX_RESIDUAL, MAX_RESIDUAL);
            *residual = [row - own[0], column - own[1]].map(limited);
        }
        Template::posed(pose, &residuals)
    }

    fn posed(pose: Pose, residuals: &[[f64; 2]; LANDMARKS]) -> Template {
        let place = |p: usize| pose.to_template([(p / SIDE) as f64, (p % SIDE) as f64]);
        Template { regions: (0..PIXELS).map(|p| region_at(place(p), residuals)).collect() }
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

/// Fits the template to each face of `[n, 48, 48]`.
///
/// **Errors**: `Shape` where the faces are not 48×48.
pub fn fitted_templates(faces: &[f32]) -> Result<Vec<Template>> {
    Ok(find_landmarks(faces)?.par_iter().map(Template::fitted).collect())
}

/// The region at a row and column of the template, whose boxes are moved by the `residuals` of their landmarks.
fn region_at([i, j]: [f64; 2], residuals: &[[f64; 2]; LANDMARKS]) -> Region {
    let inside = |b: &&RegionBox| {
        let [top, bottom, first, last] = b.at;
        let [down, right] = b.landmark.map_or([0.0; 2], |mark| residuals[mark]);
        let within =
            |v: f64, first: usize, last: usize| v >= first as f64 - 0.5 && v < last as f64 + 0.5;
        within(i - down, top, bottom) && within(j - right, first, last)
    };
    if let Some(found) = BOXES.iter().find(inside) {
        return found.region;
    }
    let [y, x] = [(i - CENTRE[0]) / RADII[0], (j - CENTRE[1]) / RADII[1]];
    if x * x + y * y > 1.0 {
        return Region::Outside;
    }
    ROWS.iter().find(|(_, below)| i < *below).map_or(Region::Chin, |(region, _)| *region)
}

/// A similarity from a face to the template: q = `to` + `factor`·(p − `centre`), where places are complex
/// numbers, row + i·column.
#[derive(Clone, Copy)]
struct Pose {
    centre: [f64; 2],
    to: [f64; 2],
    factor: [f64; 2],
}

/// Returns s·exp(i·degrees).
fn turned(degrees: f64, s: f64) -> [f64; 2] {
    let (sin, cos) = degrees.to_radians().sin_cos();
    [s * cos, s * sin]
}

impl Pose {
    /// The similarity that takes places `from` nearest to `to`: factor = Σ conj(p)·q / Σ |p|², both counted from
    /// their means. `None` for a scale that no face has.
    fn between(from: &Landmarks, to: &Landmarks) -> Option<Pose> {
        let mean = |marks: &Landmarks, axis: usize| {
            marks.iter().map(|mark| mark[axis]).sum::<f64>() / LANDMARKS as f64
        };
        let centre = [mean(from, 0), mean(from, 1)];
        let to_centre = [mean(to, 0), mean(to, 1)];
        let (mut product, mut square) = ([0.0; 2], 0.0);
        for (p, q) in from.iter().zip(to) {
            let [a, b] = [p[0] - centre[0], p[1] - centre[1]];
            let [c, d] = [q[0] - to_centre[0], q[1] - to_centre[1]];
            product = [product[0] + a * c + b * d, product[1] + a * d - b * c];
            square += a * a + b * b;
        }
        let factor = product.map(|v| v / square);
        let scale = 1.0 / factor[0].hypot(factor[1]);
        SCALES.contains(&scale).then_some(Pose { centre, to: to_centre, factor })
    }

    /// The place on the template of a place on the face.
    fn to_template(self, [i, j]: [f64; 2]) -> [f64; 2] {
        let [y, x] = [i - self.centre[0], j - self.centre[1]];
        let [cos, sin] = self.factor;
        [self.to[0] + cos * y - sin * x, self.to[1] + sin * y + cos * x]
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

    /// Landmarks of a face of another size, turn and place, without the program's own arithmetic.
    fn posed(shift: [f64; 2], scale: f64, turn: f64) -> Landmarks {
        let (sin, cos) = turn.to_radians().sin_cos();
        OWN_LANDMARKS.map(|[i, j]| {
            let (y, x) = (scale * (i - 25.0), scale * (j - 24.0));
            // Clockwise: what is right of the centre (x > 0) goes down.
            [25.0 + cos * y + sin * x + shift[0], 24.0 - sin * y + cos * x + shift[1]]
        })
    }

    #[test]
    fn fitted_template_follows_the_landmarks() {
        assert_eq!(Template::fitted(&OWN_LANDMARKS), Template::fixed());
        for (shift, scale, turn) in
            [([3.0, -2.0], 1.0, 0.0), ([0.0; 2], 1.16, 8.0), ([-2.0, 5.0], 0.7, -35.0)]
        {
            let fitted = Template::fitted(&posed(shift, scale, turn));
            let placed = Template::placed(shift, scale, turn);
            let same = fitted.regions.iter().zip(&placed.regions).filter(|(a, b)| a == b).count();
            assert!(same >= PIXELS - 4, "{same} for {scale} and {turn}"); // a border on a pixel's centre
        }
        // Turned clockwise by a quarter, the forehead is on the right.
        let turned = Template::placed([0.0; 2], 1.0, 90.0);
        assert_eq!(turned.regions[25 * SIDE + 44], Region::Forehead);
        assert_eq!(turned.regions[25 * SIDE + 10], Region::Mouth);
    }

    #[test]
    fn a_box_follows_its_landmark_by_up_to_four_pixels() {
        // Equal and opposite shifts of the eyes leave the similarity without a turn.
        let mut marks = OWN_LANDMARKS;
        marks[0][1] -= 3.0;
        marks[1][1] += 3.0;
        let t = Template::fitted(&marks);
        for [i, j] in marks {
            let region = t.regions[i.round() as usize * SIDE + j.round() as usize];
            assert!([Region::Eyes, Region::Nose, Region::Mouth].contains(&region), "{region:?}");
        }
    }

    #[test]
    fn what_is_no_face_gets_the_fixed_template() {
        for marks in [[[24.0; 2]; LANDMARKS], [[f64::NAN; 2]; LANDMARKS], posed([0.0; 2], 4.0, 0.0)]
        {
            assert_eq!(Template::fitted(&marks), Template::fixed());
        }
    }
}
