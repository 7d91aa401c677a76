//! A 48×48 canvas with shapes painted by signed distance, which gives smooth edges.
//!
//! Shapes are in face coordinates: x right, y down, in pixels of the upright frontal face. A map gives
//! the point of the face that each pixel of the canvas shows; it contains the pose.

use crate::{PIXELS, SIDE};

/// A point of the face, in face coordinates.
pub type Point = [f32; 2];

/// The point of the face that each pixel shows.
pub type Map = [Point; PIXELS];

/// A gray image that is being painted.
pub struct Canvas {
    /// Gray of each pixel, 0 black to 1 white; row-major.
    pub gray: [f32; PIXELS],
}

/// Gray, opacity and edge of a painted shape.
#[derive(Clone, Copy)]
pub struct Paint {
    /// Gray, 0 black to 1 white.
    pub gray: f32,
    /// Opacity, 0 transparent to 1 opaque.
    pub opacity: f32,
    /// Width of the edge, in pixels; 1 is an anti-aliased sharp edge.
    pub soft: f32,
}

impl Paint {
    /// Returns opaque paint with a sharp edge.
    pub fn solid(gray: f32) -> Self {
        Paint { gray, opacity: 1.0, soft: 1.1 }
    }
    /// Returns transparent paint with an edge of `soft` pixels.
    pub fn tint(gray: f32, opacity: f32, soft: f32) -> Self {
        Paint { gray, opacity, soft }
    }
}

/// A shape: its bounding box and its signed distance (negative inside).
pub struct DistanceShape<F: Fn(Point) -> f32> {
    low: Point,
    high: Point,
    distance: F,
}

impl<F: Fn(Point) -> f32> DistanceShape<F> {
    /// Returns the intersection with another shape, given by its signed distance.
    pub fn within<G: Fn(Point) -> f32>(self, other: G) -> DistanceShape<impl Fn(Point) -> f32> {
        let DistanceShape { low, high, distance } = self;
        DistanceShape { low, high, distance: move |p| distance(p).max(other(p)) }
    }
}

impl Canvas {
    /// Paints `shape` on the pixels where `map` shows it.
    pub fn paint<F: Fn(Point) -> f32>(&mut self, map: &Map, shape: &DistanceShape<F>, ink: Paint) {
        let reach = 0.5 * ink.soft;
        let (low, high) = (shape.low, shape.high);
        for (gray, p) in self.gray.iter_mut().zip(map) {
            if p[0] < low[0] - reach
                || p[0] > high[0] + reach
                || p[1] < low[1] - reach
                || p[1] > high[1] + reach
            {
                continue;
            }
            let cover = smooth(0.5 - (shape.distance)(*p) / ink.soft) * ink.opacity;
            *gray += (ink.gray - *gray) * cover;
        }
    }

    /// Blends each pixel with the mean of itself and its four neighbours by `amount` (0 sharp, 1 blurred).
    pub fn blur(&mut self, amount: f32) {
        let old = self.gray;
        let last = SIDE - 1;
        for y in 0..SIDE {
            for x in 0..SIDE {
                let at = |y: usize, x: usize| old[y * SIDE + x];
                let sides = at(y.saturating_sub(1), x)
                    + at((y + 1).min(last), x)
                    + at(y, x.saturating_sub(1))
                    + at(y, (x + 1).min(last));
                let pixel = &mut self.gray[y * SIDE + x];
                *pixel += amount * ((*pixel + sides) / 5.0 - *pixel);
            }
        }
    }
}

