//! Infidelity: how badly the map predicts the change of the score when the face changes.

use crate::explain::attribution::method::MapKind;
use crate::explain::batch::{face, scores_of};
use crate::explain::{Face, FaceBatch};
use crate::random::{Purpose, Rng};
use crate::{Result, SIDE};

/// Random squares per face.
pub const SAMPLES: usize = 100;

/// Measures for every face the squared error of the map's prediction of S(x) − S(x − I), divided by
/// the mean squared change: 0 is perfect, 1 is no better than a map of zeros. **Low is good.**
///
/// I replaces a random square of 6 to 16 pixels per side by the baseline (the mean face). A map φ
/// of gradients predicts Σ I·φ. A map of contributions already contains the factor I and predicts Σ
/// φ over the square. Because maps have different units, φ is first scaled by the best factor β =
/// Σab/Σb² (a: changes, b: predictions), as the authors allow. A map whose best factor is negative
/// gets 1.
///
/// **Errors**: `Shape` where a map is missing; those of the network.
/// **Source**: Yeh et al. 2019 (arXiv 1901.09392); Captum `infidelity(normalize=True)`, with 10
/// samples there.
pub fn infidelity(
    faces: &FaceBatch<'_>,
    maps: &[f32],
    kind: MapKind,
    baseline: &Face,
    seed: u64,
) -> Result<Vec<f64>> {
    faces.check_maps(maps)?;
    let squares = Squares::new(faces, baseline, seed)?;
    Ok((0..faces.len()).map(|f| squares.infidelity(f, face(maps, f), kind)).collect())
}

/// Random squares with the change of every face's score: the part of [`infidelity`] that does not
/// depend on the map, so several methods share it.
pub struct Squares<'a> {
    faces: &'a FaceBatch<'a>,
    baseline: &'a Face,
    /// Top, left, side.
    squares: Vec<[usize; 3]>,
    /// S(x) − S(x − I), `[faces, squares]`.
    changes: Vec<f64>,
}

impl<'a> Squares<'a> {
    /// Draws the squares and measures the changes.
    pub fn new(faces: &'a FaceBatch<'a>, baseline: &'a Face, seed: u64) -> Result<Self> {
        let (pixels, targets) = (faces.pixels(), faces.targets());
        let square = |k: u64| {
            let mut rng = Rng::new(seed, Purpose::Explain, 5, k);
            let side = 6 + rng.below(11);
            [rng.below(SIDE - side + 1), rng.below(SIDE - side + 1), side]
        };
        let squares: Vec<[usize; 3]> = (0..SAMPLES as u64).map(square).collect();
        let each = 1 + SAMPLES;
        let draw = |i: usize, out: &mut [f32]| {
            out.copy_from_slice(face(pixels, i / each));
            if !i.is_multiple_of(each) {
                inside(squares[i % each - 1]).for_each(|p| out[p] = baseline[p]);
            }
        };
        let scores =
            scores_of(faces.classifier(), each * targets.len(), draw, |i| targets[i / each])?;
        let change = |s: &[f32]| s[1..].iter().map(|v| f64::from(s[0] - v)).collect::<Vec<_>>();
        let changes = scores.chunks_exact(each).flat_map(change).collect();
        Ok(Squares { faces, baseline, squares, changes })
    }

    /// Computes the infidelity of a map of face f.
    pub fn infidelity(&self, f: usize, map: &[f32], kind: MapKind) -> f64 {
        let x = self.faces.face(f);
        let (mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0);
        for (&square, change) in self.squares.iter().zip(&self.changes[f * SAMPLES..]) {
            let step = |p: usize| match kind {
                MapKind::Gradient => f64::from(x[p] - self.baseline[p]),
                MapKind::Contribution => 1.0,
            };
            let prediction: f64 = inside(square).map(|p| f64::from(map[p]) * step(p)).sum();
            aa += change * change;
            ab += change * prediction;
            bb += prediction * prediction;
        }
        if aa > 0.0 && bb > 0.0 && ab > 0.0 { (1.0 - ab * ab / (aa * bb)).max(0.0) } else { 1.0 }
    }
}

/// Pixels of a square.
fn inside([top, left, side]: [usize; 3]) -> impl Iterator<Item = usize> {
    (top..top + side).flat_map(move |i| (left..left + side).map(move |j| i * SIDE + j))
}
