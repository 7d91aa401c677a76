//! t-SNE of features: a map in the plane on which neighbours stay neighbours.
//!
//! Attraction counts the nearest neighbours only, repulsion every pair, which takes seconds for the 2,000
//! points that a page shows. Every sum has a fixed order, so the map is the same for any number of threads.

use crate::{Error, Result};
use rayon::prelude::*;

/// Passes of the gradient descent, and how many of the first enlarge the attraction, and how much.
const STEPS: usize = 750;
const ENLARGED: usize = 250;
const ENLARGEMENT: f32 = 12.0;
/// Neighbours that a point counts effectively; fewer for few points. Three times as many are looked at.
const PERPLEXITY: f32 = 30.0;
/// Steps of the search for the width of each point's neighbourhood.
const SEARCH: usize = 50;
/// Standard deviation of the first coordinate at the start.
const START: f64 = 1e-4;

/// A point and how strongly it attracts.
type Neighbour = (usize, f32);

/// Places rows of features `[n, d]` in the plane so that near rows stay near: van der Maaten and Hinton,
/// "Visualizing data using t-SNE", JMLR 2008; learning rate and start as in openTSNE. Minimises
/// KL(P‖Q) with p from Gaussian neighbourhoods of the features and q ∝ 1 / (1 + ‖yᵢ − yⱼ‖²).
///
/// `start` is where the points begin, usually their principal components. `progress` is called with the steps
/// done and their number.
///
/// # Errors
/// [`Error::Shape`] if the rows are not as many as the points; whatever `progress` returns.
pub fn tsne(
    features: &[f32],
    start: &[[f64; 2]],
    mut progress: impl FnMut(usize, usize) -> Result<()>,
) -> Result<Vec<[f64; 2]>> {
    let n = start.len();
    if n == 0 || features.is_empty() || !features.len().is_multiple_of(n) {
        return Err(Error::shape("tsne", format!("{} features, {n} points", features.len())));
    }
    let perplexity = PERPLEXITY.min((n as f32 - 1.0) / 3.0);
    if perplexity < 2.0 {
        return Ok(start.to_vec()); // too few points to have neighbours
    }
    progress(0, STEPS)?;
    let attraction = affinities(features, n, perplexity);
    let mut map = Map::new(scaled(start));
    for step in 0..STEPS {
        progress(step, STEPS)?;
        let (enlargement, momentum) = if step < ENLARGED { (ENLARGEMENT, 0.5) } else { (1.0, 0.8) };
        map.step(&attraction, enlargement, momentum);
    }
    Ok(map.points.iter().map(|p| p.map(f64::from)).collect())
}

/// Scales points so that their first coordinate has the standard deviation [`START`].
fn scaled(points: &[[f64; 2]]) -> Vec<[f32; 2]> {
    let n = points.len() as f64;
    let mean = points.iter().map(|p| p[0]).sum::<f64>() / n;
    let deviation = (points.iter().map(|p| (p[0] - mean).powi(2)).sum::<f64>() / n).sqrt();
    let factor = if deviation > 0.0 { START / deviation } else { 0.0 };
    points.iter().map(|p| p.map(|v| (v * factor) as f32)).collect()
}

/// Returns pᵢⱼ = (p(j|i) + p(i|j)) / 2n of the neighbours of each point.
fn affinities(features: &[f32], n: usize, perplexity: f32) -> Vec<Vec<Neighbour>> {
    let rows: Vec<&[f32]> = features.chunks_exact(features.len() / n).collect();
    let count = ((3.0 * perplexity) as usize).min(n - 1);
    let one_sided: Vec<Vec<Neighbour>> = (0..n)
        .into_par_iter()
        .map(|i| neighbourhood(nearest(&rows, i, count), perplexity))
        .collect();
    let mut both = one_sided.clone();
    for (i, row) in one_sided.iter().enumerate() {
        row.iter().for_each(|&(j, p)| both[j].push((i, p)));
    }
    for row in &mut both {
        row.sort_by_key(|&(j, _)| j); // stable: the order of equal ones is fixed, too
        row.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            kept.1 += if is_same { next.1 } else { 0.0 };
            is_same
        });
        row.iter_mut().for_each(|(_, p)| *p /= 2.0 * n as f32);
    }
    both
}

