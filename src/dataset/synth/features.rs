//! Paints the features that an expression moves: brows, eyes, nose, mouth and creases.

use crate::dataset::synth::canvas::{
    Canvas, Map, Paint, Point, ellipse, lens, lens_distance, stroke,
};
use crate::dataset::synth::expression::Expression;
use crate::dataset::synth::person::Person;

/// Horizontal centre of the face.
const MIDDLE: f32 = 24.0;

/// A face being painted.
pub struct Features<'a> {
    /// Canvas to paint on.
    pub canvas: &'a mut Canvas,
    /// The point of the face that each pixel shows.
    pub map: &'a Map,
    /// Person to paint.
    pub person: &'a Person,
    /// Expression of the face.
    pub expression: &'a Expression,
}

impl Features<'_> {
    /// Paints everything, back to front.
    pub fn paint(&mut self) {
        self.creases();
        self.nose();
        for side in [-1.0, 1.0] {
            self.eye(side);
            self.brow(side);
        }
        self.mouth();
    }

    fn dark(&self, factor: f32) -> f32 {
        self.person.skin * factor
    }

    /// Paints a line from a to b on both halves of the face; x is counted from the centre.
    fn both_strokes(&mut self, a: Point, b: Point, bow: f32, width: f32, ink: Paint) {
        self.canvas.paint(
            self.map,
            &stroke([MIDDLE + a[0], a[1]], [MIDDLE + b[0], b[1]], bow, width, 0.4),
            ink,
        );
        self.canvas.paint(
            self.map,
            &stroke([MIDDLE - a[0], a[1]], [MIDDLE - b[0], b[1]], -bow, width, 0.4),
            ink,
        );
    }

    fn creases(&mut self) {
        let (e, p) = (*self.expression, self.person.clone());
        let shade = |amount: f32, soft: f32| {
            Paint::tint(p.skin * 0.45, (amount * (0.45 + 0.35 * p.age)).clamp(0.0, 0.9), soft)
        };
        let brow_y = p.eye_y - p.brow_gap;
        for k in 0..2 {
            let y = brow_y - 3.4 - 2.3 * k as f32 - 0.7 * e.brow_inner.max(0.0);
            let line = stroke([MIDDLE - 8.0, y], [MIDDLE + 8.0, y], -0.8, 0.9, 0.3);
            self.canvas.paint(self.map, &line, shade(0.8 * e.forehead, 1.4));
        }
        let low = brow_y + 2.6 - 0.4 * e.brow_inner;
        self.both_strokes([1.3, low - 3.6], [1.7, low], 0.3, 1.0, shade(e.frown, 1.2));
        for k in 0..2 {
            let y = p.eye_y + 2.2 + 2.0 * k as f32;
            self.both_strokes(
                [0.4, y + 0.9],
                [3.2, y - 0.5],
                -0.3,
                0.8,
                shade(e.nose_wrinkle, 1.2),
            );
        }
        let wing = p.nose_y - 1.5 - 1.2 * e.nose_wrinkle;
        let corner = p.mouth_y - 0.6 - e.corner;
        let half = p.mouth + e.width;
        let fold = shade(0.12 + 0.4 * e.cheek, 1.8);
        self.both_strokes(
            [p.nose + 1.2, wing],
            [0.6 * half + 2.6, 0.55 * corner + 0.45 * wing],
            -0.3,
            0.9,
            fold,
        );
        let cheek = Paint::tint((p.skin * 1.25).min(1.0), (0.3 * e.cheek).clamp(0.0, 0.6), 5.0);
        for side in [-1.0, 1.0] {
            let spot = ellipse([MIDDLE + side * 11.0, 27.5 - e.cheek], [4.2, 3.0]);
            self.canvas.paint(self.map, &spot, cheek);
        }
        // crow's feet and the pouch under a raised cheek
        let y = p.eye_y + 3.4 - 0.6 * e.lid_lower.max(0.0);
        let pouch = shade(0.15 + 0.4 * e.cheek.max(0.0), 1.6);
        self.both_strokes([p.eye_gap - 3.6, y], [p.eye_gap + 4.0, y - 0.6], 0.9, 0.9, pouch);
    }

    fn nose(&mut self) {
        let (e, p) = (*self.expression, self.person.clone());
        let tip = p.nose_y - 1.1 * e.nose_wrinkle.max(0.0);
        let side_shade = Paint::tint(self.dark(0.62), 0.35, 2.6);
        self.both_strokes([2.6, p.eye_y - 2.0], [p.nose * 0.7, tip - 3.0], -0.6, 1.4, side_shade);
        let light = Paint::tint((p.skin * 1.3).min(1.0), 0.4, 2.4);
        let bridge = stroke([MIDDLE, p.eye_y], [MIDDLE, tip - 3.0], 0.0, 1.8, 0.6);
        self.canvas.paint(self.map, &bridge, light);
        let bulb = ellipse([MIDDLE, tip - 2.0], [1.9, 1.6]);
        self.canvas.paint(self.map, &bulb, light);
        let under =
            stroke([MIDDLE - p.nose, tip - 0.6], [MIDDLE + p.nose, tip - 0.6], 1.3, 1.3, 0.6);
        self.canvas.paint(self.map, &under, Paint::tint(self.dark(0.55), 0.6, 1.8));
        let wings = Paint::tint(self.dark(0.5), 0.5, 1.4);
        self.both_strokes([p.nose, tip - 2.6], [p.nose + 0.1, tip - 0.2], -0.8, 0.9, wings);
        for side in [-1.0, 1.0] {
            let nostril = ellipse([MIDDLE + side * p.nose * 0.5, tip - 0.1], [1.1, 0.7]);
            self.canvas.paint(self.map, &nostril, Paint::tint(0.05, 0.75, 1.2));
        }
    }

    fn brow(&mut self, side: f32) {
        let (e, p) = (self.expression, self.person);
        let y = p.eye_y - p.brow_gap;
        let inner = [MIDDLE + side * (4.0 - e.brow_knit), y + 0.2 - e.brow_inner];
        let outer = [MIDDLE + side * (p.eye_gap + 6.0), y + 0.8 - e.brow_outer];
        let bow = -side * (1.1 + e.brow_arch);
        let shape = stroke(inner, outer, bow, p.brow, 0.65);
        let gray = p.hair_gray.min(p.skin * 0.55);
        self.canvas.paint(self.map, &shape, Paint::tint(gray, 0.92, 1.2));
    }

    fn eye(&mut self, side: f32) {
        let (e, p) = (*self.expression, self.person.clone());
        let x = MIDDLE + side * p.eye_gap;
        let socket = ellipse([x, p.eye_y - 0.8], [5.6, 3.8]);
        self.canvas.paint(self.map, &socket, Paint::tint(self.dark(0.6), 0.30, 4.0));
        let half = 4.3 * p.eye_size;
        let open = (2.3 * p.eye_size + e.lid_upper).max(0.35);
        let low = (1.5 * p.eye_size - 0.8 * e.lid_lower).max(0.15);
        let inner = [x - side * half, p.eye_y + 0.5];
        let outer = [x + side * half, p.eye_y - 0.1 + e.eye_droop];
        // A lens runs left to right, so that "up" is up for both eyes.
        let (a, b) = if side < 0.0 { (outer, inner) } else { (inner, outer) };
        let white = lens(a, b, [-open, low], 0.8);
        let inside = lens_distance(a, b, [-open, low], 0.8);
        self.canvas.paint(self.map, &white, Paint::solid((0.45 + 0.6 * p.skin).min(0.97)));
        let middle = [x + 0.4 * e.skew, p.eye_y - 0.25 + 0.7 * e.gaze];
        let iris = ellipse(middle, [2.0 * p.eye_size, 2.0 * p.eye_size]).within(inside);
        self.canvas.paint(self.map, &iris, Paint::solid(p.iris));
        let pupil = ellipse(middle, [0.9, 0.9]).within(inside);
        self.canvas.paint(self.map, &pupil, Paint::solid(0.02));
        let glint = ellipse([middle[0] + 0.7, middle[1] - 0.7], [0.6, 0.6]).within(inside);
        self.canvas.paint(self.map, &glint, Paint::tint(1.0, 0.9, 0.9));
        let lid = stroke(a, b, -open, 1.2, 0.5);
        self.canvas.paint(self.map, &lid, Paint::tint(self.dark(0.18), 0.9, 1.1));
        let lower = stroke(a, b, low, 0.7, 0.3);
        self.canvas.paint(self.map, &lower, Paint::tint(self.dark(0.4), 0.55, 1.2));
        let fold = 1.4 + 0.3 * e.lid_upper.max(0.0);
        let crease = stroke([a[0], a[1] - fold], [b[0], b[1] - fold], -open, 0.7, 0.4);
        self.canvas.paint(self.map, &crease, Paint::tint(self.dark(0.5), 0.45, 1.3));
    }

    fn mouth(&mut self) {
        let (e, p) = (*self.expression, self.person.clone());
        let half = (p.mouth + e.width).max(2.4);
        let y = p.mouth_y - e.corner;
        let left = [MIDDLE - half, y + 0.5 * e.skew];
        let right = [MIDDLE + half, y - 0.5 * e.skew];
        // Distances from the line between the corners down to the middle of each lip. Raised corners
        // bend the closed mouth.
        let up = e.corner - e.lip_upper;
        let down = (e.corner + e.lip_lower + 0.35).max(up + 0.35);
        let fullness = 1.0 - 0.5 * e.round.clamp(0.0, 1.0);
        let lip = p.lip * (1.0 - 0.35 * e.teeth.clamp(0.0, 1.0));
        let full_lip = lip + 0.8 * e.pout.max(0.0);
        let lips = lens(left, right, [up - lip - 0.2, down + full_lip], fullness);
        self.canvas.paint(self.map, &lips, Paint::tint(self.dark(p.lip_gray), 0.85, 1.2));
        let gap = lens_distance(left, right, [up, down], fullness);
        if down - up > 0.8 {
            let cavity = lens(left, right, [up, down], fullness);
            self.canvas.paint(self.map, &cavity, Paint::solid(0.03));
            let tongue = ellipse([MIDDLE, y + down + 0.6], [half * 0.6, 1.6]).within(gap);
            self.canvas.paint(self.map, &tongue, Paint::tint(self.dark(0.5), 0.7, 1.3));
        }
        self.teeth(left, right, [up, down], fullness, gap);
        let line = Paint::tint(self.dark(0.2), 0.85, 1.1);
        let closed = (1.0 - (down - up - 0.5)).clamp(0.0, 1.0);
        let seam = stroke(left, right, 0.5 * (up + down), 0.9, 0.6);
        self.canvas.paint(self.map, &seam, Paint { opacity: line.opacity * closed, ..line });
        for (corner, side) in [(left, -1.0), (right, 1.0)] {
            let dimple = ellipse([corner[0] + 0.2 * side, corner[1]], [0.9, 0.8]);
            self.canvas.paint(self.map, &dimple, Paint::tint(self.dark(0.3), 0.6, 1.3));
        }
        let under = y + down + full_lip + 1.7;
        let shadow = stroke([MIDDLE - 4.0, under], [MIDDLE + 4.0, under], -0.5, 1.2, 0.4);
        self.canvas.paint(
            self.map,
            &shadow,
            Paint::tint(self.dark(0.55), 0.3 + 0.3 * e.pout.max(0.0), 2.0),
        );
    }

    fn teeth(
        &mut self,
        left: Point,
        right: Point,
        [up, down]: [f32; 2],
        fullness: f32,
        gap: impl Fn(Point) -> f32 + Copy,
    ) {
        let shown = self.expression.teeth.clamp(0.0, 1.0);
        let bared = shown * (down - up);
        if bared < 0.25 {
            return;
        }
        let white = Paint::tint(0.66 + 0.32 * self.person.skin, 1.0, 1.0);
        let row = lens(left, right, [up, up + bared.max(0.9)], fullness).within(gap);
        self.canvas.paint(self.map, &row, white);
        if fullness < 0.9 && shown > 0.6 {
            // clenched: the line between the two rows
            let middle = 0.5 * (up + down);
            let line = stroke(left, right, middle, 0.6, 0.5).within(gap);
            self.canvas.paint(self.map, &line, Paint::tint(self.dark(0.4), 0.6, 1.0));
        }
    }
}
