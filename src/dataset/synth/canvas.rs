//! A 48×48 canvas on which shapes are painted by signed distance, so that edges are smooth.
//!
//! Shapes live in face coordinates (x right, y down, in pixels of the upright, frontal face). The
//! canvas knows, for each of its pixels, which point of the face it shows; pose is in that map.

use crate::{PIXELS, SIDE};

/// A point of the face.
pub type Point = [f32; 2];

/// Which point of the face each pixel shows.
pub type Map = [Point; PIXELS];

/// A gray picture in the making.
pub struct Canvas {
    /// Gray of each pixel, 0 black to 1 white; row-major.
    pub gray: [f32; PIXELS],
}

/// How a shape meets the canvas.
#[derive(Clone, Copy)]
pub struct Ink {
    /// Gray to paint with.
    pub gray: f32,
    /// 0 nothing, 1 covers.
    pub opacity: f32,
    /// Width of the edge, in pixels; 1 is a clean anti-aliased edge.
    pub soft: f32,
}

impl Ink {
    /// Covers, with a clean edge.
    pub fn solid(gray: f32) -> Self {
        Ink { gray, opacity: 1.0, soft: 1.1 }
    }
    /// A soft-edged tint.
    pub fn tint(gray: f32, opacity: f32, soft: f32) -> Self {
        Ink { gray, opacity, soft }
    }
}

/// A shape: its bounding box and its signed distance (negative inside).
pub struct Shape<F: Fn(Point) -> f32> {
    low: Point,
    high: Point,
    distance: F,
}

impl<F: Fn(Point) -> f32> Shape<F> {
    /// The part of this shape that also lies in another one.
    pub fn within<G: Fn(Point) -> f32>(self, other: G) -> Shape<impl Fn(Point) -> f32> {
        let Shape { low, high, distance } = self;
        Shape { low, high, distance: move |p| distance(p).max(other(p)) }
    }
}

impl Canvas {
    /// Paints `shape` where `map` shows it.
    pub fn paint<F: Fn(Point) -> f32>(&mut self, map: &Map, shape: &Shape<F>, ink: Ink) {
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

    /// Mean of each pixel with its four neighbours, mixed in by `amount` (0 sharp, 1 blurred).
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

/// 0 below 0, 1 above 1, smooth between.
pub fn smooth(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Approximate signed distance to an ellipse with centre c and radii r: k₀(k₀−1)/k₁ with
/// k₀ = |p/r|, k₁ = |p/r²| (Quilez).
pub fn ellipse_distance(c: Point, r: Point) -> impl Fn(Point) -> f32 + Copy {
    move |p| {
        let d = [p[0] - c[0], p[1] - c[1]];
        let k0 = (d[0] / r[0]).hypot(d[1] / r[1]);
        let k1 = (d[0] / (r[0] * r[0])).hypot(d[1] / (r[1] * r[1]));
        if k1 < 1e-6 { -r[0].min(r[1]) } else { k0 * (k0 - 1.0) / k1 }
    }
}

/// A filled ellipse.
pub fn ellipse(c: Point, r: Point) -> Shape<impl Fn(Point) -> f32> {
    Shape {
        low: [c[0] - r[0], c[1] - r[1]],
        high: [c[0] + r[0], c[1] + r[1]],
        distance: ellipse_distance(c, r),
    }
}

/// Any signed distance inside the box `low`…`high`.
pub fn region<F: Fn(Point) -> f32>(low: Point, high: Point, distance: F) -> Shape<F> {
    Shape { low, high, distance }
}

/// A curved line from a to b that bends by `bow` pixels (positive: to the right of a→b, so down
/// for a line to the right), `width` pixels thick in the middle and `taper` times that at its ends.
pub fn stroke(
    a: Point,
    b: Point,
    bow: f32,
    width: f32,
    taper: f32,
) -> Shape<impl Fn(Point) -> f32> {
    let frame = Frame::new(a, b);
    let reach = bow.abs() + width;
    Shape {
        low: [a[0].min(b[0]) - reach, a[1].min(b[1]) - reach],
        high: [a[0].max(b[0]) + reach, a[1].max(b[1]) + reach],
        distance: move |p| {
            let [u, v] = frame.local(p);
            let t = u.clamp(-1.0, 1.0);
            let slope = -2.0 * bow * t / frame.half;
            let across = (v - bow * (1.0 - t * t)) / (1.0 + slope * slope).sqrt();
            let along = (u - t) * frame.half;
            let half_width = 0.5 * width * (taper + (1.0 - taper) * (1.0 - t * t));
            across.hypot(along) - half_width
        },
    }
}

/// Signed distance to the area between two arcs over a→b that bend by `up` and `down` pixels
/// (both measured downwards; `up` < `down`). `fullness` 1 gives pointed corners, ½ an ellipse.
pub fn lens_distance(
    a: Point,
    b: Point,
    [up, down]: [f32; 2],
    fullness: f32,
) -> impl Fn(Point) -> f32 + Copy {
    let frame = Frame::new(a, b);
    move |p| {
        let [u, v] = frame.local(p);
        let inside = 1.0 - u * u;
        if inside <= 0.0 {
            let along = (u.abs() - 1.0) * frame.half;
            return along.hypot(v) + 0.2;
        }
        let profile = if fullness == 1.0 { inside } else { inside.powf(fullness) };
        (up * profile - v).max(v - down * profile)
    }
}

/// A filled lens; see [`lens_distance`].
pub fn lens(a: Point, b: Point, bows: [f32; 2], fullness: f32) -> Shape<impl Fn(Point) -> f32> {
    let reach = bows[0].abs().max(bows[1].abs());
    Shape {
        low: [a[0].min(b[0]) - 0.5, a[1].min(b[1]) - reach],
        high: [a[0].max(b[0]) + 0.5, a[1].max(b[1]) + reach],
        distance: lens_distance(a, b, bows, fullness),
    }
}

/// Coordinates along and across the line a→b: u is −1 at a and 1 at b, v in pixels to its right.
#[derive(Clone, Copy)]
struct Frame {
    middle: Point,
    axis: Point,
    half: f32,
}

impl Frame {
    fn new(a: Point, b: Point) -> Self {
        let d = [b[0] - a[0], b[1] - a[1]];
        let length = d[0].hypot(d[1]).max(1e-3);
        Frame {
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
