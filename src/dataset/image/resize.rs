//! Scales gray images (area mean to shrink, bilinear interpolation to enlarge) and maps (bilinear).

/// Input positions and weights of one output position.
struct Taps {
    first: usize,
    weights: Vec<f32>, // sum 1
}

/// Returns the taps for scaling `n_in` positions to `n_out`.
fn taps(n_in: usize, n_out: usize) -> Vec<Taps> {
    let area = |o| area_taps(o, n_in as f64 / n_out as f64, n_in);
    if n_in > n_out { (0..n_out).map(area).collect() } else { bilinear_taps(n_in, n_out) }
}

/// Returns the taps of output position o, which covers [o·scale, (o+1)·scale) of the input. The weight of
/// an input pixel is its covered share.
fn area_taps(o: usize, scale: f64, n_in: usize) -> Taps {
    let (from, to) = (o as f64 * scale, ((o + 1) as f64 * scale).min(n_in as f64));
    let first = from as usize;
    let last = (to.ceil() as usize).min(n_in);
    let weights = (first..last)
        .map(|i| ((to.min((i + 1) as f64) - from.max(i as f64)).max(0.0) / (to - from)) as f32)
        .collect();
    Taps { first, weights }
}

/// Returns the taps whose output position o has its centre at (o + ½)·n_in/n_out − ½ of the input. Edges
/// repeat.
fn bilinear_taps(n_in: usize, n_out: usize) -> Vec<Taps> {
    let tap = |o: usize| {
        let at = (o as f64 + 0.5) * n_in as f64 / n_out as f64 - 0.5;
        let at = at.clamp(0.0, (n_in - 1) as f64);
        let first = (at as usize).min(n_in.saturating_sub(2));
        let t = (at - first as f64) as f32;
        let weights = if n_in == 1 { vec![1.0] } else { vec![1.0 - t, t] };
        Taps { first, weights }
    };
    (0..n_out).map(tap).collect()
}

/// Scales `gray` (`[height, width]`) to `[h_out, w_out]`.
///
/// **Shapes**: in `width·height` bytes, out `w_out·h_out` bytes, both row-major.
///
/// # Panics
/// If a side is 0 or `gray` has another length.
///
/// # Example
/// ```
/// let small = fer::dataset::image::resize::resize(&[0, 10, 20, 30], 4, 1, 2, 1);
/// assert_eq!(small, [5, 25]);
/// ```
pub fn resize(gray: &[u8], width: usize, height: usize, w_out: usize, h_out: usize) -> Vec<u8> {
    assert!(width > 0 && height > 0 && w_out > 0 && h_out > 0, "a side is 0");
    assert_eq!(gray.len(), width * height, "pixels of a {width}x{height} picture");
    if (width, height) == (w_out, h_out) {
        return gray.to_vec();
    }
    let resized = resample(gray, width, &taps(width, w_out), &taps(height, h_out));
    resized.into_iter().map(|v| v.round() as u8).collect() // saturates
}

/// Scales a map `[height, width]` to `[h_out, w_out]`, bilinear in both directions: pixel centres
/// at half-integers, edges repeated (PyTorch's `interpolate` with `align_corners=False`).
///
/// # Panics
/// If a side is 0 or `map` has another length.
///
/// # Example
/// ```
/// let wide = fer::dataset::image::resize::resize_bilinear(&[0.0, 4.0], 2, 1, 4, 1);
/// assert_eq!(wide, [0.0, 1.0, 3.0, 4.0]);
/// ```
pub fn resize_bilinear(
    map: &[f32],
    width: usize,
    height: usize,
    w_out: usize,
    h_out: usize,
) -> Vec<f32> {
    assert!(width > 0 && height > 0 && w_out > 0 && h_out > 0, "a side is 0");
    assert_eq!(map.len(), width * height, "values of a {width}x{height} map");
    resample(map, width, &bilinear_taps(width, w_out), &bilinear_taps(height, h_out))
}

/// Weighted sums over rows of weighted sums over columns.
fn resample<T: Copy + Into<f32>>(
    pixels: &[T],
    width: usize,
    columns: &[Taps],
    rows: &[Taps],
) -> Vec<f32> {
    let mut out = vec![0.0_f32; rows.len() * columns.len()];
    for (line, rows) in out.chunks_exact_mut(columns.len()).zip(rows) {
        for (row, &weight) in pixels[rows.first * width..].chunks_exact(width).zip(&rows.weights) {
            for (sum, taps) in line.iter_mut().zip(columns) {
                let near = &row[taps.first..taps.first + taps.weights.len()];
                let mean: f32 = near.iter().zip(&taps.weights).map(|(&p, w)| p.into() * w).sum();
                *sum += weight * mean;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_mean_weighs_partly_covered_pixels() {
        // 3 → 2: the middle pixel belongs to both halves: (0 + 90/2)/1.5 = 30, (90/2 + 60)/1.5 =
        // 70.
        assert_eq!(resize(&[0, 90, 60], 3, 1, 2, 1), [30, 70]);
        assert_eq!(resize(&[0, 90, 60], 1, 3, 1, 2), [30, 70]);
    }

    #[test]
    fn bilinear_keeps_edges_and_meets_in_the_middle() {
        assert_eq!(resize(&[0, 100], 2, 1, 4, 1), [0, 25, 75, 100]);
        assert_eq!(resize(&[7], 1, 1, 48, 48), vec![7; 48 * 48]);
    }

    #[test]
    fn a_constant_stays_constant_at_every_size() {
        for n in [1, 2, 47, 48, 49, 95, 96, 97, 500] {
            assert_eq!(resize(&vec![201; n * n], n, n, 48, 48), vec![201; 48 * 48], "side {n}");
        }
    }
}
