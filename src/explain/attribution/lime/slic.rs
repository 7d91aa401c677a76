//! SLIC superpixels of a gray picture.

use crate::explain::image_ops::gaussian_blur;
use crate::{PIXELS, SIDE};

/// Settings of SLIC.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlicOptions {
    /// Approximate number of superpixels. The grid of seeds is square, so 50 gives 49 seeds.
    pub superpixels: usize,
    /// Weight of the distance in pixels against the difference in gray level, which is in \[0,1\].
    pub compactness: f64,
    /// Iterations of k-means.
    pub iterations: usize,
    /// Standard deviation of the blur applied first, in pixels; 0 for none.
    pub sigma: f64,
}

impl Default for SlicOptions {
    fn default() -> Self {
        SlicOptions { superpixels: 50, compactness: 0.1, iterations: 10, sigma: 1.0 }
    }
}

/// Returns the superpixel of every pixel, `[48, 48]`. Superpixels are connected, and numbered 0, 1,
/// … in the reading order of their first pixels.
///
/// k-means in (gray, row, column) with the squared distance (Δgray)² + (compactness/S)²·(Δrow² +
/// Δcol²), where S is the spacing of the seeds; a seed claims pixels within 2S. Then every
/// connected component smaller than half the mean size is merged with the neighbour found first.
///
/// **Source**: Achanta et al. 2012, "SLIC Superpixels", IEEE TPAMI 34; scikit-image
/// `slic(channel_axis=None, enforce_connectivity=True)` on the unstretched picture.
pub fn slic(face: &[f32], options: &SlicOptions) -> Vec<usize> {
    let gray = if options.sigma > 0.0 { gaussian_blur(face, options.sigma) } else { face.to_vec() };
    let side = (options.superpixels as f64).sqrt().round().clamp(1.0, SIDE as f64) as usize;
    let spacing = SIDE as f64 / side as f64;
    let centre = |k: usize| (k as f64 + 0.5) * spacing - 0.5;
    let mut seeds: Vec<Seed> = (0..side * side)
        .map(|k| {
            let (row, column) = (centre(k / side), centre(k % side));
            let gray = f64::from(gray[row.round() as usize * SIDE + column.round() as usize]);
            Seed { row, column, gray }
        })
        .collect();
    let mut labels = vec![0; PIXELS];
    for _ in 0..options.iterations.max(1) {
        assign(&gray, &seeds, spacing, options.compactness, &mut labels);
        recentre(&gray, &labels, &mut seeds);
    }
    let smallest = PIXELS / (2 * side * side);
    connect(&labels, smallest.max(1))
}

/// A cluster centre of k-means.
#[derive(Clone, Copy)]
struct Seed {
    row: f64,
    column: f64,
    gray: f64,
}

/// Labels every pixel with its nearest seed.
fn assign(gray: &[f32], seeds: &[Seed], spacing: f64, compactness: f64, labels: &mut [usize]) {
    let place_weight = (compactness / spacing).powi(2);
    let mut nearest = vec![f64::INFINITY; PIXELS];
    let window = |at: f64| {
        let low = (at - 2.0 * spacing).floor().max(0.0) as usize;
        low..((at + 2.0 * spacing).ceil() as usize + 1).min(SIDE)
    };
    for (k, seed) in seeds.iter().enumerate() {
        for i in window(seed.row) {
            for j in window(seed.column) {
                let p = i * SIDE + j;
                let gap = (i as f64 - seed.row).powi(2) + (j as f64 - seed.column).powi(2);
                let distance = (f64::from(gray[p]) - seed.gray).powi(2) + place_weight * gap;
                if distance < nearest[p] {
                    nearest[p] = distance;
                    labels[p] = k;
                }
            }
        }
    }
}

