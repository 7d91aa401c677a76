//! Mirrors, rotates, zooms and shifts a face with cubic interpolation.

use crate::dataset::augment::levels::{PLAIN_LEVELS, equalized_levels};
use crate::{PIXELS, SIDE};

/// A similarity transform: mirrors, then rotates and zooms about the centre, then shifts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Warp {
    pub angle: f32,      // radians, clockwise on the screen
    pub shift: [f32; 2], // pixels of the 48×48 face, right and down
    pub zoom: f32,
    pub mirror: bool,
}

impl Warp {
    /// Writes the warped face to `out`: for every output pixel the interpolated value of the input there.
    /// Outside the face its edge pixels repeat.
    ///
    /// With output pixel o, centres c and scale s = 48/side:
    /// in = c_in + M·R(−angle)/zoom · (s·(o − c_out) − shift), M = diag(±1, 1).
    pub fn render(self, image: &[u8], equalize: bool, side: usize, out: &mut [f32]) {
        assert_eq!(image.len(), PIXELS, "a face has {PIXELS} pixels");
        assert_eq!(out.len(), side * side, "output of side {side}");
        let levels = if equalize { equalized_levels(image) } else { PLAIN_LEVELS };
        let still = self.angle == 0.0 && self.shift == [0.0, 0.0] && self.zoom == 1.0;
        if still && side == SIDE && !self.mirror {
            for (o, &p) in out.iter_mut().zip(image) {
                *o = levels[usize::from(p)];
            }
            return;
        }
        let mut source = [0.0_f32; PIXELS];
        for (s, &p) in source.iter_mut().zip(image) {
            *s = levels[usize::from(p)];
        }
        let scale = SIDE as f32 / side as f32;
        let (sin, cos) = self.angle.sin_cos();
        let (sin, cos) = (sin / self.zoom, cos / self.zoom);
        let sign = if self.mirror { -1.0 } else { 1.0 };
        let (middle_in, middle_out) = ((SIDE - 1) as f32 / 2.0, (side as f32 - 1.0) / 2.0);
        for (y, row) in out.chunks_exact_mut(side).enumerate() {
            let v = scale * (y as f32 - middle_out) - self.shift[1];
            for (x, pixel) in row.iter_mut().enumerate() {
                let u = scale * (x as f32 - middle_out) - self.shift[0];
                let from_x = middle_in + sign * (cos * u + sin * v);
                let from_y = middle_in + cos * v - sin * u;
                *pixel = cubic(&source, from_x, from_y);
            }
        }
    }
}

/// Interpolates the sixteen pixels around (x, y) by cubic convolution (Keys 1981, a = −½). Coordinates
/// outside are clamped to the edge. Next to a sharp edge the result may leave [0, 1]. It is not clamped,
/// because then it would not be linear in the pixels and gradients could not be propagated through it.
#[inline]
fn cubic(source: &[f32; PIXELS], x: f32, y: f32) -> f32 {
    let last = (SIDE - 1) as f32;
    let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
    let (x0, y0) = ((x as usize).min(SIDE - 2), (y as usize).min(SIDE - 2));
    let weights = |t: f32| cubic_weights(f64::from(t)).map(|w| w as f32);
    let (wx, wy) = (weights(x - x0 as f32), weights(y - y0 as f32));
    let column = |k: usize| (x0 + k).clamp(1, SIDE) - 1;
    let columns = [column(0), column(1), column(2), column(3)];
    let mut sum = 0.0;
    for (k, w) in wy.into_iter().enumerate() {
        let row = &source[((y0 + k).clamp(1, SIDE) - 1) * SIDE..][..SIDE];
        let [a, b, c, d] = columns.map(|x| row[x]);
        sum += w * (wx[0] * a + wx[1] * b + wx[2] * c + wx[3] * d);
    }
    sum
}

/// Returns the weights of the pixels at −1, 0, 1 and 2 for a position t in [0, 1].
#[inline]
pub(crate) fn cubic_weights(t: f64) -> [f64; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        -0.5 * t3 + t2 - 0.5 * t,
        1.5 * t3 - 2.5 * t2 + 1.0,
        -1.5 * t3 + 2.0 * t2 + 0.5 * t,
        0.5 * t3 - 0.5 * t2,
    ]
}
