//! Scales a gray picture: the mean over the covered area when it shrinks, bilinear when it grows.

/// Input positions and weights that make one output position.
struct Taps {
    first: usize,
    weights: Vec<f32>, // sum 1
}

/// Taps for scaling `n_in` positions to `n_out`.
fn taps(n_in: usize, n_out: usize) -> Vec<Taps> {
    let scale = n_in as f64 / n_out as f64;
    (0..n_out)
        .map(|o| if scale > 1.0 { area_taps(o, scale, n_in) } else { linear_taps(o, scale, n_in) })
        .collect()
}

/// Output position o covers [o·scale, (o+1)·scale) of the input; each input pixel weighs as much
/// as of it is covered.
fn area_taps(o: usize, scale: f64, n_in: usize) -> Taps {
    let (from, to) = (o as f64 * scale, ((o + 1) as f64 * scale).min(n_in as f64));
    let first = from as usize;
    let last = (to.ceil() as usize).min(n_in);
    let weights = (first..last)
        .map(|i| ((to.min((i + 1) as f64) - from.max(i as f64)).max(0.0) / (to - from)) as f32)
        .collect();
    Taps { first, weights }
}

/// The centre of output pixel o lies at (o + ½)·scale − ½; edges repeat.
fn linear_taps(o: usize, scale: f64, n_in: usize) -> Taps {
    let at = ((o as f64 + 0.5) * scale - 0.5).clamp(0.0, (n_in - 1) as f64);
    let first = (at as usize).min(n_in.saturating_sub(2));
    let t = (at - first as f64) as f32;
    let weights = if n_in == 1 { vec![1.0] } else { vec![1.0 - t, t] };
    Taps { first, weights }
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
    let columns = taps(width, w_out);
    let mut out = vec![0_u8; w_out * h_out];
    let mut line = vec![0.0_f32; w_out];
    for (row_out, rows) in out.chunks_exact_mut(w_out).zip(taps(height, h_out)) {
        line.fill(0.0);
        for (row, &weight) in gray[rows.first * width..].chunks_exact(width).zip(&rows.weights) {
            for (sum, taps) in line.iter_mut().zip(&columns) {
                let near = &row[taps.first..taps.first + taps.weights.len()];
                let mean: f32 =
                    near.iter().zip(&taps.weights).map(|(&p, w)| f32::from(p) * w).sum();
                *sum += weight * mean;
            }
        }
        for (pixel, &value) in row_out.iter_mut().zip(&line) {
            *pixel = value.round() as u8; // saturates
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_mean_weighs_partly_covered_pixels() {
        // 3 → 2: the middle pixel belongs to both halves: (0 + 90/2)/1.5 = 30, (90/2 + 60)/1.5 = 70.
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