/// Moves every seed to the mean of its pixels.
fn recentre(gray: &[f32], labels: &[usize], seeds: &mut [Seed]) {
    let mut sums = vec![[0.0; 4]; seeds.len()];
    for (p, &k) in labels.iter().enumerate() {
        let parts = [1.0, (p / SIDE) as f64, (p % SIDE) as f64, f64::from(gray[p])];
        sums[k].iter_mut().zip(parts).for_each(|(s, v)| *s += v);
    }
    for (seed, [n, row, column, gray]) in seeds.iter_mut().zip(sums) {
        if n > 0.0 {
            *seed = Seed { row: row / n, column: column / n, gray: gray / n };
        }
    }
}

/// The up to four neighbours of a pixel.
pub(crate) fn neighbours(p: usize) -> impl Iterator<Item = usize> {
    let (i, j) = (p / SIDE, p % SIDE);
    [
        (i > 0).then(|| p - SIDE),
        (j > 0).then(|| p - 1),
        (j + 1 < SIDE).then_some(p + 1),
        (i + 1 < SIDE).then_some(p + SIDE),
    ]
    .into_iter()
    .flatten()
}

/// Splits labels into connected components; a component below `smallest` pixels is merged with a
/// neighbour that has already been numbered.
fn connect(labels: &[usize], smallest: usize) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let mut out = vec![NONE; PIXELS];
    let mut count = 0;
    for start in 0..PIXELS {
        if out[start] != NONE {
            continue;
        }
        let before = neighbours(start).map(|q| out[q]).find(|&label| label != NONE);
        let mut component = vec![start];
        out[start] = count;
        let mut at = 0;
        while at < component.len() {
            for q in neighbours(component[at]) {
                if out[q] == NONE && labels[q] == labels[start] {
                    out[q] = count;
                    component.push(q);
                }
            }
            at += 1;
        }
        match before {
            Some(neighbour) if component.len() < smallest => {
                component.iter().for_each(|&p| out[p] = neighbour);
            }
            _ => count += 1,
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number of connected components and of labels.
    fn components(labels: &[usize]) -> (usize, usize) {
        let whole = connect(labels, 0);
        (whole.iter().max().unwrap() + 1, labels.iter().max().unwrap() + 1)
    }

    #[test]
    fn superpixels_follow_a_drawn_edge() {
        // A bright disc on dark ground: no superpixel may straddle the edge.
        let disc = |p: usize| {
            let (i, j) = ((p / SIDE) as f32 - 23.5, (p % SIDE) as f32 - 23.5);
            i.hypot(j) < 13.0
        };
        let face: Vec<f32> = (0..PIXELS).map(|p| if disc(p) { 0.9 } else { 0.1 }).collect();
        let labels = slic(&face, &SlicOptions { sigma: 0.0, ..Default::default() });
        let count = labels.iter().max().unwrap() + 1;
        assert!((30..=60).contains(&count), "{count} superpixels");
        let mut astray = 0;
        for k in 0..count {
            let inside = (0..PIXELS).filter(|&p| labels[p] == k && disc(p)).count();
            let outside = (0..PIXELS).filter(|&p| labels[p] == k && !disc(p)).count();
            astray += inside.min(outside);
        }
        assert!(astray < 40, "{astray} pixels lie on the wrong side of the edge");
        assert_eq!(components(&labels), (count, count), "every superpixel is connected");
    }

    #[test]
    fn flat_picture_gives_the_square_grid() {
        let labels = slic(&[0.5; PIXELS], &SlicOptions { superpixels: 16, ..Default::default() });
        for p in 0..PIXELS {
            assert_eq!(labels[p], p / SIDE / 12 * 4 + p % SIDE / 12);
        }
    }

    #[test]
    fn small_components_join_a_neighbour() {
        let mut labels = vec![0; PIXELS];
        labels[100] = 1; // an island of one pixel
        assert_eq!(connect(&labels, 2), vec![0; PIXELS]);
        assert_eq!(components(&connect(&labels, 1)), (2, 2));
    }
}
