//! Eigenvalues and eigenvectors of small symmetric matrices.

/// Largest number of sweeps; a 25×25 matrix needs about eight.
const SWEEPS: usize = 64;

/// Returns the eigenvalues, the largest first, and their unit eigenvectors: A·vᵢ = λᵢ·vᵢ.
///
/// The largest component of each vector is positive, which makes the result unique.
///
/// **Shapes**: `matrix` is `[n, n]`, symmetric; n values, n vectors of n components.
/// **Source**: the cyclic Jacobi method, Golub & Van Loan, Matrix Computations, § 8.5.
///
/// ```
/// let (values, vectors) = fer::model::init::eigen::symmetric_eigen(&[2.0, 1.0, 1.0, 2.0], 2);
/// assert!((values[0] - 3.0).abs() < 1e-12 && (values[1] - 1.0).abs() < 1e-12);
/// assert!((vectors[0][0] - vectors[0][1]).abs() < 1e-12);
/// ```
pub fn symmetric_eigen(matrix: &[f64], n: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut a = matrix.to_vec();
    let mut v: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect();
    let size: f64 = a.iter().map(|x| x * x).sum();
    for _ in 0..SWEEPS {
        let off = (0..n * n).filter(|i| i / n != i % n).map(|i| a[i] * a[i]).sum::<f64>();
        if off <= 1e-28 * size {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut v, n, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[j * n + j].total_cmp(&a[i * n + i]));
    let vector = |&column: &usize| {
        let vector: Vec<f64> = (0..n).map(|row| v[row * n + column]).collect();
        let largest = vector.iter().fold(0.0_f64, |m, &x| if x.abs() > m.abs() { x } else { m });
        vector.into_iter().map(|x| x * largest.signum()).collect()
    };
    (order.iter().map(|&i| a[i * n + i]).collect(), order.iter().map(vector).collect())
}

/// Sets A ← JᵀAJ and V ← VJ with the rotation J in the plane (p, q) that makes a_pq zero.
fn rotate(a: &mut [f64], v: &mut [f64], n: usize, p: usize, q: usize) {
    let apq = a[p * n + q];
    if apq == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    let turn = |x: &mut [f64], i: usize, j: usize| {
        let (xi, xj) = (x[i], x[j]);
        (x[i], x[j]) = (c * xi - s * xj, s * xi + c * xj);
    };
    for k in 0..n {
        turn(a, k * n + p, k * n + q);
        turn(v, k * n + p, k * n + q);
    }
    for k in 0..n {
        turn(a, p * n + k, q * n + k);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Rng};

    #[test]
    fn vectors_are_orthonormal_and_rebuild_the_matrix() {
        let n = 9;
        let mut rng = Rng::new(0, Purpose::Test, 0, 0);
        let b: Vec<f64> = (0..n * n).map(|_| rng.normal()).collect();
        let a: Vec<f64> = (0..n * n).map(|i| b[i] + b[(i % n) * n + i / n]).collect();
        let (values, vectors) = symmetric_eigen(&a, n);
        assert!(values.is_sorted_by(|x, y| x >= y));
        for i in 0..n {
            for j in 0..n {
                let dot: f64 = vectors[i].iter().zip(&vectors[j]).map(|(x, y)| x * y).sum();
                assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-12);
                let rebuilt: f64 = (0..n).map(|k| values[k] * vectors[k][i] * vectors[k][j]).sum();
                assert!((rebuilt - a[i * n + j]).abs() < 1e-11);
            }
        }
        assert_eq!(symmetric_eigen(&[], 0), (vec![], vec![]));
    }
}
