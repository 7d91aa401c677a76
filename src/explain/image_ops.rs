//! Numeric operations on gray pictures and maps: resize, blur, edges, scaling, mean.

use crate::dataset::image::resize::resize_bilinear;
use crate::stats::quantile;
use crate::{PIXELS, SIDE};

/// Resizes a map `[h, w]` to `[48, 48]`, bilinear.
pub fn resize_to_face(map: &[f32], h: usize, w: usize) -> Vec<f32> {
    resize_bilinear(map, w, h, SIDE, SIDE)
}

/// Blurs a picture `[48, 48]` with a Gaussian of deviation `sigma` pixels, cut at 4σ, edges
/// repeated.
pub fn gaussian_blur(picture: &[f32], sigma: f64) -> Vec<f32> {
    let reach = (4.0 * sigma).ceil() as isize;
    let weight = |d: isize| (-0.5 * (d as f64 / sigma).powi(2)).exp();
    let total: f64 = (-reach..=reach).map(weight).sum();
    let kernel: Vec<(isize, f32)> =
        (-reach..=reach).map(|d| (d, (weight(d) / total) as f32)).collect();
    let clamp = |at: isize| at.clamp(0, SIDE as isize - 1) as usize;
    let pass = |x: &[f32], step_row: isize, step_col: isize| -> Vec<f32> {
        (0..PIXELS)
            .map(|p| {
                let (i, j) = ((p / SIDE) as isize, (p % SIDE) as isize);
                let tap = |&(d, k): &(isize, f32)| {
                    k * x[clamp(i + d * step_row) * SIDE + clamp(j + d * step_col)]
                };
                kernel.iter().map(tap).sum()
            })
            .collect()
    };
    pass(&pass(picture, 1, 0), 0, 1)
}

/// Returns the magnitude of the Sobel gradient of a picture `[48, 48]`, edges repeated.
pub fn sobel(picture: &[f32]) -> Vec<f32> {
    let at = |i: isize, j: isize| {
        let clamp = |v: isize| v.clamp(0, SIDE as isize - 1) as usize;
        picture[clamp(i) * SIDE + clamp(j)]
    };
    (0..PIXELS)
        .map(|p| {
            let (i, j) = ((p / SIDE) as isize, (p % SIDE) as isize);
            let column = |d: isize| at(i - 1, j + d) + 2.0 * at(i, j + d) + at(i + 1, j + d);
            let row = |d: isize| at(i + d, j - 1) + 2.0 * at(i + d, j) + at(i + d, j + 1);
            (column(1) - column(-1)).hypot(row(1) - row(-1))
        })
        .collect()
}

/// Returns the largest magnitude; 0 for an empty map.
pub fn max_abs(map: &[f32]) -> f32 {
    map.iter().fold(0.0, |top, v| top.max(v.abs()))
}

/// Returns the 99th percentile of the magnitude, by which a display divides so that one bright
/// pixel does not darken the rest; the maximum where the percentile is 0.
pub fn display_scale(map: &[f32]) -> f32 {
    let magnitudes: Vec<f64> = map.iter().map(|v| f64::from(v.abs())).collect();
    let scale = quantile(&magnitudes, 0.99) as f32;
    if scale > 0.0 { scale } else { max_abs(map) }
}

/// Returns map/scale clipped to \[−1, 1\]; zeros where the scale is 0.
pub fn to_signed_display(map: &[f32], scale: f32) -> Vec<f32> {
    map.iter().map(|v| if scale > 0.0 { (v / scale).clamp(-1.0, 1.0) } else { 0.0 }).collect()
}

/// Returns the smallest and the largest value.
pub fn min_max(map: &[f32]) -> (f32, f32) {
    map.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)))
}

/// Returns (map − min)/(max − min); `None` for a constant map.
pub fn min_max_normalise(map: &[f32]) -> Option<Vec<f32>> {
    let (low, high) = min_max(map);
    (high > low).then(|| map.iter().map(|v| (v - low) / (high - low)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_constants_and_mass() {
        assert!(gaussian_blur(&[0.3; PIXELS], 1.0).iter().all(|v| (v - 0.3).abs() < 1e-6));
        let mut dot = vec![0.0; PIXELS];
        dot[20 * SIDE + 30] = 1.0;
        let blurred = gaussian_blur(&dot, 1.0);
        assert!((blurred.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!((blurred[20 * SIDE + 30] - 0.159_16).abs() < 1e-3); // 1/2π
    }

    #[test]
    fn sobel_of_a_ramp() {
        let ramp: Vec<f32> = (0..PIXELS).map(|p| (p % SIDE) as f32).collect();
        assert_eq!(sobel(&ramp)[24 * SIDE + 24], 8.0);
    }
}
