//! Infidelity: does the map predict what a change of the picture does to the score?

use super::batch::{face, scores_of};
use super::model::{Classifier, Target};
use crate::random::{Purpose, Rng};
use crate::{PIXELS, Result, SIDE};

/// Squares tried on each face.
pub const SAMPLES: usize = 100;

/// For every face the error of Σ I·φ as a forecast of S(x) − S(x − I), as a share of the mean
/// squared change: 0 is perfect, 1 is no better than a map of zeros. **Low is good.**
///
/// I takes a random square of 6 to 16 pixels towards the baseline (the mean face). Maps have
/// different units, so φ is first scaled by the best factor β = Σab/Σb², as the authors allow; a
/// map whose best factor is negative is scored 1.
/// **Source**: Yeh et al. 2019 (arXiv 1901.09392); Captum `infidelity(normalize=True)`, with 10
/// samples there.
pub fn infidelity(
    model: &dyn Classifier,
    faces: &[f32],
    maps: &[f32],
    targets: &[Target],
    baseline: &[f32],
    seed: u64,
) -> Result<Vec<f64>> {
    let squares: Vec<[usize; 3]> = (0..SAMPLES as u64)
        .map(|k| {
            let mut rng = Rng::new(seed, Purpose::Explain, 5, k);
            let side = 6 + rng.below(11);
            [rng.below(SIDE - side + 1), rng.below(SIDE - side + 1), side]
        })
        .collect();
    let inside = |k: usize| {
        let [top, left, side] = squares[k];
        (top..top + side).flat_map(move |i| (left..left + side).map(move |j| i * SIDE + j))
    };
    let each = 1 + SAMPLES;
    let draw = |i: usize, out: &mut [f32]| {
        out.copy_from_slice(face(faces, i / each));
        if !i.is_multiple_of(each) {
            inside(i % each - 1).for_each(|p| out[p] = baseline[p]);
        }
    };
    let scores = scores_of(model, each * targets.len(), draw, |i| targets[i / each])?;
    let one_face = |f: usize| {
        let (x, map) = (face(faces, f), face(maps, f));
        let scores = &scores[f * each..(f + 1) * each];
        let (mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0);
        for k in 0..SAMPLES {
            let change = f64::from(scores[0] - scores[k + 1]);
            let forecast: f64 =
                inside(k).map(|p| f64::from(map[p]) * f64::from(x[p] - baseline[p])).sum();
            aa += change * change;
            ab += change * forecast;
            bb += forecast * forecast;
        }
        if aa > 0.0 && bb > 0.0 && ab > 0.0 { (1.0 - ab * ab / (aa * bb)).max(0.0) } else { 1.0 }
    };
    Ok((0..faces.len() / PIXELS).map(one_face).collect())
}