/// Returns the points nearest to a point with their squared distances.
fn nearest(rows: &[&[f32]], i: usize, count: usize) -> Vec<Neighbour> {
    let squared = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum();
    let mut all: Vec<Neighbour> =
        (0..rows.len()).filter(|&j| j != i).map(|j| (j, squared(rows[i], rows[j]))).collect();
    all.select_nth_unstable_by(count - 1, |a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    all.truncate(count);
    all
}

/// Turns squared distances d into p ∝ exp(−βd), with β such that exp(entropy of p) is the perplexity.
fn neighbourhood(mut row: Vec<Neighbour>, perplexity: f32) -> Vec<Neighbour> {
    let least = row.iter().map(|&(_, d)| d).fold(f32::INFINITY, f32::min);
    row.iter_mut().for_each(|(_, d)| *d -= least); // the same p, without underflow
    let (mut low, mut high, mut beta) = (0.0, f32::INFINITY, 1.0);
    for _ in 0..SEARCH {
        let weights = || row.iter().map(|&(_, d)| ((-beta * d).exp(), d));
        let total: f32 = weights().map(|(w, _)| w).sum();
        let entropy = total.ln() + beta * weights().map(|(w, d)| w * d).sum::<f32>() / total;
        if entropy > perplexity.ln() {
            (low, beta) = (beta, if high.is_finite() { 0.5 * (beta + high) } else { 2.0 * beta });
        } else {
            (high, beta) = (beta, 0.5 * (low + beta));
        }
    }
    let total: f32 = row.iter().map(|&(_, d)| (-beta * d).exp()).sum();
    row.iter_mut().for_each(|(_, d)| *d = (-beta * *d).exp() / total);
    row
}

/// The points while they move.
struct Map {
    points: Vec<[f32; 2]>,
    velocity: Vec<[f32; 2]>,
    /// Factor of the learning rate for each coordinate, as in the original.
    gains: Vec<[f32; 2]>,
}

impl Map {
    fn new(points: Vec<[f32; 2]>) -> Self {
        let n = points.len();
        Map { points, velocity: vec![[0.0; 2]; n], gains: vec![[1.0; 2]; n] }
    }

    /// Moves every point against ∂KL/∂yᵢ = 4 Σⱼ (pᵢⱼ − qᵢⱼ)(yᵢ − yⱼ) / (1 + ‖yᵢ − yⱼ‖²).
    fn step(&mut self, attraction: &[Vec<Neighbour>], enlargement: f32, momentum: f32) {
        let n = self.points.len();
        let (x, y): (Vec<f32>, Vec<f32>) = self.points.iter().map(|p| (p[0], p[1])).unzip();
        let repelled: Vec<[f32; 3]> =
            (0..n).into_par_iter().map(|i| repulsion(&x, &y, x[i], y[i])).collect();
        let total: f32 = repelled.iter().map(|r| r[2] - 1.0).sum(); // without the pairs (i, i)
        let rate = (n as f32 / ENLARGEMENT / 4.0).max(50.0);
        for (i, (row, away)) in attraction.iter().zip(&repelled).enumerate() {
            let mut gradient = [-4.0 * away[0] / total, -4.0 * away[1] / total];
            for &(j, p) in row {
                let (dx, dy) = (x[i] - x[j], y[i] - y[j]);
                let weight = 4.0 * enlargement * p / (1.0 + dx * dx + dy * dy);
                gradient[0] += weight * dx;
                gradient[1] += weight * dy;
            }
            for k in 0..2 {
                let is_turning = (gradient[k] > 0.0) == (self.velocity[i][k] > 0.0);
                let gain = &mut self.gains[i][k];
                *gain = if is_turning { (*gain * 0.8).max(0.01) } else { *gain + 0.2 };
                self.velocity[i][k] = momentum * self.velocity[i][k] - rate * *gain * gradient[k];
                self.points[i][k] += self.velocity[i][k];
            }
        }
    }
}

/// Returns Σⱼ wⱼ² (yᵢ − yⱼ) for both coordinates, and Σⱼ wⱼ, with w = 1 / (1 + ‖yᵢ − yⱼ‖²). Eight sums side by side
/// let the compiler use SIMD.
fn repulsion(x: &[f32], y: &[f32], xi: f32, yi: f32) -> [f32; 3] {
    const LANES: usize = 8;
    let mut sums = [[0.0f32; LANES]; 3];
    let mut add = |lane: usize, xj: f32, yj: f32| {
        let (dx, dy) = (xi - xj, yi - yj);
        let weight = 1.0 / (1.0 + dx * dx + dy * dy);
        sums[0][lane] += weight * weight * dx;
        sums[1][lane] += weight * weight * dy;
        sums[2][lane] += weight;
    };
    let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let rest = xs.remainder().iter().zip(ys.remainder());
    for (xs, ys) in xs.zip(ys) {
        (0..LANES).for_each(|lane| add(lane, xs[lane], ys[lane]));
    }
    rest.for_each(|(&xj, &yj)| add(0, xj, yj));
    sums.map(|lanes| lanes.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::pca::principal_components;
    use crate::random::{Purpose, Rng};

    /// Three clouds in ten dimensions, 60 points each.
    fn clouds() -> Vec<f32> {
        let mut rng = Rng::new(7, Purpose::Test, 0, 0);
        let centre = |i: usize, k: usize| if k == i / 60 { 6.0 } else { 0.0 };
        (0..180)
            .flat_map(|i| (0..10).map(move |k| (i, k)))
            .map(|(i, k)| centre(i, k) + rng.normal() as f32)
            .collect()
    }

    /// The gradient is that of KL(P‖Q), by differences in f64.
    #[test]
    fn the_first_step_goes_against_the_gradient() {
        let features = clouds();
        let p = affinities(&features, 180, 20.0);
        let total: f32 = p.iter().flatten().map(|&(_, p)| p).sum();
        assert!((total - 1.0).abs() < 1e-4, "Σp = {total}");
        let start: Vec<[f32; 2]> =
            (0..180).map(|i| [(i as f32 * 0.7).sin(), (i as f32 * 1.3).cos()]).collect();
        let loss = |points: &[[f64; 2]]| {
            let weight = |i: usize, j: usize| {
                let (a, b) = (points[i], points[j]);
                1.0 / (1.0 + (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2))
            };
            let pairs = (0..180).flat_map(|i| (0..180).map(move |j| (i, j)));
            let all: f64 = pairs.filter(|(i, j)| i != j).map(|(i, j)| weight(i, j)).sum();
            let row = |(i, row): (usize, &Vec<Neighbour>)| -> f64 {
                let term =
                    |&(j, p): &Neighbour| f64::from(p) * (f64::from(p) * all / weight(i, j)).ln();
                row.iter().map(term).sum()
            };
            p.iter().enumerate().map(row).sum::<f64>()
        };
        let mut map = Map::new(start.clone());
        map.step(&p, 1.0, 0.0);
        let (wide, h): (Vec<[f64; 2]>, f64) =
            (start.iter().map(|p| p.map(f64::from)).collect(), 1e-5);
        for (i, k) in [(0, 0), (0, 1), (77, 0), (179, 1)] {
            let moved = |by: f64| {
                let mut points = wide.clone();
                points[i][k] += by;
                loss(&points)
            };
            let expected = (moved(h) - moved(-h)) / (2.0 * h);
            let gain = f64::from(map.gains[i][k]);
            let found = -f64::from(map.velocity[i][k]) / 50.0 / gain; // 50: the learning rate
            assert!((found - expected).abs() < 1e-3 * expected.abs() + 1e-7, "{found} {expected}");
        }
    }

    #[test]
    fn a_point_and_its_nearest_on_the_map_are_of_one_cloud() {
        let features = clouds();
        let start = principal_components(&features, 10).unwrap().points;
        let points = tsne(&features, &start, |_, _| Ok(())).unwrap();
        let nearest = |i: usize| {
            let far =
                |j: &usize| (points[*j][0] - points[i][0]).hypot(points[*j][1] - points[i][1]);
            (0..180).filter(|&j| j != i).min_by(|a, b| far(a).total_cmp(&far(b))).unwrap()
        };
        let right = (0..180).filter(|&i| nearest(i) / 60 == i / 60).count();
        assert!(right >= 175, "{right} of 180");
    }

    #[test]
    fn it_ends_when_its_caller_wants_no_more_and_refuses_what_does_not_fit() {
        let features = clouds();
        let start = vec![[0.0, 1.0]; 180];
        let mut calls = 0;
        let stopped = tsne(&features, &start, |_, _| {
            calls += 1;
            if calls == 3 { Err(Error::Interrupted("enough".into())) } else { Ok(()) }
        });
        assert!(matches!(stopped, Err(Error::Interrupted(_))) && calls == 3);
        assert!(tsne(&features, &start[..7], |_, _| Ok(())).is_err());
        assert!(tsne(&[], &[], |_, _| Ok(())).is_err());
    }
}
