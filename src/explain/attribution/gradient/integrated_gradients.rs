//! Integrated gradients.

use crate::explain::batch::{face, gradients_of, scores_of};
use crate::explain::image_ops::gaussian_blur;
use crate::explain::{BackwardRule, Face, FaceBatch};
use crate::{PIXELS, Result};
use rayon::prelude::*;

/// Start of the path to a face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// Black. The map is then 0 wherever the face is black.
    Black,
    /// The mean training face. The map then explains how the face differs from the average.
    #[default]
    MeanFace,
}

/// Integrated gradients of one face, with the error of the integral.
#[derive(Clone, Debug)]
pub struct IntegratedGradients {
    /// The map, `[48, 48]`, in units of the score.
    pub map: Vec<f32>,
    /// |Σ map − (S(x) − S(b))| / |S(x) − S(b)|, 0 for an exact integral.
    pub residual: f64,
    /// S(x) − S(b), the exact sum of the map.
    pub change: f64,
    /// Nodes of the integral, 50 to 1,600.
    pub nodes: usize,
}

/// Largest residual that is accepted without doubling the nodes.
pub const RESIDUAL_GOAL: f64 = 0.01;
const NODES: [usize; 6] = [50, 100, 200, 400, 800, 1600];

/// Returns IG_i = (x_i − b_i)·Σ_j w_j·dS/dx_i(b + a_j(x − b)) of every face, with Gauss–Legendre
/// nodes a_j and weights w_j on \[0,1\].
///
/// The map sums to S(x) − S(b) (completeness). The nodes are doubled from 50 up to 1,600 while the
/// residual exceeds 1 %. Kinks of ReLU and max-pooling make the error fall slowly, so the residual
/// is measured and reported.
///
/// **Source**: Sundararajan, Taly & Yan 2017 (arXiv 1703.01365); Captum `IntegratedGradients`
/// with `gausslegendre`. Captum's `riemann_trapezoid` weights sum to (n−1)/n; PAIR's is a plain
/// mean of 25 points.
pub fn integrated_gradients(
    faces: &FaceBatch<'_>,
    baseline: &Face,
) -> Result<Vec<IntegratedGradients>> {
    let (n, pixels, targets) = (faces.len(), faces.pixels(), faces.targets());
    let draw = |i: usize, out: &mut [f32]| {
        out.copy_from_slice(if i < n { face(pixels, i) } else { baseline });
    };
    let scores = scores_of(faces.classifier(), 2 * n, draw, |i| targets[i % n])?;
    let nothing =
        IntegratedGradients { map: vec![], residual: f64::INFINITY, change: 0.0, nodes: 0 };
    let mut done = vec![nothing; n];
    for nodes in NODES {
        let open: Vec<usize> = (0..n).filter(|&f| done[f].residual > RESIDUAL_GOAL).collect();
        let maps = integrate(faces, baseline, &open, nodes)?;
        for (map, &f) in maps.into_iter().zip(&open) {
            let change = f64::from(scores[f]) - f64::from(scores[n + f]);
            let sum: f64 = map.iter().map(|&v| f64::from(v)).sum();
            let residual = (sum - change).abs() / change.abs().max(1e-6);
            // Because of the kinks, more nodes may be worse: keep the map of the smallest residual.
            if residual < done[f].residual || done[f].nodes == 0 {
                done[f] = IntegratedGradients { map, residual, change, nodes };
            }
        }
    }
    Ok(done)
}

/// Nodes of [`smooth_integrated_gradients`]: the blur hides the error of so short a sum.
pub const SMOOTH_NODES: usize = 6;
/// Deviation of its Gaussian, in pixels.
pub const SMOOTH_SIGMA: f64 = 2.0;

