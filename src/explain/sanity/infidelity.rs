//! Infidelity: does the map predict what a change of the picture does to the score?

use crate::explain::attribution::method::MapKind;
use crate::explain::batch::{face, scores_of};
use crate::explain::validate::{check, check_maps, check_picture};
use crate::explain::{Classifier, Target};
use crate::random::{Purpose, Rng};
use crate::{Result, SIDE};

/// Squares tried on each face.
pub const SAMPLES: usize = 100;

/// For every face the error of the map's forecast of S(x) − S(x − I), as a share of the mean squared
/// change: 0 is perfect, 1 is no better than a map of zeros. **Low is good.**
///
/// I takes a random square of 6 to 16 pixels all the way to the baseline (the mean face). A map of
/// change per pixel foretells Σ I·φ; a map of contributions holds the factor I already and foretells
/// Σ φ over the square. FeatureMaps have
/// different units, so φ is first scaled by the best factor β = Σab/Σb², as the authors allow; a
/// map whose best factor is negative is scored 1.
/// **Errors**: those of [`check`]; `Shape` where a map is missing or the baseline not 48×48.
/// **Source**: Yeh et al. 2019 (arXiv 1901.09392); Captum `infidelity(normalize=True)`, with 10
/// samples there.
pub fn infidelity(
    model: &dyn Classifier,
    faces: &[f32],
    maps: &[f32],
    kind: MapKind,
    targets: &[Target],
    baseline: &[f32],
    seed: u64,
) -> Result<Vec<f64>> {
    check_maps(faces, maps)?;
    let squares = Squares::new(model, faces, targets, baseline, seed)?;
    Ok((0..targets.len()).map(|f| squares.missed(f, face(maps, f), kind)).collect())
}

/// What random squares do to the score of every face: the part of [`infidelity`] that does not
/// depend on the map, so several methods may share it.
pub struct Squares<'a> {
    faces: &'a [f32],
    baseline: &'a [f32],
    /// Top, left, side.
    squares: Vec<[usize; 3]>,
    /// S(x) − S(x − I), `[faces, squares]`.
    changes: Vec<f64>,
}

impl<'a> Squares<'a> {
    /// Draws the squares and asks the network.
    ///
    /// **Errors**: those of [`check`] and of the network; `Shape` for a baseline that is not 48×48.
    pub fn new(
        model: &dyn Classifier,
        faces: &'a [f32],
        targets: &[Target],
        baseline: &'a [f32],
        seed: u64,
    ) -> Result<Self> {
        check(model, faces, targets)?;
        check_picture("baseline", baseline)?;
        let square = |k: u64| {
            let mut rng = Rng::new(seed, Purpose::Explain, 5, k);
            let side = 6 + rng.below(11);
            [rng.below(SIDE - side + 1), rng.below(SIDE - side + 1), side]
        };
        let squares: Vec<[usize; 3]> = (0..SAMPLES as u64).map(square).collect();
        let each = 1 + SAMPLES;
        let draw = |i: usize, out: &mut [f32]| {
            out.copy_from_slice(face(faces, i / each));
            if !i.is_multiple_of(each) {
                inside(squares[i % each - 1]).for_each(|p| out[p] = baseline[p]);
            }
        };
        let scores = scores_of(model, each * targets.len(), draw, |i| targets[i / each])?;
        let change = |s: &[f32]| s[1..].iter().map(|v| f64::from(s[0] - v)).collect::<Vec<_>>();
        let changes = scores.chunks_exact(each).flat_map(change).collect();
        Ok(Squares { faces, baseline, squares, changes })
    }

    /// Infidelity of a map of face f.
    pub fn missed(&self, f: usize, map: &[f32], kind: MapKind) -> f64 {
        let x = face(self.faces, f);
        let (mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0);
        for (&square, change) in self.squares.iter().zip(&self.changes[f * SAMPLES..]) {
            let step = |p: usize| match kind {
                MapKind::ChangePerPixel => f64::from(x[p] - self.baseline[p]),
                MapKind::Contribution => 1.0,
            };
            let forecast: f64 = inside(square).map(|p| f64::from(map[p]) * step(p)).sum();
            aa += change * change;
            ab += change * forecast;
            bb += forecast * forecast;
        }
        if aa > 0.0 && bb > 0.0 && ab > 0.0 { (1.0 - ab * ab / (aa * bb)).max(0.0) } else { 1.0 }
    }
}

/// Pixels of a square.
fn inside([top, left, side]: [usize; 3]) -> impl Iterator<Item = usize> {
    (top..top + side).flat_map(move |i| (left..left + side).map(move |j| i * SIDE + j))
}