/// Returns the smoothstep function 3t² − 2t³, with t clamped to [0, 1].
pub fn smooth(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Returns the approximate signed distance to an ellipse with centre c and radii r: k₀(k₀−1)/k₁ with
/// k₀ = |p/r|, k₁ = |p/r²| (Quilez).
pub fn ellipse_distance(c: Point, r: Point) -> impl Fn(Point) -> f32 + Copy {
    move |p| {
        let d = [p[0] - c[0], p[1] - c[1]];
        let k0 = (d[0] / r[0]).hypot(d[1] / r[1]);
        let k1 = (d[0] / (r[0] * r[0])).hypot(d[1] / (r[1] * r[1]));
        if k1 < 1e-6 { -r[0].min(r[1]) } else { k0 * (k0 - 1.0) / k1 }
    }
}

/// Returns a filled ellipse with centre c and radii r.
pub fn ellipse(c: Point, r: Point) -> DistanceShape<impl Fn(Point) -> f32> {
    DistanceShape {
        low: [c[0] - r[0], c[1] - r[1]],
        high: [c[0] + r[0], c[1] + r[1]],
        distance: ellipse_distance(c, r),
    }
}

/// Returns a shape with any signed distance and the bounding box `low`…`high`.
pub fn region<F: Fn(Point) -> f32>(low: Point, high: Point, distance: F) -> DistanceShape<F> {
    DistanceShape { low, high, distance }
}

/// Returns a curved line from a to b that is `width` pixels thick in the middle and `taper` times that at
/// its ends. It bends by `bow` pixels to the right of a→b, which is down for a line to the right.
pub fn stroke(
    a: Point,
    b: Point,
    bow: f32,
    width: f32,
    taper: f32,
) -> DistanceShape<impl Fn(Point) -> f32> {
    let line = LineCoordinates::new(a, b);
    let reach = bow.abs() + width;
    DistanceShape {
        low: [a[0].min(b[0]) - reach, a[1].min(b[1]) - reach],
        high: [a[0].max(b[0]) + reach, a[1].max(b[1]) + reach],
        distance: move |p| {
            let [u, v] = line.local(p);
            let t = u.clamp(-1.0, 1.0);
            let slope = -2.0 * bow * t / line.half;
            let across = (v - bow * (1.0 - t * t)) / (1.0 + slope * slope).sqrt();
            let along = (u - t) * line.half;
            let half_width = 0.5 * width * (taper + (1.0 - taper) * (1.0 - t * t));
            across.hypot(along) - half_width
        },
    }
}

/// Returns the signed distance to the area between two arcs over a→b that bend by `up` and `down` pixels
/// (both measured downwards; `up` < `down`). `fullness` 1 gives pointed corners, ½ an ellipse.
pub fn lens_distance(
    a: Point,
    b: Point,
    [up, down]: [f32; 2],
    fullness: f32,
) -> impl Fn(Point) -> f32 + Copy {
    let line = LineCoordinates::new(a, b);
    move |p| {
        let [u, v] = line.local(p);
        let inside = 1.0 - u * u;
        if inside <= 0.0 {
            let along = (u.abs() - 1.0) * line.half;
            return along.hypot(v) + 0.2;
        }
        let profile = if fullness == 1.0 { inside } else { inside.powf(fullness) };
        (up * profile - v).max(v - down * profile)
    }
}

/// Returns a filled lens; see [`lens_distance`].
pub fn lens(
    a: Point,
    b: Point,
    bows: [f32; 2],
    fullness: f32,
) -> DistanceShape<impl Fn(Point) -> f32> {
    let reach = bows[0].abs().max(bows[1].abs());
    DistanceShape {
        low: [a[0].min(b[0]) - 0.5, a[1].min(b[1]) - reach],
        high: [a[0].max(b[0]) + 0.5, a[1].max(b[1]) + reach],
        distance: lens_distance(a, b, bows, fullness),
    }
}

/// Coordinates along and across the line a→b: u is −1 at a and 1 at b, v is in pixels to its right.
#[derive(Clone, Copy)]
struct LineCoordinates {
    middle: Point,
    axis: Point,
    half: f32,
}

impl LineCoordinates {
    fn new(a: Point, b: Point) -> Self {
        let d = [b[0] - a[0], b[1] - a[1]];
        let length = d[0].hypot(d[1]).max(1e-3);
        LineCoordinates {
            middle: [0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1])],
            axis: [d[0] / length, d[1] / length],
            half: 0.5 * length,
        }
    }
    fn local(self, p: Point) -> Point {
        let d = [p[0] - self.middle[0], p[1] - self.middle[1]];
        let u = (d[0] * self.axis[0] + d[1] * self.axis[1]) / self.half;
        [u, d[1] * self.axis[0] - d[0] * self.axis[1]]
    }
}
