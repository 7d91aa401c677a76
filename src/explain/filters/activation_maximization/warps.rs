//! Random views of a picture (shifts, rotations, zooms and crops), and their adjoint.

use crate::random::Rng;
use crate::{PIXELS, SIDE};
use fer_kernels::Layout;
use fer_kernels::warp::{Affine, Border, WarpGeometry, backward_input, forward};
use rayon::prelude::*;

/// The view that leaves the picture unchanged.
pub const IDENTITY: Affine = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

/// Ranges of the random views.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarpRange {
    /// Largest shift in pixels, in both directions.
    pub shift: f64,
    /// Largest rotation in degrees, in both directions.
    pub degrees: f64,
    /// Largest zoom as a share, in both directions.
    pub scale: f64,
}

impl Default for WarpRange {
    /// ±3 px, ±8°, ±8 %: Lucid's jitter in proportion to 48×48.
    fn default() -> Self {
        WarpRange { shift: 3.0, degrees: 8.0, scale: 0.08 }
    }
}

impl WarpRange {
    /// Draws a view uniformly.
    pub fn draw(&self, rng: &mut Rng) -> Affine {
        let shift =
            [rng.uniform_in(-self.shift, self.shift), rng.uniform_in(-self.shift, self.shift)];
        let angle = rng.uniform_in(-self.degrees, self.degrees).to_radians();
        about_centre(1.0 + rng.uniform_in(-self.scale, self.scale), angle, shift)
    }
}

/// Draws a square crop whose side is the share `side` of the picture, enlarged to 48×48. Its centre
/// is normal around the middle (deviation 0.15 of the picture), clamped so that the crop fits.
pub fn draw_crop(rng: &mut Rng, side: f64) -> Affine {
    let side = side.clamp(0.05, 1.0);
    let room = (1.0 - side) / 2.0;
    let mut offset = || (0.15 * rng.normal()).clamp(-room, room) * (SIDE - 1) as f64;
    about_centre(side, 0.0, [offset(), offset()])
}

/// Output pixel p reads the input at centre + shift + scale·R(angle)·(p − centre).
fn about_centre(scale: f64, angle: f64, shift: [f64; 2]) -> Affine {
    let centre = (SIDE as f64 - 1.0) / 2.0;
    let (sin, cos) = (scale * angle.sin(), scale * angle.cos());
    [
        cos,
        -sin,
        centre + shift[0] - (cos - sin) * centre,
        sin,
        cos,
        centre + shift[1] - (sin + cos) * centre,
    ]
}

fn geometry() -> WarpGeometry {
    WarpGeometry { n: 1, c: 1, h: SIDE, w: SIDE, border: Border::Edge, layout: Layout::Nchw }
}

/// Computes `each` views of every picture: view k shows picture k / `each`. Pictures `[n, 48, 48]`
/// to views `[n·each, 48, 48]`, bilinear, edges repeated.
pub fn warp_all(pictures: &[f32], views: &[Affine], each: usize) -> Vec<f32> {
    let mut out = vec![0.0; views.len() * PIXELS];
    out.par_chunks_exact_mut(PIXELS).enumerate().for_each(|(k, out)| {
        let picture = &pictures[k / each * PIXELS..][..PIXELS];
        forward(&geometry(), &views[k..=k], picture, out);
    });
    out
}

/// Applies the adjoint of [`warp_all`]: gradients of the views `[n·each, 48, 48]` to gradients of
/// the pictures `[n, 48, 48]`. Views are added in order.
pub fn warp_all_adjoint(grad_views: &[f32], views: &[Affine], each: usize) -> Vec<f32> {
    let mut gradient = vec![0.0; views.len() / each * PIXELS];
    gradient.par_chunks_exact_mut(PIXELS).enumerate().for_each(|(f, gradient)| {
        let mut part = vec![0.0; PIXELS];
        for k in f * each..(f + 1) * each {
            let grad_view = &grad_views[k * PIXELS..(k + 1) * PIXELS];
            backward_input(&geometry(), &views[k..=k], grad_view, &mut part);
            gradient.iter_mut().zip(&part).for_each(|(g, p)| *g += p);
        }
    });
    gradient
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn views_keep_the_centre_and_stay_in_the_crop() {
        let mut rng = Rng::new(1, Purpose::Test, 0, 0);
        for _ in 0..100 {
            let m = draw_crop(&mut rng, 0.4);
            let row = |i: f64| m[0] * i + m[2];
            let column = |j: f64| m[4] * j + m[5];
            for at in [row(0.0), row(47.0), column(0.0), column(47.0)] {
                assert!((-0.01..=47.01).contains(&at), "{m:?}");
            }
            assert!((row(47.0) - row(0.0) - 0.4 * 47.0).abs() < 1e-9);
        }
        let turn = about_centre(1.0, std::f64::consts::FRAC_PI_2, [0.0, 0.0]);
        // A quarter turn: output (0, 0) reads input (47, 0) or (0, 47), output centre the centre.
        assert!((turn[2] - 47.0).abs() < 1e-9 && turn[5].abs() < 1e-9, "{turn:?}");
    }

    #[test]
    fn warp_adjoint_identity() {
        let mut rng = Rng::new(2, Purpose::Test, 0, 0);
        let x: Vec<f32> = (0..2 * PIXELS).map(|_| rng.normal() as f32).collect();
        let g: Vec<f32> = (0..6 * PIXELS).map(|_| rng.normal() as f32).collect();
        let views: Vec<Affine> = (0..6).map(|_| WarpRange::default().draw(&mut rng)).collect();
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
        };
        let left = dot(&warp_all(&x, &views, 3), &g);
        let right = dot(&x, &warp_all_adjoint(&g, &views, 3));
        assert!((left - right).abs() < 1e-3, "{left} {right}");
        assert_eq!(warp_all(&x, &[IDENTITY; 2], 1), x);
    }
}
