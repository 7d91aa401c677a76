//! Max-sensitivity: change of the map under noise too weak to see.

use crate::explain::FaceBatch;
use crate::explain::batch::face;
use crate::random::{Purpose, Rng};
use crate::{PIXELS, Result};

/// Noisy copies of each face.
pub const SAMPLES: usize = 10;
/// Largest change of a pixel.
pub const RADIUS: f64 = 0.02;

/// Measures for every face the largest ‖φ(x + e) − φ(x)‖/‖φ(x)‖ over ten draws of e, uniform in
/// ±0.02. **Low is good**, but a map that ignores the network gets 0, so it must be read beside
/// [`randomisation`](crate::explain::sanity::randomisation). A map of zeros gives NaN, or ∞ if the
/// noise changes it.
///
/// `explain` makes maps `[n, 48, 48]` of n faces; it must keep the targets fixed.
///
/// **Errors**: `Shape` where a map is missing; those of `explain`.
/// **Source**: Yeh et al. 2019 (arXiv 1901.09392); Captum `sensitivity_max`.
pub fn max_sensitivity(
    faces: &FaceBatch<'_>,
    maps: &[f32],
    seed: u64,
    explain: &mut dyn FnMut(&[f32]) -> Result<Vec<f32>>,
) -> Result<Vec<f64>> {
    let mut worst = vec![0.0f64; faces.len()];
    faces.check_maps(maps)?;
    for k in 0..SAMPLES as u64 {
        let mut moved = faces.pixels().to_vec();
        for face in moved.chunks_exact_mut(PIXELS) {
            let mut rng = Rng::new(seed, Purpose::Explain, 6, k);
            face.iter_mut().for_each(|v| *v += rng.uniform_in(-RADIUS, RADIUS) as f32);
        }
        let found = explain(&moved)?;
        faces.check_maps(&found)?;
        for (f, worst) in worst.iter_mut().enumerate() {
            let change = relative_distance(face(&found, f), face(maps, f));
            // f64::max would swallow the NaN of a map of zeros.
            *worst = if change.is_nan() || change > *worst { change } else { *worst };
        }
    }
    Ok(worst)
}

/// ‖a − b‖/‖b‖.
fn relative_distance(a: &[f32], b: &[f32]) -> f64 {
    let square = |v: f64| v * v;
    let gap: f64 = a.iter().zip(b).map(|(a, b)| square(f64::from(a - b))).sum();
    let norm: f64 = b.iter().map(|&v| square(f64::from(v))).sum();
    (gap / norm).sqrt()
}
