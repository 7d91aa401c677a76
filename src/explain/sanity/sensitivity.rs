//! Max-sensitivity: how much a map changes when the picture hardly does.

use crate::explain::batch::face;
use crate::explain::validate::{check_maps, count_faces};
use crate::random::{Purpose, Rng};
use crate::{PIXELS, Result};

/// Perturbed copies of each face.
pub const SAMPLES: usize = 10;
/// Largest change of a pixel.
pub const RADIUS: f64 = 0.02;

/// For every face the largest ‖φ(x + e) − φ(x)‖/‖φ(x)‖ over ten draws of e, uniform in ±0.02.
/// **Low is good**, but a map that ignores the network scores 0: read it beside
/// [`crate::explain::sanity::randomisation`]. A map of zeros gives no number (NaN, or ∞ if the noise fills it).
///
/// `explain` makes maps `[n, 48, 48]` of n faces; it must keep the target fixed.
/// **Errors**: those of [`count_faces`] and of `explain`; `Shape` where a map is missing.
/// **Source**: Yeh et al. 2019 (arXiv 1901.09392); Captum `sensitivity_max`.
pub fn max_sensitivity(
    faces: &[f32],
    maps: &[f32],
    seed: u64,
    explain: &mut dyn FnMut(&[f32]) -> Result<Vec<f32>>,
) -> Result<Vec<f64>> {
    let mut worst = vec![0.0f64; count_faces(faces)?];
    check_maps(faces, maps)?;
    for k in 0..SAMPLES as u64 {
        let mut moved = faces.to_vec();
        for face in moved.chunks_exact_mut(PIXELS) {
            let mut rng = Rng::new(seed, Purpose::Explain, 6, k);
            face.iter_mut().for_each(|v| *v += rng.uniform_in(-RADIUS, RADIUS) as f32);
        }
        let found = explain(&moved)?;
        check_maps(faces, &found)?;
        for (f, worst) in worst.iter_mut().enumerate() {
            let change = relative_distance(face(&found, f), face(maps, f));
            // f64::max would swallow the NaN of a map of zeros.
            *worst = if change.is_nan() || change > *worst { change } else { *worst };
        }
    }
    Ok(worst)
}

fn relative_distance(a: &[f32], b: &[f32]) -> f64 {
    let square = |v: f64| v * v;
    let gap: f64 = a.iter().zip(b).map(|(a, b)| square(f64::from(a - b))).sum();
    let norm: f64 = b.iter().map(|&v| square(f64::from(v))).sum();
    (gap / norm).sqrt()
}