/// Returns integrated gradients with 6 nodes, blurred by a Gaussian of 2 pixels, `[n, 48, 48]`.
///
/// The value of a pixel alone means little to a network of convolutions, and neighbours often have
/// opposite signs; their sum over a few pixels is what hiding that place changes. The blur keeps the
/// sum of the map, except at the border.
///
/// With 3 pixels hiding what the map marks first was not clearly worse for the answer than hiding the
/// centre; with 2 it is (docs/believing-the-pictures.md).
///
/// **Source**: as [`integrated_gradients`]; the blur as in Smilkov et al. 2017 (arXiv 1706.03825),
/// who average over noise instead.
pub fn smooth_integrated_gradients(faces: &FaceBatch<'_>, baseline: &Face) -> Result<Vec<f32>> {
    let all: Vec<usize> = (0..faces.len()).collect();
    let maps = integrate(faces, baseline, &all, SMOOTH_NODES)?;
    Ok(maps.par_iter().flat_map_iter(|map| gaussian_blur(map, SMOOTH_SIGMA)).collect())
}

/// Maps of the faces `open` with this number of nodes.
fn integrate(
    faces: &FaceBatch<'_>,
    baseline: &Face,
    open: &[usize],
    nodes: usize,
) -> Result<Vec<Vec<f32>>> {
    let (pixels, targets) = (faces.pixels(), faces.targets());
    let rule = gauss_legendre(nodes);
    let mut sums = vec![vec![0.0f64; PIXELS]; open.len()];
    let on_path = |i: usize, out: &mut [f32]| {
        let a = rule[i % nodes].0;
        for ((o, &x), &b) in out.iter_mut().zip(face(pixels, open[i / nodes])).zip(baseline.iter())
        {
            *o = (f64::from(b) + a * (f64::from(x) - f64::from(b))) as f32;
        }
    };
    let take = |i: usize, gradient: &[f32]| {
        let weight = rule[i % nodes].1;
        for (s, &g) in sums[i / nodes].iter_mut().zip(gradient) {
            *s += weight * f64::from(g);
        }
    };
    let target = |i: usize| targets[open[i / nodes]];
    let total = open.len() * nodes;
    gradients_of(faces.classifier(), total, BackwardRule::Standard, on_path, target, take)?;
    let scale = |(sum, &f): (Vec<f64>, &usize)| {
        let path = faces.face(f).iter().zip(baseline.iter());
        sum.iter().zip(path).map(|(s, (&x, &b))| (s * f64::from(x - b)) as f32).collect()
    };
    Ok(sums.into_iter().zip(open).map(scale).collect())
}

/// Returns n Gauss–Legendre nodes with their weights on \[0,1\]: exact for polynomials of degree
/// 2n − 1.
///
/// The nodes are the roots of the Legendre polynomial P_n, found by Newton's method from
/// cos(π(i + ¾)/(n + ½)); w = 1/((1 − t²)·P_n′(t)²) after the change from \[−1,1\] (Press et al.,
/// *Numerical Recipes*, §4.6).
pub fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let polynomial = |t: f64| {
        let (mut p, mut before) = (1.0, 0.0);
        for k in 0..n {
            let k = k as f64;
            (p, before) = (((2.0 * k + 1.0) * t * p - k * before) / (k + 1.0), p);
        }
        (p, n as f64 * (t * p - before) / (t * t - 1.0))
    };
    (0..n)
        .map(|i| {
            let mut t = -(std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
            for _ in 0..8 {
                let (p, slope) = polynomial(t);
                t -= p / slope;
            }
            let slope = polynomial(t).1;
            ((1.0 + t) / 2.0, 1.0 / ((1.0 - t * t) * slope * slope))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::explain::attribution::gradient::integrated_gradients::gauss_legendre;

    #[test]
    fn nodes_integrate_polynomials_exactly() {
        for n in [1, 2, 5, 50] {
            let rule = gauss_legendre(n);
            for degree in 0..(2 * n).min(30) {
                let found: f64 = rule.iter().map(|(a, w)| w * a.powi(degree as i32)).sum();
                let exact = 1.0 / (degree as f64 + 1.0);
                assert!((found - exact).abs() < 1e-13, "n {n}, degree {degree}: {found}");
            }
        }
        // Abramowitz & Stegun, table 25.4, n = 2: ±0.577350269189626
        assert!((gauss_legendre(2)[1].0 - (1.0 + 0.577_350_269_189_626) / 2.0).abs() < 1e-14);
    }
}
